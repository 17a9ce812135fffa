"""Make ``review.png``, the picture of the guide to reviewing: a page about real sounds, in Chromium.

Run from the top of a checkout: ``python docs/images/review.py``. It needs selenium, Chromium with its driver, and
Pillow. The sounds are the clips in ``tests/data``, whose sources and licences are in ``tests/data/LICENCES.md``.
"""

from __future__ import annotations

import shutil
import tempfile
from io import BytesIO
from pathlib import Path

import pandas as pd
from PIL import Image
from selenium import webdriver

from byola_hear.analysis.listening.sounds import with_context
from byola_hear.analysis.review import merged, write_review

HERE = Path(__file__).resolve().parent
CLIPS = HERE.parents[1] / "tests" / "data"
#: The windows: clip, start and end in s, label, score, and the key that answers it.
WINDOWS = (
    ("ambience_stereo_48k.opus", 0.3, 0.8, "bird", 0.41, "n"),
    ("piano_stereo_44k.mp3", 0.2, 0.9, "piano", 0.97, "y"),
    ("drum_stereo_44k.flac", 0.1, 0.5, "piano", 0.62, ""),
    ("speech_french_16k.wav", 0.4, 1.3, "voice", 0.93, ""),
    ("speech_english_8k.wav", 0.3, 0.9, "voice", 0.88, "y"),
    ("shutter_stereo_96k.ogg", 0.1, 0.4, "voice", 0.35, "n"),
)
#: The window that is shown.
SHOWN = 3


def main() -> None:
    """Write the page, answer some of the windows and take the picture."""
    rows = [(str(CLIPS / file), start, end, label, score) for file, start, end, label, score, _ in WINDOWS]
    table = merged(pd.DataFrame(rows, columns=["file", "start", "end", "label", "score"]))
    keys = {(label, score): key for *_, label, score, key in WINDOWS}
    options = webdriver.ChromeOptions()
    for argument in ("--headless=new", "--no-sandbox", "--window-size=1100,760", "--hide-scrollbars"):
        options.add_argument(argument)
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder, "night.html")
        labels = sorted(set(table["label"]))
        write_review(page, table, lambda *window: with_context(*window, 1.0), labels, title="night")
        browser = webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver")))
        try:
            browser.get(page.as_uri())
            browser.execute_script("document.getElementById('automatic').click()")
            body = browser.find_element("css selector", "body")
            entries = browser.find_elements("css selector", "#list button")
            for entry, label, score in zip(entries, table["label"], table["score"], strict=True):
                entry.click()
                body.send_keys(keys[label, score])
            shown = table.index[table["score"] == WINDOWS[SHOWN][4]][0]
            browser.execute_script(f"show({shown})")
            browser.execute_async_script("setTimeout(arguments[0], 1000)")
            picture = browser.get_screenshot_as_png()
        finally:
            browser.quit()
    # With a palette the file takes a third of the space.
    Image.open(BytesIO(picture)).convert("RGB").quantize(255).save(HERE / "review.png", optimize=True)


if __name__ == "__main__":
    main()
