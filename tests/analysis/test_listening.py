"""The pages in real browsers: keys, undo, what is kept, and the label file that `learn` takes."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from byola_hear import labels
from byola_hear.analysis.listening.sounds import Sound, preview, with_context
from byola_hear.analysis.map import write_map
from byola_hear.analysis.review import merged, write_review
from tests.browser import BROWSERS, downloaded, eventually, opened
from tests.classification.sounds import KINDS, RATE, quiet, write
from tests.cli.conftest import models, run  # noqa: F401, fixtures
from tests.cli.result import Run

pytestmark = pytest.mark.slow

HOSTILE = "</script>\"<b>'ö, 1"


class Page:
    """A page in a browser, used with the keyboard."""

    def __init__(self, browser: Any, path: Path, downloads: Path) -> None:
        self.browser, self.downloads = browser, downloads
        browser.get(path.as_uri())

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        for key in keys:
            self.browser.switch_to.active_element.send_keys(key)

    def shift(self, key: str) -> None:
        from selenium.webdriver.common.action_chains import ActionChains
        from selenium.webdriver.common.keys import Keys

        ActionChains(self.browser).key_down(Keys.SHIFT).send_keys(key).key_up(Keys.SHIFT).perform()

    def text(self, selector: str) -> str:
        return self.browser.find_element("css selector", selector).get_property("textContent")

    def script(self, code: str) -> Any:
        return self.browser.execute_script(f"return {code}")

    def click(self, text: str) -> None:
        self.browser.find_element("xpath", f"//button[contains(normalize-space(), '{text}')]").click()

    def rows(self, name: str) -> list[str]:
        """Lines of the label file, downloaded."""
        (self.downloads / name).unlink(missing_ok=True)
        self.click("Download labels")
        return downloaded(self.downloads, name).read_text(encoding="utf-8", errors="surrogateescape").splitlines()


@pytest.fixture(params=BROWSERS)
def browser(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    (tmp_path / "downloads").mkdir()
    with opened(request.param, tmp_path / "downloads") as found:
        yield found


def sounds(file: str, start: float, end: float) -> Sound:
    return with_context(file, start, end, 0.5)


def recordings(folder: Path, count: int = 4) -> pd.DataFrame:
    """Recordings with a beep, a hiss and nothing; a beep was found in the nothing, too."""
    rows = []
    for number in range(count):
        samples = quiet(12.0, number)
        for place, kind in enumerate(("beep", "hiss")):
            first = (2 + 4 * place) * RATE
            samples[first : first + RATE] += KINDS[kind](1.0, 10 * number + place)
        file = str(write(folder / f"{number}.wav", samples.clip(-1, 1)))
        rows += [(file, 2.0, 3.0, "beep", 0.9), (file, 6.0, 7.0, "hiss", 0.8), (file, 10.0, 11.0, "beep", 0.4)]
    return pd.DataFrame(rows, columns=["file", "start", "end", "label", "score"])


def review_page(folder: Path, table: pd.DataFrame, title: str = "night") -> Path:
    chosen = merged(table)
    write_review(folder / "review.html", chosen, sounds, sorted(set(chosen["label"])), title=title)
    return folder / "review.html"


def test_a_detour_by_ear_improves_the_labels(browser: Any, tmp_path: Path, run: Run) -> None:  # noqa: F811
    """Answers by keys, undone, kept over a reload, downloaded, and learned from."""
    pytest.importorskip("sklearn")
    table = recordings(tmp_path / "rec")
    page = Page(browser, review_page(tmp_path, table), tmp_path / "downloads")
    # Beeps in the order of recordings and times: right, wrong, right, wrong, ...
    assert page.text("#question") == "Is this beep?" and page.text("#about").startswith("1 of 12 · 0.wav · 0:02.00")
    assert page.text("#begin") == "0:01.50" and page.text("#end") == "0:03.50"
    page.press("y")
    assert page.text("#about").startswith("2 of 12")
    page.press("y")  # wrong
    assert page.text(".state") == "2 of 12 answered."
    page.press("z")
    assert page.text("#about").startswith("2 of 12") and page.text(".state") == "1 of 12 answered."
    page.press("n")
    browser.refresh()
    assert page.text(".state") == "2 of 12 answered." and page.text("#about").startswith("3 of 12")
    page.press("z", "n")  # an answer of before can be taken back, too
    for _ in range(3):
        page.press("1", "n")
    for _ in range(4):
        page.press("2")
    assert page.text(".state") == "All 12 answered. Download the labels."
    downloaded_rows = page.rows("night.labels.csv")
    assert downloaded_rows[0] == "file,start,end,label" and len(downloaded_rows) == 13
    found = labels.read(tmp_path / "downloads" / "night.labels.csv")
    expected = table.assign(label=np.where(table["score"] < 0.5, "noise", table["label"]))
    columns = ["file", "start", "end", "label"]
    assert sorted(found[columns].itertuples(index=False)) == sorted(expected[columns].itertuples(index=False))
    result = run("learn", "--labels", tmp_path / "downloads/night.labels.csv", "-o", tmp_path / "calls.safetensors")
    assert result.code == 0, result
    assert "2 classes, 12 windows of 1 s, 4 negatives" in result.out


def test_keys_of_every_kind(browser: Any, tmp_path: Path) -> None:
    table = recordings(tmp_path / "rec", 1)
    page = Page(browser, review_page(tmp_path, table), tmp_path / "downloads")
    from selenium.webdriver.common.keys import Keys

    # What the tabulator reaches can be seen.
    browser.find_element("id", "previous").send_keys(Keys.TAB)
    assert page.script("document.activeElement.id") == "play"
    assert page.script("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.press(Keys.ARROW_RIGHT)
    assert page.text("#about").startswith("2 of 3")
    page.press(Keys.ARROW_LEFT, Keys.ARROW_LEFT)
    assert page.text("#about").startswith("3 of 3") and page.text("#question") == "Is this hiss?"
    page.press("2")
    page.shift("1")  # stays where it is: page 1 now
    assert page.text("#about").startswith("1 of 3")
    page.shift("2")
    assert page.script("document.querySelectorAll('.labelling .keys button[aria-pressed=true]').length") == 3
    page.press("c")
    page.press("chirp y", Keys.ENTER)  # letters in the field are no answers
    assert page.text("#about").startswith("2 of 3")
    assert page.rows("night.labels.csv")[1:] == [f"{table['file'][0]},6,7,hiss", f"{table['file'][0]},2,3,chirp y"]
    page.press("9", "ä")  # no such class
    assert page.text(".state").startswith("2 labels in")
    browser.find_element("css selector", ".labelling .no").send_keys(" ")  # presses the button
    assert page.text(".state") == "All 3 answered. Download the labels."


def test_keys_are_what_was_meant(browser: Any, tmp_path: Path) -> None:
    page = Page(browser, review_page(tmp_path, recordings(tmp_path / "rec", 1)), tmp_path / "downloads")

    def key(name: str, where: str = "document.body", **more: bool | str) -> None:
        event = json.dumps({"key": name, "bubbles": True, **more})
        page.script(f"{where}.dispatchEvent(new KeyboardEvent('keydown', {event}))")

    key("y")
    for _ in range(5):
        key("y", repeat=True)  # it is held down
    assert page.text("#about").startswith("2 of 3") and page.text(".state") == "1 of 3 answered."
    field = browser.find_element("css selector", ".labelling input[list]")
    field.send_keys("\u9ce5")
    key("Enter", "document.activeElement", isComposing=True)  # ends the writing of a word in Japanese
    assert field.get_property("value") == "\u9ce5" and page.text(".state") == "1 of 3 answered."
    key("Enter", "document.activeElement")
    assert page.text(".state") == "2 of 3 answered."
    key("\u044f", code="KeyZ")  # where Z is on a Russian keyboard
    assert page.text(".state") == "1 of 3 answered."
    key("y", code="KeyZ")  # a German one has Y there
    assert page.text(".state") == "2 of 3 answered."


def test_keys_after_the_mouse(browser: Any, tmp_path: Path) -> None:
    page = Page(browser, review_page(tmp_path, recordings(tmp_path / "rec", 1)), tmp_path / "downloads")
    page.script("document.getElementById('audio').muted = true")
    page.click("No, none")
    assert page.text("#about").startswith("2 of 3")
    browser.find_element("id", "automatic").click()
    assert not page.script("document.getElementById('automatic').checked")
    page.press("y")
    assert page.text("#about").startswith("3 of 3") and page.text(".state") == "2 of 3 answered."
    page.click("Next")
    browser.find_element("xpath", "//label[contains(., 'by itself')]").click()
    page.click("No, none")
    page.press(" ")  # plays, and does not press the button once more
    assert page.text("#about").startswith("3 of 3") and page.text(".state") == "2 of 3 answered."
    browser.find_element("id", "automatic").send_keys(" ")  # with the keyboard alone
    assert not page.script("document.getElementById('automatic').checked")
    assert page.script("document.activeElement.id") == "automatic"


def test_the_space_bar_plays(browser: Any, tmp_path: Path) -> None:
    page = Page(browser, review_page(tmp_path, recordings(tmp_path / "rec", 1)), tmp_path / "downloads")
    page.script("document.getElementById('audio').muted = true")  # plays without a loudspeaker
    page.press(" ")
    eventually(lambda: page.text("#play span") == "Stop", "it plays")
    eventually(lambda: page.script("document.querySelector('.head').style.left !== ''"), "the line moves")
    page.press(" ")
    eventually(lambda: page.text("#play span") == "Play", "it stops")
    assert page.script("document.getElementById('trouble').hidden")
    # The beep is in the middle second of two, and bright; its context is dark.
    code = """(() => {
      const canvas = document.querySelector("#spectrogram canvas"), { width, height } = canvas;
      const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
      const red = (x) => [...Array(height).keys()].map((y) => data[4 * (y * width + x)]);
      return [...Array(width).keys()].map((x) => Math.max(...red(x)));
    })()"""
    red = np.array(page.script(code))
    assert len(red) == 640 and (red[180:460] > 200).all() and red[:120].max() < 200 and red[520:].max() < 200


def test_progress_is_saved_and_loaded_and_names_are_harmless(browser: Any, tmp_path: Path) -> None:
    name = HOSTILE if os.name == "posix" else "ö, 1"
    name = name.replace("/", "_")
    table = recordings(tmp_path / name, 1).assign(label=HOSTILE)
    page = Page(browser, review_page(tmp_path, table, HOSTILE), tmp_path / "downloads")
    assert page.text("#question") == f"Is this {HOSTILE}?" and page.script("document.querySelectorAll('b').length") == 0
    page.press("y", "n")
    page.click("Save progress")
    saved = eventually(lambda: [*(tmp_path / "downloads").glob("*.json")], "it is saved")[0]
    assert len(json.loads(saved.read_text())["answers"]) == 2
    page.script("localStorage.clear()")
    browser.refresh()
    assert page.text(".state") == "0 of 3 answered."
    field = browser.find_element("css selector", "input[type=file]")
    page.script("document.querySelector('input[type=file]').hidden = false")
    (tmp_path / "wrong.json").write_text('{"format": "byola-hear answers 1", "answers": [[1, 2]]}')
    field.send_keys(str(tmp_path / "wrong.json"))
    eventually(lambda: "is not a file that" in page.text(".state"), "it is refused")
    counting = "function (...pair) { window.writes++; return set.apply(this, pair); }"
    patch = f"((set) => (Storage.prototype.setItem = {counting}))(Storage.prototype.setItem)"
    page.script(f"(window.writes = 0, {patch}, 0)")
    field.send_keys(str(saved))
    eventually(lambda: page.text(".state") == "2 answers loaded.", "it is loaded")
    # Thousands of answers, kept one by one, would stop the browser.
    assert page.script("window.writes") == 1
    assert len(json.loads(page.script("Object.values(localStorage)[0]"))["answers"]) == 2
    page.click("Download labels")
    (file,) = eventually(lambda: [*(tmp_path / "downloads").glob("*.csv")], "it is downloaded")
    downloaded(tmp_path / "downloads", file.name)
    found = labels.read(file)
    assert found["label"].tolist() == [HOSTILE, "noise"] and found["file"].tolist() == [table["file"][0]] * 2


def test_a_rejected_window_does_not_contradict_a_confirmed_one(browser: Any, tmp_path: Path) -> None:
    (file,) = set(recordings(tmp_path / "rec", 1)["file"])
    rows = [(file, 2.0, 3.0, "beep", 0.9), (file, 2.2, 3.2, "hiss", 0.8), (file, 2.9, 3.9, "newt", 0.4)]
    rows += [(file, 6.0, 7.0, "noise", 0.5)]
    table = pd.DataFrame(rows, columns=["file", "start", "end", "label", "score"])
    page = Page(browser, review_page(tmp_path, table), tmp_path / "downloads")
    page.press("y", "n", "n", "n")
    # Most of the hiss is the beep; of the newt, only its beginning is. That noise is none says nothing.
    assert page.rows("night.labels.csv")[1:] == [f"{file},2,3,beep", f"{file},2.9,3.9,noise"]
    assert page.text(".state").endswith("1 without a class left out, because a class was confirmed at the same place.")


@pytest.mark.skipif(os.name != "posix", reason="names of files are text on other systems")
def test_names_that_are_not_text_come_back(browser: Any, tmp_path: Path) -> None:
    file = os.fsdecode(os.fsencode(tmp_path) + b"/n\xff\xc3\xb6.wav")
    os.rename(write(tmp_path / "plain.wav", quiet(3.0)), file)
    table = pd.DataFrame({"file": pd.Series([file], dtype=object), "start": 1.0, "end": 2.0, "label": "owl"})
    page = Page(browser, review_page(tmp_path, table), tmp_path / "downloads")
    page.press("y")
    page.rows("night.labels.csv")
    assert labels.read(tmp_path / "downloads/night.labels.csv")["file"].tolist() == [file]


def test_a_map_takes_labels_and_shows_spectrograms(browser: Any, tmp_path: Path) -> None:
    from selenium.webdriver.common.keys import Keys

    table = recordings(tmp_path / "rec", 2)
    index = pd.MultiIndex.from_frame(table[["file", "start", "end"]])
    embeddings = pd.DataFrame(np.random.default_rng(0).normal(size=(len(table), 8)).astype(np.float32), index)
    given = ["beep", "hiss", "(no label)"] * 2

    def heard(file: str, start: float, end: float) -> str:
        return preview(file, start, end, 3.0)

    write_map(tmp_path / "map.html", embeddings, given, title="sounds", preview=heard)
    page = Page(browser, tmp_path / "map.html", tmp_path / "downloads")
    hidden = "document.getElementById('chosen').hidden"
    page.press(Keys.ARROW_RIGHT)  # without a click before
    assert not page.script(hidden)
    browser.find_element("css selector", "#near button").click()
    page.press(Keys.ESCAPE)
    assert page.script(hidden)
    browser.find_element("css selector", "#map").send_keys(Keys.ARROW_RIGHT)
    eventually(lambda: page.script("!document.getElementById('picture').hidden"), "its spectrogram is drawn")
    page.script("choose(0, false)")
    page.press("y")
    page.script("choose(1, false)")
    page.press("1")
    page.script("choose(2, false)")
    page.press("y")  # there is no label to confirm
    page.press("n", "z", "n")
    browser.refresh()
    assert page.text(".state") == "3 of 6 answered." and page.script("document.getElementById('yours').open")
    expected = [f"{table['file'][0]},{place},beep" for place in ("2,3", "6,7")] + [f"{table['file'][0]},10,11,noise"]
    assert page.rows("sounds.labels.csv")[1:] == expected
    canvas = browser.find_element("css selector", "#map")
    x, y = (value - canvas.size[side] / 2 for value, side in zip(page.script("pixels(3)"), ("width", "height")))
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).move_to_element_with_offset(canvas, round(x), round(y)).perform()
    eventually(lambda: not page.script("document.getElementById('tip-picture').hidden"), "a spectrogram on hover")
    assert re.match(r"1\.wav · 0:02\.00", page.text("#tip-text"))


def test_a_map_plays_a_window_to_its_end(browser: Any, tmp_path: Path) -> None:
    table = recordings(tmp_path / "rec", 1).assign(start=[1.0, 5.0, 9.0], end=[1.35, 5.35, 9.35])
    index = pd.MultiIndex.from_frame(table[["file", "start", "end"]])
    embeddings = pd.DataFrame(np.eye(3, dtype=np.float32), index)
    write_map(tmp_path / "map.html", embeddings, ["beep"] * 3)
    page = Page(browser, tmp_path / "map.html", tmp_path / "downloads")
    page.script("document.getElementById('audio').muted = true")
    # Without what browsers say four times a second, when a quarter of the next window was heard.
    page.script("document.addEventListener('timeupdate', (event) => event.stopImmediatePropagation(), true)")
    page.script("choose(1, false)")
    browser.find_element("id", "play").click()
    audio = "document.getElementById('audio')"
    eventually(lambda: page.script(f"{audio}.paused && {audio}.currentTime > 5"), "it has played")
    assert 5.3 < page.script(f"{audio}.currentTime") < 6


@pytest.mark.parametrize("browser", ["chromium"], indirect=True)
@pytest.mark.parametrize("width", [390, 900])
def test_the_help_of_a_map_hides_no_point(browser: Any, tmp_path: Path, width: int) -> None:
    metrics = {"width": width, "height": 500, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    table = recordings(tmp_path / "rec", 4)
    index = pd.MultiIndex.from_frame(table[["file", "start", "end"]])
    angles = np.linspace(0, 2 * np.pi, len(table), endpoint=False)
    circle = np.stack([1.05 * np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    embeddings = pd.DataFrame(circle, index)
    write_map(tmp_path / "map.html", embeddings, ["beep"] * len(table))
    page = Page(browser, tmp_path / "map.html", tmp_path / "downloads")
    lowest = max(page.script(f"pixels({point})[1]") for point in range(len(table)))
    covered = page.script("document.getElementById('help').offsetHeight")
    assert lowest + 10 < page.script("canvas.clientHeight") - covered
    assert (covered > 0) == (width == 900)


def test_the_label_stays_above_its_windows(browser: Any, tmp_path: Path) -> None:
    (file,) = set(recordings(tmp_path / "rec", 1)["file"])
    rows = [(file, place / 10, place / 10 + 0.1, label, 0.5) for label in ("beep", "hiss") for place in range(60)]
    table = pd.DataFrame(rows, columns=["file", "start", "end", "label", "score"])
    page = Page(browser, review_page(tmp_path, table), tmp_path / "downloads")
    shown = "document.elementFromPoint(list.getBoundingClientRect().left + 20, list.getBoundingClientRect().top + 12)"
    for scrolled, label in ((300, "beep"), (2500, "hiss")):
        page.script(f"(window.list = document.querySelector('nav'), list.scrollTop = {scrolled})")
        assert page.script(f"{shown}.textContent") == label


@pytest.mark.parametrize("browser", ["chromium"], indirect=True)
@pytest.mark.parametrize("width", [390, 1280])
def test_a_page_fits_its_window(browser: Any, tmp_path: Path, width: int) -> None:
    metrics = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    table = recordings(tmp_path / "rec", 1).assign(label="a_very_long_label_" * 8)
    page = Page(browser, review_page(tmp_path, table, "title" * 40), tmp_path / "downloads")
    assert page.script("document.documentElement.scrollWidth") == width
    assert page.script("document.querySelector('main').scrollWidth <= document.querySelector('main').clientWidth")
