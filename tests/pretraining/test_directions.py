"""Directions of audio: the clips that they are computed of, what they are, and the command."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from byola_hear.extraction.clips import Clip
from byola_hear.models import zoo
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.directions import read_directions
from byola_hear.models.loading import load_checkpoint, load_named
from byola_hear.models.model import ByolaModel
from byola_hear.models.zoo import add_to_zoo
from byola_hear.pretraining.commands import directions as directions_command
from byola_hear.pretraining.directions import clips_of, drawn, principal_directions, stability
from tests.models.small import small_model
from tests.pretraining.running import run


def correlated(n: int, seed: int = 0) -> np.ndarray:
    """Embeddings of 8 dimensions with three hidden causes, the first the strongest; one dimension is constant."""
    rng = np.random.default_rng(seed)
    causes = rng.normal(size=(n, 3)) * [4, 2, 1]
    mixing = np.linalg.qr(np.random.default_rng(9).normal(size=(7, 7)))[0][:3]
    x = causes @ mixing + rng.normal(0, 0.01, (n, 7))
    return np.column_stack([x * 3 + 1, np.full(n, 5.0)]).astype(np.float32)


def test_directions_are_uncorrelated_and_ordered() -> None:
    embeddings = correlated(500)
    directions = principal_directions(embeddings, "ab", 3)
    short = directions(torch.from_numpy(embeddings)).double().numpy()
    assert np.abs(np.corrcoef(short.T) - np.eye(3)).max() < 0.01
    deviations = short.std(0)
    assert (np.diff(deviations) < 0).all()
    # Halfway to whitening: divided by the square root of the deviation.
    along = deviations / directions.scale.numpy()
    np.testing.assert_allclose(deviations, np.sqrt(along), rtol=1e-3)
    # Six clips differ in five directions.
    assert principal_directions(embeddings[:6], "ab").count == 5


def test_the_same_clips_give_the_same_directions() -> None:
    one, other = (principal_directions(correlated(200), "ab") for _ in range(2))
    assert one.fingerprint() == other.fingerprint()


def test_embeddings_without_directions_are_refused() -> None:
    for embeddings in (np.ones((5, 4)), np.ones((1, 4)), np.full((5, 4), np.nan)):
        with pytest.raises(ValueError, match="embeddings"):
            principal_directions(embeddings.astype(np.float32), "ab")


def test_halves_of_many_clips_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("byola_hear.pretraining.directions.SIZES", (2, 3, 64))
    two, three = stability(correlated(2000), 0)
    assert (two.count, three.count) == (2, 3)
    assert 0.5 < two.variance <= two.best + 1e-9 and two.best < three.best <= 1
    assert two.cosines > 0.99 and three.cosines > 0.99
    assert [each.count for each in stability(correlated(2000), 0, count=2)] == [2]


def test_clips_of_manifests_and_folders_are_cut(tmp_path: Path, clips_folder: Path) -> None:
    manifest = "path,start_s,end_s,duration_s,kind\na.wav,,,9,speech\nb.wav,2,12,10,\nc.wav,,,1,music\n"
    (tmp_path / "m.csv").write_text(manifest)
    found = clips_of(tmp_path / "m.csv", 5)
    names = [str(tmp_path / name) for name in ("a.wav", "b.wav", "c.wav")]
    expected = [Clip(names[0], 0, 5), Clip(names[1], 2, 7), Clip(names[2])]
    assert found == list(zip(expected, ["speech", "other", "music"], strict=True))
    ends = {Path(clip.file).name: clip.end for clip, _ in clips_of(clips_folder, 1.0)}
    assert ends["speech_english_8k.wav"] == 1.0 and ends["shutter_stereo_96k.ogg"] is None


def test_sets_give_equally_many_clips() -> None:
    one, other = ([(Clip(f"{name}{number}"), name) for number in range(50)] for name in ("a", "b"))
    clips, kinds = drawn([one, other], 20, 0)
    assert kinds == {"a": 10, "b": 10} and len(set(clips)) == 20
    assert drawn([one, other], 20, 0)[0] == clips != drawn([one, other], 20, 1)[0]
    assert drawn([one, other[:3]], 20, 0)[1] == {"a": 10, "b": 3}


def test_the_command_writes_next_to_a_checkpoint(
    tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_checkpoint(tmp_path / "mine.safetensors", small_model("mine"), torch.float32)
    assert run("directions", tmp_path / "mine.safetensors", tones, "--clips", "3", "--seconds", "0.5") == 0
    out = capsys.readouterr().out
    assert "mine.directions.safetensors: 2 directions of mine 2.0, 3 clips" in out and "; 13 need more clips" in out
    origin = read_directions(tmp_path / "mine.directions.safetensors").origin
    assert (origin["clips"], origin["seconds"], origin["seed"]) == (3, 0.5, 42)
    assert load_checkpoint(tmp_path / "mine.safetensors", dimensions=2).scene_embedding_size == 2


def test_the_command_writes_into_a_folder_of_the_hubs_layout(
    tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small_model("mine").save_pretrained(tmp_path, dtype=torch.float32)
    assert run("directions", tmp_path / "model.safetensors", tones, "--clips", "3", "--seconds", "0.5") == 0
    assert f"{tmp_path / 'directions.safetensors'}: 2 directions" in capsys.readouterr().out
    assert ByolaModel.from_pretrained(tmp_path, dimensions=2).scene_embedding_size == 2
    assert load_checkpoint(tmp_path / "model.safetensors", dimensions=2).scene_embedding_size == 2


def test_a_repository_has_no_place_for_directions(
    tones: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(directions_command, "resolve", lambda name: small_model("mine"))
    assert run("directions", "hf://organisation/name", tones, "--clips", "3", "--seconds", "0.5") == 2
    assert "expected a name or the path of a checkpoint, next to which directions can be" in capsys.readouterr().err


def test_the_command_enters_them_into_the_zoo(
    tones: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    add_to_zoo(small_model("speech"), tmp_path)
    for module in (zoo, __import__("byola_hear.pretraining.commands.directions", fromlist=["zoo_folder"])):
        monkeypatch.setattr(module, "zoo_folder", lambda: tmp_path)
    assert run("directions", "speech", tones, "--clips", "3", "--seconds", "0.5") == 0
    assert load_named("speech", tmp_path, 2).scene_embedding_size == 2


def test_unreadable_clips_write_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_checkpoint(tmp_path / "mine.safetensors", small_model("mine"))
    (tmp_path / "sounds").mkdir()
    for name in ("a.wav", "b.wav"):
        (tmp_path / "sounds" / name).write_bytes(b"nothing")
    assert run("directions", tmp_path / "mine.safetensors", tmp_path / "sounds") == 1
    assert "only 0 of 2 clips could be read; nothing was written" in capsys.readouterr().err
    assert not (tmp_path / "mine.directions.safetensors").exists()


def test_one_clip_is_not_enough(tones: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    save_checkpoint(tmp_path / "mine.safetensors", small_model("mine"))
    assert run("directions", tmp_path / "mine.safetensors", tones / "tone00.wav") == 2
    assert capsys.readouterr().err == "error: expected at least 2 clips to compute directions of, got 1\n"
