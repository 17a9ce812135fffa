"""The page holds its data whatever they say, fetches nothing, and draws itself in a browser."""

from __future__ import annotations

import base64
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from benchmark.comparison.command import measured_networks, write_comparison
from benchmark.comparison.comparison import compare
from benchmark.comparison.folder import load_run
from benchmark.comparison.page import Section, load_section
from benchmark.comparison.page.confusion import confusions
from benchmark.comparison.page.maps import CLIPS, LABELS, Maps, clips_to_map
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel

HOSTILE = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>{{data}}&amp;\"'`\u2028"


def data_of(page: Path) -> dict[str, Any]:
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script id="data" type="application/json">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    data: dict[str, Any] = json.loads(found[1])
    return data


def hostile_run(new_run: Callable[[], Any]) -> Path:
    run = new_run()
    run.model("both", note=HOSTILE)
    run.model("vggish", missing=HOSTILE)
    for name in ("digits", "notes"):
        run.task(name, "speech" if name == "digits" else "nonspeech", HOSTILE)
        for model in ("both", "speech", "nonspeech"):
            run.outcome(model, name, np.arange(60) % 4 > 0, labels=(HOSTILE, "b", "c"))
    folder: Path = run.write()
    return folder


def test_names_cannot_inject_html(new_run: Callable[[], Any], tmp_path: Path) -> None:
    folder = hostile_run(new_run)
    (tmp_path / "section.md").write_text(f"# {HOSTILE[:-1]}\n\n{HOSTILE}\n", encoding="utf-8")
    write_comparison(folder, maps=False, sections=[tmp_path / "section.md"])
    text = (folder / "page.html").read_text(encoding="utf-8")
    assert re.findall(r"<\s*/?\s*(?:script|img)\b[^>]*>", text) == [
        '<script id="data" type="application/json">',
        "</script>",
        "<script>",
        "</script>",
    ]
    data = data_of(folder / "page.html")
    assert data["confusions"]["digits"]["labels"][0] == HOSTILE and "alert(2)" in data["sections"][0]["title"]
    assert not re.search(
        r"\bsrc=[\"']?https?:|<link|@import|innerHTML|insertAdjacentHTML|document\.write|\beval\b", text
    )
    assert "default-src 'none'" in text


def test_confusions_count_pairs_of_labels(new_run: Callable[[], Any]) -> None:
    run = new_run()
    run.task("digits", "speech")
    run.task("events", "nonspeech")
    target, predicted = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 2, 2, 1, 1, 0])
    run.outcome("both", "digits", target == predicted, labels=("a", "b", "c"), target=target, predicted=predicted)
    run.outcome("both", "events", np.tile([2.0, 1, 1], (5, 1)), metric="event_onset_200ms_fms")
    found = confusions(compare(load_run(run.write())))
    assert found == {"digits": {"labels": ["a", "b", "c"], "models": {"both": [0, 0, 1, 0, 2, 2, 1, 1, 2, 2, 0, 1]}}}


def write_task(folder: Path, labels: int, event: bool = False) -> Path:
    """A small task in HEAR's layout: tones, two a label. Its content is called as it is."""
    sounds = folder / "16000" / "test"
    sounds.mkdir(parents=True)
    truth: dict[str, Any] = {}
    for index in range(2 * labels):
        name, label = f"{index}.wav", f"label {index % labels}"
        tone = np.sin(np.arange(8000) * (index % labels + 1) * 0.05) * 0.1
        soundfile.write(sounds / name, tone, 16000)
        truth[name] = [{"label": label, "start": 100.0, "end": 300.0}] if event else [label]
    truth["both.wav"] = [] if event else ["label 0", "label 1"]
    metadata = {"split_mode": "trainvaltest", "splits": ["train", "valid", "test"], "content_sha256": folder.name}
    (folder / "task_metadata.json").write_text(json.dumps(metadata))
    (folder / "test.json").write_text(json.dumps(truth))
    return folder


@pytest.mark.parametrize("event", [False, True])
def test_clips_of_a_map_are_spread_over_labels(tmp_path: Path, event: bool) -> None:
    clips, n_labels = clips_to_map(write_task(tmp_path / "task", 20, event))
    assert n_labels == 20 and len({clip.label for clip in clips}) == LABELS and len(clips) == 2 * LABELS <= CLIPS
    assert {(clip.start, clip.end) for clip in clips} == {(0.1, 0.3) if event else (0.0, 0.5)}
    assert clips == clips_to_map(tmp_path / "task", 0)[0]
    with pytest.raises(FileNotFoundError, match="no task in"):
        clips_to_map(tmp_path / "none")


@pytest.fixture
def small() -> ByolaModel:
    config = ModelConfig("small", "1", FrontendConfig(), EncoderConfig(channels=4, hidden_size=8), -5.0, 4.0)
    return ByolaModel(config).eval()


def test_maps_are_made_once_and_play(tmp_path: Path, small: ByolaModel, monkeypatch: pytest.MonkeyPatch) -> None:
    write_task(tmp_path / "tasks" / "tones", 4)
    tasks = {"tones": "tones", "absent": "absent"}
    made = Maps(tmp_path / "maps", {"small": small}).make(tmp_path / "tasks", tasks)
    assert list(made) == ["tones"]
    tones = made["tones"]
    assert tones["labels"] == [f"label {index}" for index in range(4)] and tones["label"] == sorted(tones["label"])
    places = np.array(tones["places"]["small"]["pca"])
    assert places.shape == (8, 2) and places.min() >= 0 and places.max() <= 1
    # The two tones of a label are the same sound.
    np.testing.assert_allclose(places[0::2], places[1::2], atol=1e-3)
    assert all(sound.startswith("data:audio/mpeg;base64,") for sound in tones["sounds"])
    monkeypatch.setattr("benchmark.comparison.page.maps._embeddings", None)
    assert Maps(tmp_path / "maps", {"small": small}).make(tmp_path / "tasks", tasks) == made
    with pytest.raises(TypeError):
        Maps(tmp_path / "maps", {"small": small}, seed=1).make(tmp_path / "tasks", tasks)


