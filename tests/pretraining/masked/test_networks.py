from __future__ import annotations

from typing import Any

import pytest
import torch

from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.protocol import EncoderShape
from byola_hear.models.encoders.registry import build_encoder
from byola_hear.models.encoders.transformer import Transformer, TransformerConfig, normalised
from byola_hear.pretraining.masked.masks import MaskConfig
from byola_hear.pretraining.masked.networks import Student, Teacher, targets, visible_features

KINDS: dict[str, EncoderShape] = {
    "transformer": TransformerConfig(width=16, n_layers=2, n_heads=2, context=12),
    "convolutional": EncoderConfig(channels=4, hidden_size=8, dropout=0.0),
}
VISIBLE = torch.tensor([[0, 4], [1, 2]])
HIDDEN = torch.tensor([[1, 2, 3, 5], [0, 3, 4, 5]])


def student_of(kind: str) -> Student:
    torch.manual_seed(0)
    return Student(build_encoder(KINDS[kind]), MaskConfig(masks=2, span=2, decoder_width=16))


@pytest.mark.parametrize("kind", KINDS)
def test_the_student_sees_visible_spans_and_nothing_else(kind: str) -> None:
    """One crop of six spans with two masks: a changed span changes the predictions of the masks that show it."""
    student, crop = student_of(kind), torch.randn(1, 1, 64, 48)
    predicted = student(crop, VISIBLE, HIDDEN)
    assert predicted.shape == (2, 8, 2 * student.encoder.config.feature_size)
    for span in range(6):
        other = crop.clone()
        other[..., 8 * span : 8 * span + 8] += 3.0
        # Batch norm, in the convolutional network, lets masks see each other's statistics; in evaluation it does not.
        student.eval()
        features = [visible_features(student.encoder, each, VISIBLE, 2) for each in (crop, other)]
        student.train()
        if kind == "transformer":
            changed = [not torch.equal(one, two) for one, two in zip(*features)]
            assert changed == [span in spans for spans in VISIBLE.tolist()]
        else:
            changed = (features[0] != features[1]).any(-1).unflatten(1, (2, 2)).any(-1)
            assert (changed.any() == (span in VISIBLE)).item()


def test_all_spans_visible_is_the_whole_transformer() -> None:
    encoder, crop = (
        Transformer(TransformerConfig(width=16, n_layers=2, n_heads=2, context=12)),
        torch.randn(2, 1, 64, 48),
    )
    *_, last = encoder.outputs(encoder.tokens(crop[:, 0].transpose(1, 2)), torch.arange(12))
    everything = torch.arange(6).expand(2, -1)
    torch.testing.assert_close(visible_features(encoder, crop, everything, 2), normalised(last))


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_reach_the_student_and_not_the_teacher(kind: str) -> None:
    student = student_of(kind).train()
    teacher, crops = Teacher(student), torch.randn(3, 1, 64, 48)
    visible, hidden = VISIBLE.repeat(3, 1), HIDDEN.repeat(3, 1)
    (student(crops, visible, hidden) - targets(teacher(crops)).mean()).square().mean().backward()
    assert all(parameter.grad is not None for parameter in student.parameters())
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in teacher.parameters())


def test_predictions_depend_on_where_a_hidden_span_is() -> None:
    student, crop = student_of("transformer"), torch.randn(1, 1, 64, 48)
    layer: Any
    for layer in student.decoder.layers:
        layer.query_key_value.weight.data.mul_(20)  # attention that is far from even, as after training
    predicted = student(crop, VISIBLE[:1], HIDDEN[:1])[0]
    assert (predicted[0] - predicted[-1]).abs().max() > 1e-3 * predicted.abs().max()


def test_targets_are_the_course_within_a_crop_and_the_level_of_the_crop() -> None:
    torch.manual_seed(0)
    level = torch.randn(8, 1, 5) * torch.tensor([1.0, 10.0, 0.1, 1.0, 1.0]) + 7
    course = torch.randn(8, 20, 5)
    local, crops = targets(level + 0.5 * (course - course.mean(1, keepdim=True))).split(5, dim=-1)
    torch.testing.assert_close(local.mean(1), torch.zeros(8, 5), atol=1e-4, rtol=0)
    torch.testing.assert_close(local.var(1, correction=0), torch.ones(8, 5), atol=0.01, rtol=0)
    # The level does not show in the first half, and nothing else shows in the second.
    torch.testing.assert_close(targets(0.5 * course)[..., :5], local, atol=1e-3, rtol=0)
    torch.testing.assert_close(crops, crops[:, :1].expand_as(crops))
    expected = (level - level.mean(0)) / level.std(0, correction=0)
    torch.testing.assert_close(crops[:, :1], expected, atol=0.01, rtol=0)


def test_constant_features_give_targets_of_zero() -> None:
    torch.testing.assert_close(targets(torch.full((4, 6, 3), 2.0)), torch.zeros(4, 6, 6))
