"""Short vectors: what they are, which network they belong to, and that their files are verified."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

import byola_hear
from byola_hear import hub
from byola_hear.audio.reading import read_audio
from byola_hear.models.checkpoint import CheckpointError, save_checkpoint
from byola_hear.models.directions import Directions, read_directions, save_directions
from byola_hear.models.loading import load_checkpoint, load_named, resolve
from byola_hear.models.model import ByolaModel
from byola_hear.models.zoo import add_directions, add_to_zoo, is_intact, read_hashes
from tests.models.small import CONFIG, small_model, with_directions

SIZE = CONFIG.encoder.feature_size


@pytest.fixture
def model() -> ByolaModel:
    return small_model("speech")


@pytest.fixture
def short(model: ByolaModel) -> ByolaModel:
    return with_directions(model, 5)


def clips() -> list[Tensor]:
    generator = torch.Generator().manual_seed(1)
    return [torch.rand(length, generator=generator) - 0.5 for length in (16000, 5000, 700)]


def own(model: ByolaModel) -> Directions:
    assert model.directions is not None
    return model.directions


def test_every_method_projects_what_was_pooled(model: ByolaModel, short: ByolaModel) -> None:
    mean, axes, scale = own(short).mean, own(short).axes, own(short).scale
    assert short.scene_embedding_size == short.timestamp_embedding_size == 5
    expected = (model.scene_embeddings(clips()) - mean) @ axes * scale
    torch.testing.assert_close(short.scene_embeddings(clips()), expected)
    torch.testing.assert_close(short.stream_scene(clips()[0].split(999)), expected[0])
    frames, times = model.timestamp_embeddings(clips())
    given, given_times = short.timestamp_embeddings(clips())
    torch.testing.assert_close(given[1], (frames[1] - mean) @ axes * scale)
    torch.testing.assert_close(given_times[1], times[1])
    streamed = torch.cat([piece for piece, _ in short.stream_timestamps(clips()[1].split(999))])
    torch.testing.assert_close(streamed, given[1])
    table = byola_hear.embed([clip.numpy() for clip in clips()], short, sample_rate=16000, output="numpy")
    torch.testing.assert_close(torch.from_numpy(table), expected)


def test_fewer_dimensions_are_the_first_of_more(short: ByolaModel) -> None:
    fewer = short.with_directions(own(short).first(2))
    torch.testing.assert_close(fewer.scene_embeddings(clips()), short.scene_embeddings(clips())[:, :2])


def test_a_network_in_half_precision_has_them(short: ByolaModel) -> None:
    expected = short.scene_embeddings(clips())
    for dtype in (torch.float16, torch.bfloat16):
        found = copy.deepcopy(short).to(dtype).scene_embeddings(clips())
        assert found.dtype == torch.float32
        assert (found - expected).norm() < 0.1 * expected.norm()


def test_a_fingerprint_tells_dimensions_and_directions_apart(model: ByolaModel, short: ByolaModel) -> None:
    fewer = short.with_directions(own(short).first(2))
    others = with_directions(model, 5, seed=1)
    assert len({each.fingerprint() for each in (model, short, fewer, others)}) == 4
    assert short.with_directions(None).fingerprint() == model.fingerprint()
    assert short.in_precision("bfloat16").scene_embedding_size == 5


def test_a_file_gives_the_same_directions(short: ByolaModel, tmp_path: Path) -> None:
    sha256 = save_directions(tmp_path / "d.safetensors", own(short))
    read = read_directions(tmp_path / "d.safetensors", sha256)
    assert (read.fingerprint(), read.origin) == (own(short).fingerprint(), {"clips": 7})
    with pytest.raises(CheckpointError, match="expected SHA-256"):
        read_directions(tmp_path / "d.safetensors", "0" * 64)


def test_next_to_a_checkpoint(model: ByolaModel, short: ByolaModel, tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "mine.safetensors", model, torch.float32)
    path = tmp_path / "mine.safetensors"
    with pytest.raises(FileNotFoundError, match=r"no directions for short vectors \(.*mine.directions.safetensors"):
        load_checkpoint(path, dimensions=3)
    save_directions(tmp_path / "mine.directions.safetensors", own(short))
    assert load_checkpoint(path, dimensions=3).scene_embedding_size == 3
    assert load_checkpoint(path, dimensions=np.int64(3)).scene_embedding_size == 3  # type: ignore[arg-type]
    assert load_checkpoint(path, dimensions=SIZE).directions is None
    assert load_checkpoint(path, dimensions=5).fingerprint() == short.fingerprint()
    with pytest.raises(ValueError, match=rf"expected 1 to 5 dimensions, or {SIZE} for whole embeddings, got 6"):
        load_checkpoint(path, dimensions=6)
    for wrong in (0, -1, True, 2.0):
        with pytest.raises(ValueError, match="dimensions must be a positive integer"):
            load_checkpoint(path, dimensions=wrong)  # type: ignore[arg-type]
    save_checkpoint(path, small_model("both"), torch.float32)
    with pytest.raises(CheckpointError, match=r"mine.directions.safetensors: expected directions of the network"):
        load_checkpoint(path, dimensions=3)


def test_a_zoo_verifies_them(folder: Path) -> None:
    with pytest.raises(FileNotFoundError, match="speech has no directions"):
        load_named("speech", folder, 3)
    file = add_directions("speech", own(with_directions(load_named("speech", folder), 5)), folder)
    assert file.name == "byola-speech.directions.safetensors"
    assert resolve("speech", folder, 3).scene_embedding_size == 3 and is_intact("speech", folder)
    assert resolve("both", folder).scene_embedding_size == SIZE
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    assert not is_intact("speech", folder)
    with pytest.raises(CheckpointError, match="expected SHA-256"):
        resolve("speech", folder, 3)
    assert resolve("speech", folder).scene_embedding_size == SIZE
    # Weights of another version are not those that the directions are of.
    add_to_zoo(ByolaModel(replace(CONFIG, name="speech", version="2.1")), folder)
    assert "directions" not in read_hashes(folder)["speech"]


@pytest.mark.parametrize(
    "change", [{"directions": "../a"}, {"directions_sha256": "short"}, {"directions_sha256": None}]
)
def test_a_damaged_table_is_refused(folder: Path, change: dict[str, str | None]) -> None:
    add_directions("speech", own(with_directions(load_named("speech", folder), 5)), folder)
    table = json.loads((folder / "hashes.json").read_text())
    table["speech"].update(change)
    (folder / "hashes.json").write_text(json.dumps(table))
    with pytest.raises(CheckpointError, match="damaged table"):
        resolve("speech", folder)


def test_a_folder_of_the_hub_has_them(short: ByolaModel, tmp_path: Path) -> None:
    short.save_pretrained(tmp_path, dtype=torch.float32)
    assert (tmp_path / "directions.safetensors").is_file()
    assert hub.from_pretrained(tmp_path).scene_embedding_size == SIZE
    assert hub.from_pretrained(tmp_path, dimensions=5).fingerprint() == short.fingerprint()


def test_a_folder_of_the_hub_is_read_by_its_checkpoint(short: ByolaModel, tmp_path: Path) -> None:
    short.save_pretrained(tmp_path, dtype=torch.float32)
    path = tmp_path / "model.safetensors"
    assert load_checkpoint(path, dimensions=5).fingerprint() == short.fingerprint()
    fewer = short.with_directions(own(short).first(2))
    save_directions(tmp_path / "model.directions.safetensors", own(fewer))  # next to the checkpoint, it comes first
    assert load_checkpoint(path, dimensions=2).fingerprint() == fewer.fingerprint()
    (tmp_path / "model.directions.safetensors").unlink()
    path.rename(tmp_path / "other.safetensors")
    with pytest.raises(FileNotFoundError, match=r"other\.directions\.safetensors is missing"):
        load_checkpoint(tmp_path / "other.safetensors", dimensions=2)


def test_a_folder_has_the_directions_of_rounded_weights(short: ByolaModel, tmp_path: Path) -> None:
    short.save_pretrained(tmp_path)
    rounded = hub.from_pretrained(tmp_path, dimensions=5)
    assert rounded.fingerprint() != short.fingerprint() and own(rounded).origin == own(short).origin
    expected = short.scene_embeddings(clips())
    assert (rounded.scene_embeddings(clips()) - expected).norm() < 0.05 * expected.norm()


def test_files_that_are_no_directions_are_refused(model: ByolaModel, short: ByolaModel, tmp_path: Path) -> None:
    path = tmp_path / "d.safetensors"
    save_checkpoint(path, model)
    with pytest.raises(CheckpointError, match="its header has no 'byola_hear_directions'"):
        read_directions(path)
    save_directions(path, own(short))
    content = path.read_bytes()
    for damaged in (content[:-3], content[:40], b"", content.replace(b"format_version", b"format_versiom")):
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"d\.safetensors: "):
            read_directions(path)


def test_tensors_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected mean \(size,\), axes \(size, n\) and scale \(n,\)"):
        Directions(torch.zeros(3), torch.zeros(2, 3), torch.zeros(3), "")
    with pytest.raises(ValueError, match="scale holds NaN"):
        Directions(torch.zeros(2), torch.zeros(2, 1), torch.tensor([float("nan")]), "")


@pytest.mark.parametrize("name", byola_hear.list_models())
def test_the_packages_own_keep_the_contract(name: str, clips_folder: Path) -> None:
    """Real sounds: a short vector does not depend on the batch or on cuts, by 1e-5, as a whole embedding does not."""
    if "directions" not in read_hashes()[name]:
        pytest.skip(f"{name} has no directions yet")
    most = min(1024, byola_hear.describe_model(name)["scene_embedding_size"] // 2)
    model = byola_hear.load_model(name, dimensions=most)
    real = ("ambience_stereo_48k.opus", "piano_stereo_44k.mp3", "speech_english_8k.wav", "shutter_stereo_96k.ogg")
    sounds = [torch.from_numpy(read_audio(clips_folder / file, 16000)) for file in real]
    sounds += [sounds[0] * 1e-3, torch.zeros(8000), torch.tensor([0.3])]
    together = model.scene_embeddings(sounds)
    model.segment_seconds = 0.3
    for sound, embedding in zip(sounds, together, strict=True):
        cut = model.stream_scene(sound.split(4321))
        assert (cut - embedding).norm() <= 1e-5 * embedding.norm()
        torch.testing.assert_close(cut, embedding, rtol=0, atol=1e-5 * embedding.abs().max().item())
    fewer = byola_hear.load_model(name, dimensions=64).scene_embeddings(sounds)
    torch.testing.assert_close(fewer, together[:, :64], rtol=0, atol=1e-5 * together.abs().max().item())
