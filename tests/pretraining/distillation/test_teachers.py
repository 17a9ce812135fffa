from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from byola_hear.pretraining.data.manifest import read_manifest
from byola_hear.pretraining.distillation import teachers
from byola_hear.pretraining.distillation.teachers import embedded, fingerprint, load_teacher, teach
from tests.pretraining.distillation import stub

STUB = "tests.pretraining.distillation.stub"


def test_a_teacher_is_named_after_module_or_weights_and_kinds() -> None:
    assert load_teacher(STUB).name == "stub"
    assert load_teacher("byola_hear=both").name == "both"
    assert load_teacher(f"{STUB}=models/byola-birds.safetensors").name == "byola-birds"
    teacher = load_teacher(f"{STUB}@speech+music")
    assert (teacher.name, teacher.kinds) == ("stub@speech+music", ("speech", "music"))
    assert teacher.teaches("music") and not teacher.teaches("effects")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no_such_module_here", "could not import 'no_such_module_here'"),
        ("json", "json lacks load_model, get_scene_embeddings"),
        (f"{STUB}=missing", "could not be loaded: needs the package gone"),
        ("byola_hear=no-such-network", "no-such-network"),
        ("", "could not import ''"),
    ],
)
def test_what_is_no_teacher_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_teacher(text)


def test_facts_change_with_the_weights() -> None:
    facts = [load_teacher(f"byola_hear={name}").facts() for name in ("speech", "both", "both")]
    assert facts[0]["size"] == 3072
    assert facts[0]["fingerprint"] != facts[1]["fingerprint"] == facts[2]["fingerprint"]
    assert fingerprint(torch.nn.Linear(2, 2)) != fingerprint(torch.nn.Linear(2, 2))


def test_segments_of_one_length_are_embedded_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teachers, "TOGETHER", 3)
    random = torch.Generator().manual_seed(0)
    segments = [torch.randn(length, generator=random) for length in (800, 800, 500, 800, 800)]
    stub.heard.clear()
    together = embedded(load_teacher(STUB), segments)
    assert stub.heard == [(3, 800), (1, 800), (1, 500)]
    alone = torch.cat([embedded(load_teacher(STUB), [segment]) for segment in segments])
    torch.testing.assert_close(together, alone)


def test_clips_are_taught_by_segments(tone_manifest: Path) -> None:
    clips, folder = read_manifest(tone_manifest), tone_manifest.parent
    missing = replace(clips[0], path="gone.wav")
    stub.heard.clear()
    found = teach(load_teacher(STUB), [clips[11], missing, clips[0]], folder, [2, 1, 1], 0.96)
    assert stub.heard == [(2, 7680), (1, 1600)]  # 0.2 s are not padded
    assert isinstance(found[1], str) and "gone.wav" in found[1]
    (second,) = teach(load_teacher(STUB), [replace(clips[11], start_s=0.96, end_s=1.92)], folder, [1], 0.96)
    assert isinstance(found[0], torch.Tensor) and isinstance(second, torch.Tensor)
    torch.testing.assert_close(found[0][1:], second, atol=1e-3, rtol=1e-3)


def test_a_clip_that_a_teacher_cannot_take_is_left_out(tone_manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors_of = stub.get_scene_embeddings

    def choosy(audio: torch.Tensor, model: stub.Model) -> torch.Tensor:
        if audio.shape[1] < 2000:
            raise RuntimeError(f"expected 2000 samples,\ngot {audio.shape[1]}")
        return vectors_of(audio, model)

    clips, folder = read_manifest(tone_manifest), tone_manifest.parent
    expected = teach(load_teacher(STUB), [clips[11], clips[10]], folder, [2, 1], 0.96)
    monkeypatch.setattr(stub, "get_scene_embeddings", choosy)
    found = teach(load_teacher(STUB), [clips[11], clips[0], clips[10]], folder, [2, 1, 1], 0.96)
    assert found[1] == f"{clips[0].path}: the teacher stub failed: expected 2000 samples, got 1600"
    for whole, left in zip(expected, (found[0], found[2])):
        assert isinstance(whole, torch.Tensor) and isinstance(left, torch.Tensor)
        torch.testing.assert_close(whole, left)


def test_only_its_kinds_are_taught(tone_manifest: Path) -> None:
    clips, folder = read_manifest(tone_manifest)[11:], tone_manifest.parent
    found = [teach(load_teacher(f"{STUB}@{kind}"), clips, folder, [2], 0.96) for kind in ("tones", "speech")]
    assert [len(vectors) for (vectors,) in found] == [2, 0]


def test_vectors_that_are_not_finite_are_an_error(tone_manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stub, "get_scene_embeddings", lambda audio, model: torch.full((len(audio), 2), torch.nan))
    clips = read_manifest(tone_manifest)[:1]
    (found,) = teach(load_teacher(STUB), clips, tone_manifest.parent, [1], 0.96)
    assert found == f"{clips[0].path}: the vectors of the teacher stub are not finite"
