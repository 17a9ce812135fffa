from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from byola_hear.pretraining.corpora.textures import FAMILIES, texture, write_textures
from byola_hear.pretraining.data.manifest import read_manifest
from tests.pretraining.corpora.known import run_corpora


@pytest.mark.parametrize("index", range(12))
def test_texture_is_a_sound_and_depends_on_index_and_seed_alone(index: int) -> None:
    family, pcm = texture(index, seed=1)
    assert family == list(FAMILIES)[index % 4]
    assert len(pcm) == 160_000
    assert 1000 < np.abs(pcm.astype(np.int32)).max() <= 32767
    # Sound everywhere, but for what is struck now and then.
    tenths = np.abs(pcm.reshape(10, -1).astype(np.int32)).max(axis=1)
    assert (tenths > 10).mean() >= (0.2 if family == "struck" else 0.9)
    assert np.array_equal(texture(index, seed=1)[1], pcm)
    assert not np.array_equal(texture(index, seed=2)[1], pcm)


def test_textures_become_a_kind_of_a_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("byola_hear.pretraining.corpora.build._detector", lambda: None)
    assert run_corpora("synthesise", "-o", tmp_path / "textures", "--hours", 0.0112)[0] == 0
    code, output = run_corpora("build", tmp_path / "textures", "--set", "nonspeech", "-o", tmp_path / "out")
    assert code == 0, output
    clips = read_manifest(tmp_path / "out" / "manifest.csv")
    assert [(clip.kind, clip.licence) for clip in clips] == [("textures", "CC0-1.0")] * 4
    with pytest.raises(ValueError, match="expected at least"):
        write_textures(tmp_path / "none", 0.0, 0)


def test_fewer_textures_replace_more(tmp_path: Path) -> None:
    write_textures(tmp_path, 40 / 3600, seed=0)
    (tmp_path / "00009_wind.flac").write_bytes(b"mine")
    write_textures(tmp_path, 20 / 3600, seed=0)
    names = ["00000_noise.flac", "00001_grains.flac", "00009_wind.flac", "manifest.csv"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert len((tmp_path / "manifest.csv").read_text().splitlines()) == 3
