from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from byola_hear.pretraining.data.build_cache import build_cache
from byola_hear.pretraining.data.collect import build_manifest
from byola_hear.pretraining.data.manifest import read_manifest, write_manifest
from byola_hear.pretraining.data.packing import PackSource, pack, unpack

CPU = torch.device("cpu")


@pytest.fixture
def sources(tmp_path: Path) -> list[PackSource]:
    """Two sets that share half of their clips; one file is damaged."""
    random = np.random.default_rng(0)
    for i in range(6):
        level = 0.5 * random.random()
        soundfile.write(tmp_path / f"{i}.wav", level * random.standard_normal(16000 + 800 * i).clip(-1, 1), 16000)
    clips = build_manifest([tmp_path], tmp_path / "all.csv", kind="effects")
    (tmp_path / "2.wav").write_bytes(b"damaged")
    found = []
    for name, part in (("first", clips[:4]), ("second", clips[2:])):
        write_manifest(part, tmp_path / f"{name}.csv")
        cache = build_cache(tmp_path / f"{name}.csv", tmp_path / f"{name}.cache")
        found.append(PackSource(name, tmp_path / f"{name}.csv", tmp_path / f"{name}.cache", cache))
    return found


def test_unpacked_sets_are_the_packed_ones(sources: list[PackSource], tmp_path: Path) -> None:
    *pieces, index = pack(sources, tmp_path / "packed", piece_bytes=12_000)
    assert len(pieces) > 1
    assert all(piece.stat().st_size <= 12_000 for piece in pieces)
    sets = unpack(tmp_path / "packed", CPU)
    stored = json.loads(index.read_text())
    assert len(stored["lengths"]) == 5
    step = (stored["high"] - stored["low"]) / 255
    for source in sources:
        cache, expected = sets[source.name], source.cache
        assert (cache.mean, cache.std, cache.kinds, cache.info) == (
            expected.mean, expected.std, expected.kinds, expected.info
        )  # fmt: skip
        assert torch.equal(cache.lengths, expected.lengths)
        for first, first_expected, length in zip(cache.starts, expected.starts, cache.lengths):
            got = cache.frames[first : first + length].float()
            wanted = expected.frames[first_expected : first_expected + length].float()
            assert float((got - wanted).abs().max()) <= step / 2 + 0.01
    assert sets["first"].frames is sets["second"].frames
    assert len(read_manifest(sources[0].manifest)) == len(sets["first"].lengths) + 1


def test_missing_and_damaged_pieces_are_named(sources: list[PackSource], tmp_path: Path) -> None:
    piece, *_, index = pack(sources, tmp_path / "packed", piece_bytes=12_000)
    content = piece.read_bytes()
    piece.write_bytes(content[:-1] + b"x")
    with pytest.raises(ValueError, match=r"piece000\.z: damaged"):
        unpack(tmp_path / "packed", CPU)
    piece.unlink()
    with pytest.raises(FileNotFoundError, match=r"pieces are missing; the first: piece000\.z"):
        unpack(tmp_path / "packed", CPU)
    index.write_text("{}")
    with pytest.raises(ValueError, match="not an index"):
        unpack(tmp_path / "packed", CPU)
    with pytest.raises(ValueError, match="pieces that hold the longest row"):
        pack(sources, tmp_path / "small", piece_bytes=1000)
    with pytest.raises(ValueError, match="different names, got first, first"):
        pack([sources[0], sources[0]], tmp_path / "twice", piece_bytes=12_000)
