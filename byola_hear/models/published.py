"""The published checkpoints of BYOL-A: how to recognise them, and what their files do not say.

Their licence allows evaluation only. None of them is part of this package.

Source:
    The configuration files and readmes of https://github.com/nttcslab/byol-a. Both versions were trained on log-mel
    spectrograms of the Slaney scale: v1 with librosa, v2 with nnAudio. The statistics are those that the readme of v2
    states for Speech Commands V2; the authors compute them on the data that a network is used for.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from byola_hear.models.frontend import FrontendConfig

#: The licence of all of them.
LICENCE = "LicenseRef-NTT-evaluation-only"


@dataclass(frozen=True)
class Preset:
    """What a published checkpoint does not say about itself.

    Attributes:
        frontend: front end that it was trained with.
        mean: mean of the log-mel.
        std: standard deviation of the log-mel.
        n_blocks: convolution blocks of its network.
        about: where the values come from.
    """

    frontend: FrontendConfig
    mean: float
    std: float
    n_blocks: int
    about: str


_ABOUT = "Slaney front end; statistics of Speech Commands V2 as its authors state them"

#: By name.
PRESETS = {
    "v1": Preset(FrontendConfig(), -9.660292, 4.7219563, 3, _ABOUT),
    "v2": Preset(FrontendConfig(), -9.660292, 4.7219563, 2, _ABOUT),
}

#: Front ends by name: those of BYOL-A, of its demonstration with torchaudio, and of BYOL-S.
FRONTENDS = {
    "slaney": FrontendConfig(),
    "htk": FrontendConfig(mel_scale="htk", mel_norm="none"),
    "htk-400": FrontendConfig(window_length=400, mel_scale="htk", mel_norm="none"),
}

#: File names and presets of the published checkpoints, by the ids of their contents in Git.
PUBLISHED = {
    "314a35a543ddca60f175addfa6fbeecb56e1944a": ("AudioNTT2020-BYOLA-64x96d512", "v1"),
    "1c04492d54707e53f04fb664ec6bf3ec655d47f0": ("AudioNTT2020-BYOLA-64x96d1024", "v1"),
    "dd93cab283451ad67baff974933aa122d4a8fa24": ("AudioNTT2020-BYOLA-64x96d2048", "v1"),
    "7e081bb05e8e1e620a13fa21f36a9fa4a973b1c3": ("AudioNTT2022-BYOLA-64x96d2048", "v2"),
}


def git_id(path: str | os.PathLike[str]) -> str:
    """Compute the id that Git gives to the contents of a file: the SHA-1 of its size and its bytes."""
    path = Path(path)
    digest = hashlib.sha1(f"blob {path.stat().st_size}\0".encode(), usedforsecurity=False)
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def recognise(path: str | os.PathLike[str]) -> tuple[str, str] | None:
    """Recognise a published checkpoint by its contents, whatever it is called.

    Args:
        path: a file.

    Returns:
        Name of the checkpoint and of its preset; None if it is none of :data:`PUBLISHED`.
    """
    return PUBLISHED.get(git_id(path))
