"""Manifests and a labelled set for the size study."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from byola_hear.pretraining.data.manifest import ManifestClip, write_manifest

RATE = 16000


@pytest.fixture(scope="package")
def sounds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two manifests of eight seconds each, and drum_strokes.tar: tones of three pitches."""
    folder = tmp_path_factory.mktemp("sounds")
    rng = np.random.default_rng(0)
    for kind in ("speech", "nonspeech"):
        clips = []
        for number in range(4):
            name = f"{kind}{number}.wav"
            soundfile.write(folder / name, 0.1 * rng.standard_normal(2 * RATE), RATE)
            clips.append(ManifestClip(name, 2.0, RATE, kind=kind))
        write_manifest(clips, folder / f"{kind}.csv")
    rows = ["file,label,split,stroke,microphone"]
    with tarfile.open(folder / "drum_strokes.tar", "w") as tar:

        def add(name: str, data: bytes) -> None:
            member = tarfile.TarInfo(f"drum_strokes/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))

        for stroke in range(48):
            tone = np.sin(np.arange(4000) * 2 * np.pi * 300 * 3 ** (stroke % 3) / RATE)
            stream = io.BytesIO()
            soundfile.write(stream, 0.3 * tone + 0.003 * rng.standard_normal(4000), RATE, format="WAV")
            add(f"audio/{stroke}.wav", stream.getvalue())
            split = ("train", "train", "valid", "test")[stroke // 3 % 4]
            rows.append(f"{stroke}.wav,{'abc'[stroke % 3]},{split},{stroke},1")
        add("manifest.csv", "\n".join(rows).encode())
    return folder
