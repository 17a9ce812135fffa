"""The report's page in real browsers: what it plays, and what it says of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from byola_hear.utils.html_file import html_file, link
from tests.browser import BROWSERS, eventually, opened
from tests.classification.sounds import quiet, write

pytestmark = pytest.mark.slow

AUDIO = "document.getElementById('audio')"


@pytest.fixture(params=BROWSERS)
def browser(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    with opened(request.param, tmp_path) as found:
        yield found


def report_page(path: Path) -> Path:
    """A page with two mistakes, in two recordings."""
    spans = {"a.wav": (1.0, 1.35), "b.wav": (5.0, 5.35)}
    mistakes = [
        {"file": file, "start": start, "end": end, "truth": ["owl"], "missed": True, "found": "owl", "score": 0.1}
        | {"link": link(str(write(path.parent / file, quiet(12.0))), path)}
        for file, (start, end) in spans.items()
    ]
    facts = {"examples": 2, "recordings": 2, "negatives": 0, "folds": 2, "method": "logistic", "strength": 1.0}
    facts |= {"window": 0.35, "network": "both", "precision": 0.9}
    data: dict[str, Any] = {"facts": facts, "notes": [], "classes": [], "names": [], "confusion": None, "confused": []}
    page = html_file("byola_hear.classification.report", "report", {**data, "mistakes": mistakes}, media="* data:")
    path.write_bytes(page)
    return path


def test_the_window_alone_is_heard(browser: Any, tmp_path: Path) -> None:
    browser.get(report_page(tmp_path / "report.html").as_uri())
    # Without what browsers say four times a second, when a quarter of what follows was heard.
    browser.execute_script(
        f"{AUDIO}.muted = true;"
        "document.addEventListener('timeupdate', (event) => event.stopImmediatePropagation(), true)"
    )
    browser.find_elements("css selector", "button")[1].click()
    state = f"return {AUDIO}.paused && {AUDIO}.currentTime > 5 && {AUDIO}.currentTime"
    assert 5.3 < eventually(lambda: browser.execute_script(state), "it has played") < 6


def test_another_choice_while_a_sound_is_on_its_way_is_no_trouble(browser: Any, tmp_path: Path) -> None:
    browser.get(report_page(tmp_path / "report.html").as_uri())
    browser.execute_script(
        f"{AUDIO}.muted = true; const other = document.querySelectorAll('button')[1];"
        f"{AUDIO}.addEventListener('play', () => other.click(), {{ once: true }})"
    )
    browser.find_element("css selector", "button").click()
    state = f"return {AUDIO}.paused && {AUDIO}.src.endsWith('b.wav') && {AUDIO}.currentTime > 5"
    eventually(lambda: browser.execute_script(state), "it has played")
    assert browser.execute_script("return document.getElementById('trouble').hidden")
    (tmp_path / "a.wav").write_bytes(b"no sound")
    browser.find_element("css selector", "button").click()
    eventually(lambda: browser.execute_script("return !document.getElementById('trouble').hidden"), "it is said")
