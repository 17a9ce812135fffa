"""Attention: the form for training on a CPU computes what the fused kernel does."""

import pytest
import torch
from torch.nn import functional

from byola_hear.models.encoders.attention import attention


@pytest.mark.parametrize("n_tokens", [1, 7])
def test_values_and_gradients_are_those_of_the_fused_kernel(n_tokens: int) -> None:
    random = torch.Generator().manual_seed(0)
    inputs = [torch.randn(2, 3, n_tokens, 8, generator=random, dtype=torch.float64) for _ in range(3)]
    wanted = torch.randn(2, 3, n_tokens, 8, generator=random, dtype=torch.float64)
    found = []
    for compute in (attention, functional.scaled_dot_product_attention):
        query, key, value = leaves = [x.clone().requires_grad_() for x in inputs]
        output = compute(query, key, value)
        (output * wanted).sum().backward()
        found.append([output.detach(), *(leaf.grad for leaf in leaves)])
    for written_out, fused in zip(*found, strict=True):
        torch.testing.assert_close(written_out, fused)


def test_tokens_that_do_not_count_are_not_seen() -> None:
    random = torch.Generator().manual_seed(0)
    query, key, value = torch.randn(3, 1, 2, 5, 8, generator=random)
    inside = torch.tensor([[True, True, True, False, False]])
    short = attention(query[:, :, :3], key[:, :, :3], value[:, :, :3])
    torch.testing.assert_close(attention(query, key, value, inside)[:, :, :3], short)
