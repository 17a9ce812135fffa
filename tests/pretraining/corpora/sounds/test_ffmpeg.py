from __future__ import annotations

import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from byola_hear.pretraining.corpora.sounds import ffmpeg
from byola_hear.pretraining.corpora.sounds.sound import DecoderMissing, SoundError
from tests.pretraining.corpora.sounds.below import sounds_below


def _encode_g722(path: Path, samples: np.ndarray) -> bool:
    """Write a G.722 file with PyAV; False if it is not installed."""
    try:
        import av
    except ImportError:
        return False
    with av.open(str(path), "w", format="g722") as container:
        stream = container.add_stream("g722", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = 16000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return True


def test_g722_prompts_are_decoded(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    if not _encode_g722(tmp_path / "p.g722", tone):
        pytest.skip("PyAV is not installed")
    samples, rate = sounds_below(tmp_path)["p.g722"].read(0.0, None)
    assert (rate, samples.shape[1]) == (16000, 1)
    assert abs(len(samples) - 16000) < 400
    spectrum = np.abs(np.fft.rfft(samples[:16000, 0], 16000))
    assert spectrum.argmax() == 1000


def test_program_ffmpeg_is_preferred(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if shutil.which("sh") is None:
        pytest.skip("needs a shell")
    program = tmp_path / "ffmpeg"
    # An AU file: where the samples begin, length unknown, floating point, 8000 Hz, mono; one sample of 0.5.
    written = "".join(f"\\{byte:03o}" for byte in struct.pack(">4s5If", b".snd", 24, 0xFFFFFFFF, 6, 8000, 1, 0.5))
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *"-f g722 -i "*good.g722*) printf \'{written}\';; *) echo no >&2; exit 1;; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for name in ("good.g722", "bad.g722"):
        (tmp_path / name).write_bytes(bytes(8))
    samples, rate = ffmpeg.decode(tmp_path / "good.g722")
    assert (samples.tolist(), rate) == ([[0.5]], 8000)
    with pytest.raises(SoundError, match=r"^bad\.g722: .*no"):
        ffmpeg.decode(tmp_path / "bad.g722")


def test_missing_decoder_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    (tmp_path / "p.g722").write_bytes(bytes(800))
    with pytest.raises(DecoderMissing, match=r"p\.g722.*ffmpeg.*PyAV"):
        sounds_below(tmp_path)["p.g722"].read(0.0, None)
