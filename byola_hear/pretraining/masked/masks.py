"""Which parts of a crop the student sees: spans of frame features, drawn anew for every crop and mask.

A crop is cut into spans of equal length. A mask leaves some of them visible and hides the others. Every mask leaves
equally many, so that a batch has one shape.

Source:
    Masks that leave most of a crop hidden, several for each pass of the target: Baevski et al., data2vec 2.0 (arXiv
    2212.07525); Chen et al., EAT (arXiv 2401.03497).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class MaskConfig:
    """How crops are masked, and how large the decoder is that fills in what is hidden.

    Attributes:
        masks: masks of each crop, which share one pass of the target network.
        visible: share of a crop that the student sees.
        span: frame features in a span.
        decoder_width: width of the decoder's tokens.
        decoder_layers: number of layers of the decoder.

    Raises:
        ValueError: if a value is not allowed.
    """

    masks: int = 4
    visible: float = 0.25
    span: int = 5
    decoder_width: int = 128
    decoder_layers: int = 2

    def __post_init__(self) -> None:
        for name in ("masks", "span", "decoder_width", "decoder_layers"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, got {getattr(self, name)}")
        if not 0 < self.visible < 1:
            raise ValueError(f"visible must be between 0 and 1, got {self.visible}")
        if self.decoder_width % (2 * self.decoder_heads):
            raise ValueError(
                f"decoder_width must be a multiple of {2 * self.decoder_heads}, twice its {self.decoder_heads} heads, "
                f"got {self.decoder_width}"
            )

    @property
    def decoder_heads(self) -> int:
        """Heads of the decoder's attention, of about 64 dimensions each."""
        return max(self.decoder_width // 64, 1)

    def spans(self, n_features: int) -> tuple[int, int]:
        """Number of spans of a crop, and number of those that are visible.

        Args:
            n_features: frame features of a crop.

        Raises:
            ValueError: if the crop is not composed of at least two whole spans.

        Example:
            >>> MaskConfig(span=5, visible=0.25).spans(100)
            (20, 5)
        """
        if n_features % self.span or n_features < 2 * self.span:
            raise ValueError(
                f"a crop must consist of at least two whole spans of {self.span} frame features, got {n_features}"
            )
        n_spans = n_features // self.span
        return n_spans, min(max(round(self.visible * n_spans), 1), n_spans - 1)


def draw_spans(n_masks: int, n_spans: int, n_visible: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw masks.

    Args:
        n_masks: number of masks.
        n_spans: spans of a crop.
        n_visible: visible spans of each mask.
        generator: source of randomness. The masks are on its device.

    Returns:
        Numbers of the visible spans ``(n_masks, n_visible)`` and of the hidden ones ``(n_masks, n_spans - n_visible)``,
        both ascending.
    """
    order = torch.rand(n_masks, n_spans, generator=generator, device=generator.device).argsort(dim=1)
    return order[:, :n_visible].sort(dim=1).values, order[:, n_visible:].sort(dim=1).values


def features_of_spans(spans: Tensor, span: int) -> Tensor:
    """Numbers of the frame features of spans: ``(n_masks, n)`` → ``(n_masks, n * span)``.

    Example:
        >>> features_of_spans(torch.tensor([[0, 3]]), 2)
        tensor([[0, 1, 6, 7]])
    """
    return (spans[..., None] * span + torch.arange(span, device=spans.device)).flatten(-2)
