from __future__ import annotations

from pathlib import Path

import pytest
import torch

from byola_hear.pretraining.data.manifest import ManifestClip, read_manifest
from byola_hear.pretraining.distillation.teachers import (
    fingerprint,
    load_teacher,
    segment_vectors,
    teach_clip,
)
from tests.pretraining.distillation import stub

STUB = "tests.pretraining.distillation.stub"


def test_a_teacher_is_named_after_module_or_weights_and_kinds() -> None:
    assert load_teacher(STUB).name == "stub"
    assert load_teacher("byola_hear=both").name == "both"
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


def test_segments_of_long_clips_are_embedded_some_at_a_time() -> None:
    teacher = load_teacher(STUB)
    audio = torch.randn(8000 * 70 - 3, generator=torch.Generator().manual_seed(0))
    stub.heard.clear()
    whole = segment_vectors(teacher, audio, 70, 1.0)
    assert stub.heard == [(32, 8000), (32, 8000), (6, 8000)]
    torch.testing.assert_close(whole[40:41], segment_vectors(teacher, audio[8000 * 40 : 8000 * 41], 1, 1.0))


def test_a_clip_shorter_than_a_segment_is_not_padded() -> None:
    stub.heard.clear()
    segment_vectors(load_teacher(STUB), torch.ones(500), 1, 1.0)
    assert stub.heard == [(1, 500)]


def test_only_its_kinds_are_taught(tone_manifest: Path) -> None:
    clip, folder = read_manifest(tone_manifest)[11], tone_manifest.parent
    assert teach_clip(load_teacher(f"{STUB}@tones"), clip, folder, 2, 0.96).shape == (2, 2)
    assert teach_clip(load_teacher(f"{STUB}@speech"), clip, folder, 2, 0.96).shape == (0, 2)


def test_vectors_that_are_not_finite_are_refused(tone_manifest: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stub, "get_scene_embeddings", lambda audio, model: torch.full((len(audio), 2), torch.nan))
    clip: ManifestClip = read_manifest(tone_manifest)[0]
    with pytest.raises(ValueError, match="of the teacher stub are not finite"):
        teach_clip(load_teacher(STUB), clip, tone_manifest.parent, 1, 0.96)
