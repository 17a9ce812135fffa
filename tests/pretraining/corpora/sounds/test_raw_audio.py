from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from tests.pretraining.corpora.sounds.below import BYTES, RAMP, sounds_below


def test_bytes_of_drascula_are_unsigned(tmp_path: Path) -> None:
    (tmp_path / "1.ALS").write_bytes(BYTES)
    samples, rate = sounds_below(tmp_path)["1.ALS"].read(0.0, None)
    assert rate == 11025
    assert np.array_equal(samples[:, 0], RAMP / np.float32(128))


def test_gsm_prompts(tmp_path: Path) -> None:
    time = np.arange(8000) / 8000
    tone = (0.5 * np.sin(2 * np.pi * 400 * time)).astype(np.float32)
    soundfile.write(tmp_path / "p.gsm", tone, 8000, format="RAW", subtype="GSM610")
    samples, rate = sounds_below(tmp_path)["p.gsm"].read(0.0, None)
    assert rate == 8000
    assert len(samples) == 8000
    assert np.corrcoef(samples[:, 0], tone)[0, 1] > 0.99
