from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

from byola_hear.models.encoders.convolutional import Encoder, EncoderConfig
from byola_hear.models.encoders.protocol import FrameEncoder
from byola_hear.pretraining.byol.networks import (
    OnlineNetwork,
    TargetNetwork,
    byol_loss,
    clip_embeddings,
    embedding_std,
)
from byola_hear.pretraining.training.method import follow


@pytest.fixture
def online() -> OnlineNetwork:
    torch.manual_seed(0)
    return OnlineNetwork(Encoder(EncoderConfig(channels=4, hidden_size=16)), hidden_size=32, output_size=8)


def test_loss_is_zero_for_equal_and_four_for_opposite_directions() -> None:
    x = torch.randn(5, 8)
    assert byol_loss(3 * x, x).item() == pytest.approx(0, abs=1e-5)
    assert byol_loss(-x, 2 * x).item() == pytest.approx(4, abs=1e-5)


def test_embedding_std_separates_collapse_from_an_even_sphere() -> None:
    torch.manual_seed(0)
    assert embedding_std(torch.randn(4096, 64)) == pytest.approx(1, abs=0.02)
    assert embedding_std(torch.randn(1, 64).expand(256, 64) * torch.rand(256, 1)) == pytest.approx(0, abs=1e-4)


def test_target_begins_as_a_copy_and_follows_by_the_decay(online: OnlineNetwork) -> None:
    target = TargetNetwork(online)
    view = torch.randn(4, 1, 64, 32)
    torch.testing.assert_close(target.encoder.eval()(view), online.encoder.eval()(view))
    with torch.no_grad():
        for parameter in online.parameters():
            parameter.add_(1.0)
    before = [parameter.clone() for parameter in target.parameters()]
    follow(target, online, 0.9)
    for old, new in zip(before, target.parameters()):
        torch.testing.assert_close(new, old + 0.1)


def test_no_gradient_reaches_the_target(online: OnlineNetwork) -> None:
    target = TargetNetwork(online)
    view = torch.randn(4, 1, 64, 32)
    byol_loss(online(view), target(view)).backward()
    assert all(parameter.grad is None and not parameter.requires_grad for parameter in target.parameters())
    assert all(parameter.grad is not None for parameter in online.parameters())


def test_views_at_once_give_the_projections_and_gradients_of_single_views(online: OnlineNetwork) -> None:
    dropout = online.get_submodule("encoder.fc.2")
    assert isinstance(dropout, nn.Dropout)
    dropout.p = 0.0  # its draws differ
    views = [torch.randn(6, 1, 64, 32) + shift for shift in (0.0, 1.0)]
    apart = copy.deepcopy(online)
    expected = torch.cat([apart(view) for view in views])
    actual = online(*views)
    torch.testing.assert_close(actual, expected, atol=1e-5, rtol=1e-4)
    expected.square().sum().backward()
    actual.square().sum().backward()
    for parameter, other in zip(apart.parameters(), online.parameters()):
        torch.testing.assert_close(other.grad, parameter.grad, atol=1e-3, rtol=1e-3)
    for buffer, of_online in zip(apart.buffers(), online.buffers()):
        torch.testing.assert_close(of_online, buffer)


def test_batch_norms_of_other_encoders_take_each_view_by_itself() -> None:
    class Other(FrameEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.norm = nn.BatchNorm2d(1)

        def forward(self, log_mel: torch.Tensor, lengths: torch.Tensor | None = None) -> torch.Tensor:
            return self.norm(log_mel)[:, 0].transpose(1, 2)

    views = torch.randn(4, 1, 64, 32), 3 + torch.randn(4, 1, 64, 32)
    first, second = clip_embeddings(Other(), *views).chunk(2)
    # The mean of a view is 0 after its own batch norm; the maximum is added to it.
    assert (first.mean() - second.mean()).abs() < 0.1
