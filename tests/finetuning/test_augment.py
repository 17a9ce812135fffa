"""Mixed and masked batches."""

from __future__ import annotations

import pytest
import torch

from byola_hear.finetuning.augment import masked, mixed
from byola_hear.finetuning.recipe import Recipe


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_power_and_labels_are_mixed_in_the_same_shares() -> None:
    power = torch.rand(6, 1, 4, 10) + 0.1
    truth, lengths = torch.eye(6), torch.tensor([10, 4, 5, 6, 7, 8])
    log_mel, longer, labels = mixed(power.log(), lengths, truth, Recipe(mixup=0.4), generator())
    expected = torch.einsum("ij,jabc->iabc", labels, power)
    torch.testing.assert_close(log_mel.exp(), expected, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(labels.sum(1), torch.ones(6))
    assert (labels.diagonal() >= 0.6).all() and (labels.diagonal() < 1).any()
    assert (longer >= lengths).all() and (longer > lengths).any()
    same, _, _ = mixed(power.log(), lengths, truth, Recipe(mixup=0.0), generator())
    assert torch.equal(same, power.log())


def test_masks_are_ranges_of_at_most_their_width() -> None:
    x = torch.ones(200, 1, 20, 50)
    lengths = torch.full((200,), 30)
    out = masked(x, lengths, Recipe(band_mask=0.2, time_mask=0.5), generator())[:, 0] == 0
    bands, times = out.all(2), out.all(1)
    assert bands.sum(1).max() == 4 and bands.sum(1).min() == 0
    assert times.sum(1).max() == 15 and not times[:, 30:].any()
    for rows in (bands, times):
        assert ((rows[:, 1:] & ~rows[:, :-1]).sum(1) + rows[:, 0] <= 1).all()
    assert torch.equal(out, bands[:, :, None] | times[:, None, :])
    assert torch.equal(masked(x, lengths, Recipe(band_mask=0, time_mask=0), generator()), x)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number of at least 1, got 0"),
        ({"folds": 1}, "folds must be a whole number of at least 2, got 1"),
        ({"folds": 1000}, "folds must be at most 100"),
        ({"learning_rate": float("nan")}, "learning_rate must be a positive number, got nan"),
        ({"mixup": 1.5}, r"mixup must be in \[0, 1\], got 1.5"),
        ({"warm_up_epochs": -1}, "warm_up_epochs must not be negative"),
        ({"seed": 2**40}, "seed must be from 0"),
    ],
)
def test_recipes_are_checked(changes: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Recipe(**changes)  # type: ignore[arg-type]
