"""The page that classifies sounds in a browser: in Chromium and Firefox, with onnxruntime-web, as a user operates it.

It needs the npm package ``onnxruntime-web``, whose folder is looked for in ``BYOLA_ORT_WEB`` and fetched with npm
otherwise.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

import byola_hear
from tests.browser import BROWSERS, eventually, opened

pytest.importorskip("onnxruntime")
pytest.importorskip("sklearn")
pytestmark = pytest.mark.slow

#: The files that the page and the runtime load.
RUNTIME = ("ort.wasm.min.js", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/favicon.ico":  # asked for by browsers; a missing one is an error in their log
            self.send_response(204)
            self.end_headers()
        else:
            super().do_GET()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page with its runtime on a server; the address."""
    folder = tmp_path_factory.mktemp("site")
    given = os.environ.get("BYOLA_ORT_WEB")
    package = Path(given) if given else folder / "node_modules" / "onnxruntime-web"
    if not given:
        if shutil.which("npm") is None:
            pytest.skip("npm is not installed")
        asked = subprocess.run(["npm", "install", "onnxruntime-web"], cwd=folder, capture_output=True, text=True)
        if asked.returncode:
            pytest.skip(f"npm can't install onnxruntime-web: {asked.stderr.strip().splitlines()[-1:]}")
    for name in RUNTIME:
        shutil.copy(package / "dist" / name, folder)
    shutil.copy(Path(__file__).parents[2] / "examples" / "browser" / "index.html", folder)
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/index.html"
    server.shutdown()


@pytest.fixture(params=BROWSERS)
def page(site: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    """The page in a browser."""
    with opened(request.param, tmp_path) as browser:
        browser.get(site)
        yield browser
        logged(browser)  # the runtime may warn, and says what is wrong with a file


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory, clips_folder: Path) -> Path:
    """Speech against music, learned from real clips; its file, with the ONNX file next to it."""
    from byola_hear.classification.exporting import export_classifier
    from byola_hear.sklearn import ByolaClassifier

    if not byola_hear.list_models():
        pytest.skip("no networks in weights/")
    path = tmp_path_factory.mktemp("classifier") / "speech.safetensors"
    names = ["speech_english_8k.wav", "speech_french_16k.wav", "piano_stereo_44k.mp3", "drum_stereo_44k.flac"]
    fitted = ByolaClassifier().fit([str(clips_folder / name) for name in names], ["speech"] * 2 + ["music"] * 2)
    fitted.save(path)
    export_classifier(byola_hear.load_model(), fitted.classifier_, path.with_suffix(".onnx"))
    return path


def rows_of(page: Any, wanted: str) -> list[list[str]]:
    """The cells of the table's rows, once the status says what is wanted."""
    found = f"return document.getElementById('status').textContent.includes({wanted!r})"
    eventually(lambda: page.execute_script(found), f"a status with {wanted!r}", 120.0)
    cells = "[...document.querySelectorAll('#scores tr')].map(row => [...row.cells].map(cell => cell.textContent))"
    rows: list[list[str]] = page.execute_script(f"return {cells}")
    return rows


def logged(page: Any) -> list[Any]:
    """The errors that were logged since the last call; Firefox has none to give."""
    found = page.get_log("browser") if page.name == "chrome" else []
    return [entry for entry in found if entry["level"] == "SEVERE"]


def choose(page: Any, name: str, file: Path) -> None:
    """Choose a file in a field of the page."""
    page.find_element("id", name).send_keys(str(file))


def test_the_browser_finds_what_predict_finds(page: Any, classifier: Path, clips_folder: Path, tmp_path: Path) -> None:
    # Longer than a pass of the page; 16 kHz, so that the browser resamples nothing.
    pieces = [byola_hear.audio.read_audio(clips_folder / name, 16000) for name in ("speech_french_16k.wav",)]
    pieces.append(byola_hear.audio.read_audio(clips_folder / "piano_stereo_44k.mp3", 16000))
    soundfile.write(tmp_path / "long.wav", np.tile(np.concatenate(pieces), 18), 16000, "PCM_16")
    choose(page, "model", classifier.with_suffix(".onnx"))
    choose(page, "audio", tmp_path / "long.wav")
    head, *rows = rows_of(page, "windows of")
    assert head == ["start s", "end s", "music", "speech"]
    expected = byola_hear.predict(tmp_path / "long.wav", classifier, threshold=0.0, merge=False)
    wide = expected.pivot_table(index=["start", "end"], columns="label", values="score").reset_index()
    assert len(rows) == len(wide) > 60
    given = np.array(rows, float)
    np.testing.assert_allclose(given[:, :2], wide[["start", "end"]], atol=2e-3)
    differences = np.abs(given[:, 2:] - wide[["music", "speech"]].to_numpy())
    # Where the first pass ends, a window lacks the sound beyond the cut; later frames lie elsewhere in time.
    first = given[:, 0] < 57
    assert differences[first].max() < 1e-3 and differences.max() < 0.05
    page.find_element("id", "all").click()
    assert 0 < len(page.find_elements("css selector", "#scores .found")) < 2 * len(rows)
    assert logged(page) == []


def test_what_is_no_classifier_is_one_line(page: Any, classifier: Path, clips_folder: Path) -> None:
    choose(page, "model", clips_folder / "piano_stereo_44k.mp3")
    assert rows_of(page, "Error: ") == []
    choose(page, "model", classifier.with_suffix(".onnx"))
    choose(page, "audio", classifier)
    assert rows_of(page, "Error: ") == []
    choose(page, "audio", clips_folder / "piano_stereo_44k.mp3")
    assert len(rows_of(page, "windows of")) > 1
