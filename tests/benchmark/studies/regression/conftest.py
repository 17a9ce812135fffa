"""Labelled sets for the regression study."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

RATE = 16000


@pytest.fixture(scope="package")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with orchestral_notes.tar: tones of two instruments, twelve pitches and three dynamics, louder ones
    for louder dynamics."""
    folder = tmp_path_factory.mktemp("notes")
    rows = ["file,label,midi_pitch,dynamics,split,note"]
    with tarfile.open(folder / "orchestral_notes.tar", "w") as tar:

        def add(name: str, data: bytes) -> None:
            member = tarfile.TarInfo(f"orchestral_notes/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))

        for instrument, partials in (("flute", 1), ("oboe", 5)):
            for place, pitch in enumerate(range(57, 69)):
                for step, dynamics in enumerate(("pianissimo", "mezzo-piano", "fortissimo")):
                    phase = 2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * np.arange(4000) / RATE
                    tone = sum(np.sin(phase * each) / each for each in range(1, partials + 1))
                    stream = io.BytesIO()
                    soundfile.write(stream, 0.02 * 4**step * tone / 2, RATE, format="WAV", subtype="PCM_16")
                    name = f"{instrument}-{pitch}-{step}.wav"
                    add(f"audio/{name}", stream.getvalue())
                    split = ("train", "train", "valid", "test")[place % 4]
                    rows.append(f"{name},{instrument},{pitch},{dynamics},{split},{instrument}_{pitch}")
        add("manifest.csv", "\n".join(rows).encode())
    return folder