def test_a_task_with_other_content_or_without_sounds_has_no_map(tmp_path: Path, small: ByolaModel) -> None:
    sounds = write_task(tmp_path / "tasks" / "tones", 4) / "16000"
    maps = Maps(tmp_path / "maps", {"small": small})
    assert maps.make(tmp_path / "tasks", {"tones": "another"}) == {}
    sounds.rename(tmp_path / "sounds")
    assert maps.make(tmp_path / "tasks", {"tones": "tones"}) == {}
    (tmp_path / "sounds").rename(sounds)
    assert list(maps.make(tmp_path / "tasks", {"tones": "tones"})) == ["tones"]


def test_maps_are_of_the_networks_that_were_measured(
    new_run: Callable[[], Any], small: ByolaModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("byola_hear.list_models", lambda: ["both", "speech"])
    monkeypatch.setattr("byola_hear.load_model", lambda name: small)
    run = new_run()
    run.task("digits", "speech")
    for model, identity in (("both", small.fingerprint()), ("speech", "other weights"), ("mfcc", small.fingerprint())):
        run.outcome(model, "digits", np.arange(8) % 2, model_identity=f"code-{identity}-timing")
    assert measured_networks(compare(load_run(run.write()))) == {"both": small}


def test_sections_bring_text_figures_and_tables(tmp_path: Path) -> None:
    (tmp_path / "a.svg").write_text("<svg xmlns='http://www.w3.org/2000/svg'/>")
    blocks = [
        "## Time and pitch",
        "**Bold**, *italic* and `code`\nin two lines; 2 * 3 * 4.",
        "![A *figure*](a.svg)",
        "| name | value |\n| --- | --: |\n| **a\\|b** | −1.5 |",
        "- one\n- two",
        "### More",
    ]
    (tmp_path / "pitch_time.md").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")
    section = load_section(tmp_path / "pitch_time.md")
    assert section.title == "Time and pitch"
    text, figure, table, listed, heading = section.data()["blocks"]
    assert text == {"kind": "text", "text": "Bold, italic and code in two lines; 2 * 3 * 4."}
    kind, content = figure["source"].split(",")
    assert kind == "data:image/svg+xml;base64" and base64.b64decode(content).startswith(b"<svg")
    assert figure["text"] == "A figure" and heading == {"kind": "heading", "text": "More"}
    assert table == {"kind": "table", "header": ["name", "value"], "rows": [["a|b", "−1.5"]]}
    assert listed == {"kind": "list", "items": ["one", "two"]}
    (tmp_path / "few_shot.md").write_text("Text.\n")
    assert load_section(tmp_path / "few_shot.md").title == "Few shot"
    with pytest.raises(FileNotFoundError, match="no such section"):
        load_section(tmp_path / "none.md")
    (tmp_path / "wrong.md").write_bytes(b"\xff\xfe")
    with pytest.raises(ValueError, match="expected Markdown in UTF-8"):
        load_section(tmp_path / "wrong.md")


@pytest.mark.parametrize(
    ("file", "error"), [("a.jpeg", ValueError), ("../a.png", ValueError), ("none.png", FileNotFoundError)]
)
def test_figures_that_cannot_be_shown(tmp_path: Path, file: str, error: type[Exception]) -> None:
    (tmp_path / "a.png").write_bytes(b"")
    (tmp_path / "below").mkdir()
    with pytest.raises(error, match="figure"):
        Section("T", f"![x]({file})", tmp_path / "below").data()


def test_the_page_draws_itself_in_a_browser(
    new_run: Callable[[], Any], tmp_path: Path, small: ByolaModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    selenium = pytest.importorskip("selenium.webdriver")
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        pytest.skip("no chromium with its driver")
    from selenium.webdriver.chrome.service import Service

    folder = hostile_run(new_run)
    monkeypatch.setattr("benchmark.comparison.command.measured_networks", lambda comparison: {"both": small})
    for task in ("digits", "notes"):
        write_task(tmp_path / "tasks" / task, 3)
    write_comparison(folder, tmp_path / "tasks")
    options = selenium.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,800"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    browser = selenium.Chrome(options=options, service=Service(driver))
    try:
        browser.get((folder / "page.html").as_uri())
        script = browser.execute_script
        assert script("return document.querySelectorAll('#grid tbody tr').length") == 4
        assert script("return [...document.querySelectorAll('main section')].filter(s => !s.hidden).length") == 6
        browser.find_element("css selector", "td[data-model=speech][data-task=notes]").click()
        assert "45 of 60" in script("return document.getElementById('confusion-text').textContent")
        assert script("return document.getElementById('confusion-task').value") == "notes"
        assert script("return document.querySelectorAll('#advantage-plot g[role=img]').length") == 5
        if script("return !document.getElementById('map').hidden"):
            script("document.querySelector('#map-plot .point').dispatchEvent(new MouseEvent('click'))")
            assert script("return document.getElementById('map-text').textContent").startswith("Playing")
        assert script("return [document.scripts.length, document.images.length]") == [2, 0]
        assert browser.get_log("browser") == []
    finally:
        browser.quit()
