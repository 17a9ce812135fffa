from __future__ import annotations

import torch

from byola_hear.pretraining.distillation.method import distillation_loss


def test_the_loss_is_one_minus_the_cosine_where_a_teacher_teaches() -> None:
    predicted = torch.tensor([[1.0, 0.0, 3.0, 0.0], [1.0, 0.0, 1.0, 1.0]])
    wanted = torch.tensor([[0.0, 2.0, 1.0, 0.0], [-1.0, 0.0, 0.0, 0.0]])
    there = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    # Right angle, same direction, opposite direction; the fourth pair does not count.
    torch.testing.assert_close(distillation_loss(predicted, wanted, there, (2, 2)), torch.tensor((1.0 + 0.0 + 2.0) / 3))


def test_nothing_to_teach_is_no_loss() -> None:
    nothing = torch.zeros(2, 2)
    assert float(distillation_loss(torch.ones(2, 4), torch.zeros(2, 4), nothing, (2, 2))) == 0
