from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from byola_hear.pretraining.byol.views import ViewConfig, draw_boxes, fade, make_view, make_views, resize_crop
from byola_hear.training.mixing import mixup

PLAIN = ViewConfig(mixup_ratio=0.0, canvas_time=1.0, smallest=1.0, largest=1.0, fader_gain=0.0)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_mixup_adds_energies() -> None:
    x, background = torch.full((1, 1, 2, 3), 1.0), torch.full((1, 1, 2, 3), 3.0)
    expected = math.log(0.75 * math.e + 0.25 * math.e**3)
    torch.testing.assert_close(mixup(x, background, torch.tensor([0.25])), torch.full((1, 1, 2, 3), expected))
    torch.testing.assert_close(mixup(x, background, torch.tensor([0.0])), x)
    torch.testing.assert_close(mixup(x, background, torch.tensor([1.0])), background)


def test_box_of_the_whole_input_returns_it() -> None:
    x = torch.randn(4, 1, 64, 96, generator=generator())
    boxes = torch.tensor([[0.0, 0.0, 64.0, 96.0]]).expand(4, 4)
    torch.testing.assert_close(resize_crop(x, boxes), x, atol=1e-4, rtol=1e-4)


def test_box_is_cut_out_at_its_place() -> None:
    x = torch.randn(1, 1, 64, 96, generator=generator())
    cut = resize_crop(x, torch.tensor([[8.0, 30.0, 22.0, 20.0]]))
    # With aligned corners, the corners of the box are those of the view.
    corners = cut[0, 0, [0, 0, -1, -1], [0, -1, 0, -1]]
    torch.testing.assert_close(corners, x[0, 0, [8, 8, 29, 29], [30, 49, 30, 49]], atol=1e-3, rtol=1e-3)


def test_linear_ramp_is_resized_linearly() -> None:
    x = torch.linspace(0, 95, 96).expand(1, 1, 64, 96)
    cut = resize_crop(x, torch.tensor([[10.0, 20.0, 40.0, 49.0]]))
    # The usual bicubic kernel reproduces a straight line to a twentieth of its step.
    torch.testing.assert_close(cut[0, 0, 5], torch.linspace(20, 68, 96), atol=0.06, rtol=0)


def test_values_beyond_the_input_are_its_mean() -> None:
    cut = resize_crop(torch.ones(1, 1, 64, 96), torch.tensor([[0.0, -24.0, 64.0, 144.0]]))
    assert cut[0, 0, 32, 0] == 0
    assert cut[0, 0, 32, -1] == 0
    assert cut[0, 0, 32, 48] == pytest.approx(1)


def test_boxes_have_the_published_ranges_and_stay_on_the_canvas() -> None:
    top, left, height, width = draw_boxes(20000, 64, 96, ViewConfig(), generator()).unbind(1)
    assert height.min() == 38
    assert height.max() == 64
    assert width.min() == 57
    assert width.max() == 143
    assert (top >= 0).all()
    assert (top + height <= 64).all()
    assert (left >= -24).all()
    assert (left + width <= 120).all()
    assert left.min() == -24
    # Larger boxes are clipped to the canvas, so five ninths of U(0.6, 1.5) have the full height.
    assert (height == 64).double().mean() == pytest.approx(5 / 9, abs=0.02)


def test_fader_is_a_ramp_over_time() -> None:
    faded = fade(torch.zeros(2, 1, 3, 5), torch.tensor([[-1.0, 1.0], [0.5, 0.5]]))
    torch.testing.assert_close(faded[0, 0, 2], torch.tensor([-1.0, -0.5, 0.0, 0.5, 1.0]))
    torch.testing.assert_close(faded[1], torch.full((1, 3, 5), 0.5))


def test_view_without_augmentation_is_the_crop() -> None:
    x = torch.randn(3, 1, 64, 96, generator=generator())
    torch.testing.assert_close(make_view(x, x, PLAIN, generator()), x, atol=1e-4, rtol=1e-4)


def test_both_views_together_are_normalised() -> None:
    x = 3 * torch.randn(16, 1, 64, 96, generator=generator()) + 5
    views = torch.stack(make_views(x, x, ViewConfig(), generator(1)))
    assert float(views.mean()) == pytest.approx(0, abs=1e-4)
    assert float(views.std()) == pytest.approx(1, abs=1e-4)
    assert not torch.allclose(views[0], views[1])


def test_view_does_not_depend_on_other_crops_of_the_batch() -> None:
    x = torch.randn(8, 1, 64, 96, generator=generator())
    memory = torch.randn(5, 1, 64, 96, generator=generator(1))
    other = x.clone()
    other[1:] = 7.0
    torch.testing.assert_close(
        make_view(x, memory, ViewConfig(), generator(2))[0], make_view(other, memory, ViewConfig(), generator(2))[0]
    )


def test_same_generator_makes_the_same_views() -> None:
    x = torch.randn(4, 1, 64, 96, generator=generator())
    first, second = (make_views(x, x, ViewConfig(), generator(3)) for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_empty_memory_mixes_nothing_in() -> None:
    x = torch.randn(4, 1, 64, 96, generator=generator())
    config = ViewConfig(mixup_ratio=1.0, canvas_time=1.0, smallest=1.0, largest=1.0, fader_gain=0.0)
    torch.testing.assert_close(make_view(x, x[:0], config, generator()), x, atol=1e-4, rtol=1e-4)
    assert not torch.allclose(make_view(x, x + 3, config, generator()), x, atol=1e-2)


@pytest.mark.parametrize(
    "wrong", [{"mixup_ratio": 1.5}, {"memory_size": 0}, {"canvas_time": 0.5}, {"smallest": 0.0}, {"largest": 0.1}]
)
def test_invalid_strengths_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="got"):
        ViewConfig(**wrong)
