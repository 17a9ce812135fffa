"""A catalogue, its packages and a speech detector, made small for the tests."""

from __future__ import annotations

import numpy as np
from click.testing import CliRunner
from numpy.typing import NDArray

from byola_hear.pretraining.commands.corpora import corpora
from byola_hear.pretraining.corpora.catalogue.corpus import Corpus
from tests.pretraining.corpora.made_formats import queen_file
from tests.pretraining.corpora.samples import noise, wav

GAME = "usr/share/games/game"


#: A constant, which the detector of the tests takes for speech.
SPOKEN = np.full(8000, 0.25, np.float32)


KNOWN = (
    Corpus("game-speech", "speech", "CC0-1.0", "a game", keep="/voices/", group=r"/voices/(\w+)/"),
    Corpus("flight-of-the-amazon-queen", "speech", "CC0-1.0", "voices", keep=r"queen\.1c/", group=r"queen\.1c/(..)"),
    Corpus("known", "speech", "CC-BY-4.0", "a tar", origin="https://example.org/known"),
    Corpus("game-data", "effects", "GPL-2.0-or-later", "a game"),
    Corpus("more-data", "effects", "GPL-2.0-or-later", "a game"),
    Corpus("some-music", "music", "CC-BY-SA-3.0", "music"),
    Corpus("gone-data", "effects", "GPL-2.0-or-later", "not there any more"),
)


def package_files(files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"./{GAME}/{name}": content for name, content in files.items()}


PACKAGES = {
    "game-speech": package_files(
        {
            "voices/anna/1.wav": wav(noise(1.0, seed=1)),
            "voices/anna/2.wav": wav(noise(0.5, 22050, seed=2), 22050),
            "voices/bert/1.wav": wav(noise(1.0, seed=1)),
            "voices/bert/2.ogg": wav(noise(0.8, seed=3), form="OGG"),
            "sounds/bang.wav": wav(noise(1.0, seed=4)),
        }
    ),
    "flight-of-the-amazon-queen": package_files(
        {"queen.1c": queen_file({f"0{i}A.SB": wav(noise(1.0, 22050, i), 22050, "MP3") for i in range(3)})}
    ),
    "game-data": package_files(
        {
            "sounds/bang.wav": wav(noise(2.0, seed=5)),
            "sounds/said.wav": wav(SPOKEN),
            "voices/hello.wav": wav(noise(1.0, seed=6)),
            "ambient/rain.wav": wav(np.concatenate([noise(60.0, 2000, 7), SPOKEN[:1000], noise(20.0, 2000, 8)]), 2000),
            "sounds/broken.wav": b"broken",
            "sounds/quiet.wav": wav(np.zeros(16000, np.float32)),
            "music/title.wav": wav(noise(100.0, 2000, 9), 2000),
        }
    ),
    "more-data": package_files({"bang.wav": wav(noise(2.0, seed=5)), "boom.wav": wav(noise(3.0, seed=10))}),
    "some-music": package_files({f"{i}.flac": wav(noise(130.0, 2000, 20 + i), 2000, "FLAC") for i in range(2)}),
}


def constant_is_speech(pcm: NDArray[np.int16]) -> NDArray[np.float32]:
    """A detector for the tests: a frame of one value is speech."""
    frames = np.pad(pcm, (0, -len(pcm) % 512), mode="edge").reshape(-1, 512).astype(np.int32)
    return ((np.ptp(frames, axis=1) == 0) & (frames[:, 0] != 0)).astype(np.float32)


def run_corpora(*arguments: object) -> tuple[int, str]:
    """Run a command of ``corpora`` and return its exit code and output."""
    result = CliRunner().invoke(corpora, [str(argument) for argument in arguments])
    if isinstance(result.exception, ValueError):
        return 2, str(result.exception)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, result.output
