"""The page contains its data safely, loads nothing, and draws itself in a browser."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmark.comparison.command import write_comparison
from byola_hear.models.model import ByolaModel
from tests.benchmark.comparison.page.made_task import write_task

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
