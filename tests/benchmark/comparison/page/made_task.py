"""A small task for maps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile


def write_task(folder: Path, labels: int, event: bool = False) -> Path:
    """A small task in HEAR's layout: tones, two a label. Its content is called as it is."""
    sounds = folder / "16000" / "test"
    sounds.mkdir(parents=True)
    truth: dict[str, Any] = {}
    for index in range(2 * labels):
        name, label = f"{index}.wav", f"label {index % labels}"
        tone = np.sin(np.arange(8000) * (index % labels + 1) * 0.05) * 0.1
        soundfile.write(sounds / name, tone, 16000)
        truth[name] = [{"label": label, "start": 100.0, "end": 300.0}] if event else [label]
    truth["both.wav"] = [] if event else ["label 0", "label 1"]
    metadata = {"split_mode": "trainvaltest", "splits": ["train", "valid", "test"], "content_sha256": folder.name}
    (folder / "task_metadata.json").write_text(json.dumps(metadata))
    (folder / "test.json").write_text(json.dumps(truth))
    return folder
