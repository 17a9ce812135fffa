from __future__ import annotations

import pytest
import torch

from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.encoders.protocol import EncoderShape
from byola_hear.models.encoders.registry import build_encoder
from byola_hear.models.encoders.transformer import Transformer, TransformerConfig, normalised
from byola_hear.pretraining.masked.masks import MaskConfig
from byola_hear.pretraining.masked.networks import Student, Teacher, standardised, visible_features

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
    assert predicted.shape == (2, 8, student.encoder.config.feature_size)
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
    (student(crops, visible, hidden) - teacher(crops).mean()).square().mean().backward()
    assert all(parameter.grad is not None for parameter in student.parameters())
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in teacher.parameters())


def test_predictions_depend_on_where_a_hidden_span_is() -> None:
    student, crop = student_of("transformer"), torch.randn(1, 1, 64, 48)
    predicted = student(crop, VISIBLE[:1], HIDDEN[:1])[0]
    assert (predicted[0] - predicted[-1]).abs().max() > 1e-4


def test_standardised_features_keep_differences_between_clips() -> None:
    clips = torch.randn(8, 1, 5) * torch.tensor([1.0, 10.0, 0.1, 1.0, 1.0]) + 7
    features = standardised(clips + 0.01 * torch.randn(8, 20, 5))
    torch.testing.assert_close(features.mean((0, 1)), torch.zeros(5), atol=1e-4, rtol=0)
    torch.testing.assert_close(features.var((0, 1), correction=0), torch.ones(5), atol=0.01, rtol=0)
    assert features.mean(1).var(0).min() > 0.9
