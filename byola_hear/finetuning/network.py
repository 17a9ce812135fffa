"""A network and the layer of a classifier on its embeddings, trained together."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from byola_hear.classification.fitting import Linear, Regression
from byola_hear.models.encoders.protocol import FrameEncoder
from byola_hear.models.pooling.combination import pooled
from byola_hear.utils.device import in_float64


class Head(nn.Module):
    """A classifier's layer on scaled embeddings, which begins as a regression that was fitted to frozen ones.

    The limits and the scaling stay as they were.

    Args:
        regression: limits and scales.
        linear: the fitted map. A class with a NaN bias could not be fitted, and is left out.
    """

    low: Tensor
    high: Tensor
    mean: Tensor
    scale: Tensor
    known: Tensor

    def __init__(self, regression: Regression, linear: Linear) -> None:
        super().__init__()
        known = ~np.isnan(linear.bias)
        fixed = {"low": linear.low, "high": linear.high, "mean": regression.mean, "scale": regression.scale}
        for name, values in fixed.items():
            self.register_buffer(name, torch.from_numpy(np.asarray(values, np.float32)))
        self.register_buffer("known", torch.from_numpy(known))
        scale = np.asarray(regression.scale, np.float64)
        weight = np.divide(linear.weight, scale, out=np.zeros(linear.weight.shape), where=scale > 0)
        bias = np.where(known, linear.bias, 0) + linear.weight.astype(np.float64) @ regression.mean
        self.weight = nn.Parameter(torch.from_numpy(weight.astype(np.float32)))
        self.bias = nn.Parameter(torch.from_numpy(bias.astype(np.float32)))

    def forward(self, embeddings: Tensor) -> Tensor:
        """Logits ``(n, n_classes)`` of embeddings ``(n, size)``."""
        limited = torch.minimum(torch.maximum(embeddings, self.low), self.high)
        return functional.linear((limited - self.mean) * self.scale, self.weight, self.bias)

    def folded(self) -> Linear:
        """The same map with the scaling folded in."""
        weight = in_float64(self.weight.detach()) * in_float64(self.scale)
        bias = in_float64(self.bias.detach()) - weight @ in_float64(self.mean)
        arrays = (each.float().cpu().numpy() for each in (weight, bias, self.low, self.high))
        return Linear(*arrays)


class Tuned(nn.Module):
    """An encoder and a head. Statistics of batch norms never change, and nothing is dropped out.

    Args:
        encoder: the network.
        pooling: how its frame features become an embedding.
        head: the classifier's layer.
        dtype: in which the encoder computes while it is trained; None for float32. In evaluation mode it computes in
            float32, as it will when it is used.
    """

    def __init__(self, encoder: FrameEncoder, pooling: str, head: Head, dtype: torch.dtype | None = None) -> None:
        super().__init__()
        self.encoder, self.pooling, self.head, self.dtype = encoder, pooling, head, dtype

    def train(self, mode: bool = True) -> Tuned:
        """Switch between the two modes. Batch norms and dropout stay in evaluation mode.

        The head begins as a regression on embeddings without dropout; with it, their maxima over time would be larger.
        """
        super().train(mode)
        for module in self.modules():
            if isinstance(module, (_BatchNorm, nn.Dropout)):
                module.eval()
        return self

    def forward(self, log_mel: Tensor, sizes: Tensor) -> Tensor:
        """Compute logits.

        Args:
            log_mel: ``(batch, 1, n_mels, time)`` normalised log-mel.
            sizes: ``(batch, 2)`` true lengths, and how many frame features are pooled; on the CPU.

        Returns:
            ``(batch, n_classes)``.
        """
        lengths, counts = sizes.unbind(1)
        padded = int(lengths.min()) < log_mel.shape[-1]
        with torch.autocast(log_mel.device.type, self.dtype, enabled=self.training and self.dtype is not None):
            features = self.encoder(log_mel, lengths.to(log_mel.device) if padded else None)
        features = features.float()
        if int(counts.min()) == int(counts.max()):
            return self.head(pooled(features[:, : int(counts[0])], self.pooling))
        return self.head(pooled(features, self.pooling, counts.to(features.device)))
