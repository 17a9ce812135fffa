from __future__ import annotations

import pytest
import torch

from byola_hear.pretraining.masked.masks import MaskConfig, draw_spans, features_of_spans


def test_every_span_is_visible_or_hidden_and_all_equally_often() -> None:
    visible, hidden = draw_spans(4000, 10, 3, torch.Generator().manual_seed(0))
    assert (visible.shape, hidden.shape) == ((4000, 3), (4000, 7))
    assert torch.equal(torch.cat([visible, hidden], dim=1).sort(dim=1).values, torch.arange(10).expand(4000, -1))
    assert (visible.diff(dim=1) > 0).all() and (hidden.diff(dim=1) > 0).all()
    share = torch.bincount(visible.flatten(), minlength=10) / 4000
    torch.testing.assert_close(share, torch.full((10,), 0.3), atol=0.03, rtol=0)


def test_spans_are_runs_of_frame_features() -> None:
    assert features_of_spans(torch.tensor([[1, 4], [0, 2]]), 3).tolist() == [[3, 4, 5, 12, 13, 14], [0, 1, 2, 6, 7, 8]]


@pytest.mark.parametrize(("visible", "expected"), [(0.25, 5), (0.01, 1), (0.999, 19)])
def test_some_spans_are_visible_and_some_hidden(visible: float, expected: int) -> None:
    assert MaskConfig(visible=visible, span=5).spans(100) == (20, expected)


@pytest.mark.parametrize("n_features", [5, 101])
def test_crops_of_parts_of_spans_are_refused(n_features: int) -> None:
    with pytest.raises(ValueError, match=f"at least two whole spans of 5 frame features, got {n_features}"):
        MaskConfig(span=5).spans(n_features)


@pytest.mark.parametrize("wrong", [{"masks": 0}, {"visible": 1.0}, {"visible": 0.0}, {"span": 0}, {"decoder_width": 3}])
def test_invalid_masks_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="got"):
        MaskConfig(**wrong)  # type: ignore[arg-type]
