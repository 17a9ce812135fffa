"""Log-mels of two sounds at once."""

from __future__ import annotations

from torch import Tensor

from byola_hear.models.frontend import LOG_OFFSET


def mixup(x: Tensor, background: Tensor, share: Tensor) -> Tensor:
    """Mix a background into crops in the exponential domain: log((1 − a)·exp(x) + a·exp(background)).

    Args:
        x: ``(batch, 1, n_mels, time)`` log-mel, normalised or not.
        background: the same shape.
        share: ``(batch,)`` a, in [0, 1].

    Returns:
        The same shape as ``x``.

    Source:
        Niizumi et al., BYOL for Audio (arXiv 2103.06695).
    """
    a = share[:, None, None, None]
    return ((1 - a) * x.exp() + a * background.exp() + LOG_OFFSET).log()
