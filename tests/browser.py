"""Real browsers for tests of pages, driven by Selenium."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

BROWSERS = ("chromium", "firefox")
_PROGRAMS = {"chromium": ("chromium", "chromium-browser", "google-chrome"), "firefox": ("firefox", "firefox-esr")}
_DRIVERS = {"chromium": "chromedriver", "firefox": "geckodriver"}


@contextmanager
def opened(kind: str, downloads: Path, width: int = 1280) -> Iterator[Any]:
    """Start a browser without a window, which saves downloads in a folder; skip the test where there is none.

    Args:
        kind: one of :data:`BROWSERS`.
        downloads: an existing folder.
        width: width of the window in pixels.
    """
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium, which drives browsers, is not installed")
    program = next(filter(None, map(shutil.which, _PROGRAMS[kind])), None)
    driver = shutil.which(_DRIVERS[kind])
    if program is None or driver is None:
        pytest.skip(f"{kind if program is None else _DRIVERS[kind]} is not installed")
    if kind == "chromium":
        options = webdriver.ChromeOptions()
        for argument in (
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--mute-audio",
            f"--window-size={width},900",
        ):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    else:
        options = webdriver.FirefoxOptions()
        options.add_argument("-headless")
        options.set_preference("browser.download.folderList", 2)
        options.set_preference("browser.download.dir", str(downloads))
        options.set_preference("browser.download.alwaysOpenPanel", False)  # it would take the focus
    options.binary_location = program
    make = {"chromium": webdriver.Chrome, "firefox": webdriver.Firefox}[kind]
    service = {"chromium": webdriver.ChromeService, "firefox": webdriver.FirefoxService}[kind]
    browser = make(options=options, service=service(driver))
    try:
        browser.set_window_size(width, 900)
        yield browser
        if kind == "chromium":
            assert browser.get_log("browser") == []
    finally:
        browser.quit()


def eventually(condition: Callable[[], Any], what: str, seconds: float = 20.0) -> Any:
    """Wait until a condition holds, and return what it gave."""
    give_up = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < give_up, f"not within {seconds:g} s: {what}"
        time.sleep(0.05)
    return found


def downloaded(folder: Path, name: str) -> Path:
    """The file of a name that the browser is saving, once it is complete."""
    path = folder / name

    def complete() -> bool:
        parts = [*folder.glob("*.crdownload"), *folder.glob("*.part")]
        return path.is_file() and path.stat().st_size > 0 and not parts

    eventually(complete, f"{name} in {[path.name for path in folder.iterdir()]}")
    return path
