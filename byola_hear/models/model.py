"""The model: front end, fixed statistics, network and pooling under one configuration."""

from __future__ import annotations

import copy
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, overload

import torch
from torch import Tensor, nn

from byola_hear.audio.waveforms import check_clips
from byola_hear.models import hub_files
from byola_hear.models.checkpoint import filled_encoder, read_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import Encoder
from byola_hear.models.frame_features import FrameFeatures
from byola_hear.models.frontend import log_mel
from byola_hear.models.pooling.clip import ClipPool
from byola_hear.models.pooling.timestamps import timestamp_count, timestamps
from byola_hear.models.pooling.window import WindowPool

#: What the network can compute in.
PRECISIONS = ("float32", "bfloat16")
#: Version of the embeddings that given weights lead to, clips' and timestamps'. Raise it with a change of code that
#: moves them: results that were measured with the embeddings of before are then out of date.
EMBEDDING_VERSION = 1
#: What a configuration says that changes no embedding.
_DESCRIPTIVE = ("name", "version", "licence", "training")


class ByolaModel(nn.Module):
    """A network with its front end, statistics and pooling; what HEAR's tools get from ``load_model``.

    ``encoder`` holds the weights and can be trained through :meth:`forward`. The embedding methods use it in
    a faster form, always as it is at the moment, with the running statistics and without dropout whatever
    mode the module is in, and record no gradients. They run where the weights are and give results where the
    audio is.

    Args:
        config: everything but the weights.
        encoder: the network; a random one of the configured shape if None.

    Attributes:
        sample_rate: Hz, int.
        scene_embedding_size: numbers in a clip embedding, int.
        timestamp_embedding_size: numbers in a timestamp embedding, int.
        segment_seconds: seconds of audio to a pass, which bounds the memory and does not change the result;
            None for what is fastest on the device.

    Raises:
        TypeError: if ``config`` is no :class:`~byola_hear.models.config.ModelConfig`.
        ValueError: if ``encoder`` has another shape than the configuration says.

    Example:
        >>> from byola_hear.models.encoders.convolutional import EncoderConfig
        >>> from byola_hear.models.frontend import FrontendConfig
        >>> config = ModelConfig("example", "0", FrontendConfig(), EncoderConfig.v2(), mean=-8.0, std=4.5)
        >>> model = ByolaModel(config).eval()
        >>> model.scene_embeddings(torch.zeros(2, 16000)).shape
        torch.Size([2, 3072])
        >>> embeddings, times = model.timestamp_embeddings([torch.zeros(16000), torch.zeros(1)])
        >>> embeddings[0].shape, times[0][:3], times[1]
        (torch.Size([25, 3072]), tensor([15., 55., 95.]), tensor([0.0625]))
    """

    def __init__(self, config: ModelConfig, encoder: Encoder | None = None) -> None:
        super().__init__()
        if not isinstance(config, ModelConfig):
            raise TypeError(f"expected a ModelConfig, got {type(config).__name__}")
        self.config = config
        self.encoder = Encoder(config.encoder) if encoder is None else encoder
        if self.encoder.config != config.encoder:
            raise ValueError(f"the encoder's shape is {self.encoder.config}, the configuration says {config.encoder}")
        self.sample_rate = int(config.frontend.sample_rate)
        self.scene_embedding_size = int(config.encoder.feature_size)
        self.timestamp_embedding_size = int(config.encoder.feature_size)
        self.segment_seconds: float | None = None

    @classmethod
    def assemble(cls, path: Path, config: ModelConfig, tensors: dict[str, Tensor]) -> ByolaModel:
        """A model of what was read from a checkpoint.

        Args:
            path: the checkpoint, for messages.
            config: everything but the weights.
            tensors: the weights by name, of the shapes that the configuration says.

        Returns:
            The model: float32, on the CPU, in evaluation mode.

        Raises:
            CheckpointError: if a weight is not a finite floating point number.
        """
        return cls(config, filled_encoder(path, config.encoder, tensors)).eval()

    @classmethod
    def from_pretrained(
        cls, source: str | os.PathLike[str], *, sha256: str | None = None, **options: Any
    ) -> ByolaModel:
        """:func:`byola_hear.hub.from_pretrained`."""
        path = hub_files.located(source, **options)
        return cls.assemble(path, *read_checkpoint(path, sha256))

    def save_pretrained(self, folder: str | os.PathLike[str], **options: Any) -> str:
        """:func:`byola_hear.hub.save_pretrained`."""
        return hub_files.save_pretrained(self, folder, **options)

    def push_to_hub(self, repository: str, **options: Any) -> str:
        """:func:`byola_hear.hub.push_to_hub`."""
        return hub_files.push_to_hub(self, repository, **options)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Frame features the plain way, differentiable: for fine-tuning.

        Args:
            waveforms: ``(batch, n_samples)`` float32 in [-1, 1] at ``sample_rate``, where the weights are.

        Returns:
            ``(batch, n_features, feature_size)``.
        """
        normalised = (log_mel(waveforms, self.config.frontend) - self.config.mean) / self.config.std
        return self.encoder(normalised[:, None])

    @torch.no_grad()
    def scene_embeddings(self, clips: Tensor | Sequence[Tensor]) -> Tensor:
        """One embedding a clip: maximum plus mean of its frame features over its whole length.

        Args:
            clips: ``(n_sounds, n_samples)`` float32 in [-1, 1] at ``sample_rate``, or a list of clips
                ``(n_samples_i,)``; any length from one sample to many hours.

        Returns:
            ``(n_sounds, scene_embedding_size)`` float32.

        Raises:
            TypeError: if the clips are no tensors.
            ValueError: if there is none, or one has the wrong dtype, shape or values.
        """
        checked = check_clips(clips)
        embeddings = []
        for _, pieces in groupby(self.frame_features().of_clips(checked), itemgetter(0)):
            pool = ClipPool()
            for _, features in pieces:
                pool.add(features)
            embeddings.append(pool.result())
        return torch.stack(embeddings).to(checked[0].device)

    @overload
    def timestamp_embeddings(self, clips: Tensor) -> tuple[Tensor, Tensor]: ...

    @overload
    def timestamp_embeddings(self, clips: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]: ...

    @torch.no_grad()
    def timestamp_embeddings(
        self, clips: Tensor | Sequence[Tensor]
    ) -> tuple[Tensor, Tensor] | tuple[list[Tensor], list[Tensor]]:
        """Embeddings along time: maximum plus mean of the frame features in a window around each.

        A timestamp is the centre of a frame feature: in the v2 shape 15, 55, 95... ms. The window is
        ``config.window_frames`` frame features, truncated at the clip's ends.

        Args:
            clips: as in :meth:`scene_embeddings`.

        Returns:
            embeddings ``(n_sounds, n_timestamps, timestamp_embedding_size)`` and timestamps
            ``(n_sounds, n_timestamps)`` in milliseconds, both float32; none is beyond the clip's end. Of a
            list of clips, two lists: ``(n_timestamps_i, timestamp_embedding_size)`` each and
            ``(n_timestamps_i,)`` each.

        Raises:
            TypeError: if the clips are no tensors.
            ValueError: if there is none, or one has the wrong dtype, shape or values.
        """
        checked = check_clips(clips)
        counts = [timestamp_count(len(clip), *self._grid) for clip in checked]
        shapes = [(count, self.timestamp_embedding_size) for count in counts]
        if isinstance(clips, Tensor):
            batch = clips.new_empty(len(checked), *shapes[0])
            embeddings = list(batch)
        else:
            embeddings = [clip.new_empty(shape) for clip, shape in zip(checked, shapes, strict=True)]
        for index, pieces in groupby(self.frame_features().of_clips(checked), itemgetter(0)):
            pool = WindowPool(self.config.window_frames)
            filled = 0
            for windows in pool.windows(features for _, features in pieces):
                room = embeddings[index][filled : filled + len(windows)]
                room.copy_(windows[: len(room)])
                filled += len(room)
        times = [self._times(0, count, len(clip)).to(clip.device) for clip, count in zip(checked, counts, strict=True)]
        return (batch, torch.stack(times)) if isinstance(clips, Tensor) else (embeddings, times)

    @torch.no_grad()
    def stream_scene(self, blocks: Iterable[Tensor]) -> Tensor:
        """The scene embedding of one clip that comes in blocks, in constant memory.

        Args:
            blocks: ``(n_samples_i,)`` each, in order, of any sizes; float32 in [-1, 1] at ``sample_rate``.

        Returns:
            ``(scene_embedding_size,)`` float32, what :meth:`scene_embeddings` gives for the whole clip, where
            the weights are.

        Raises:
            TypeError: if a block is no tensor.
            ValueError: if there is no sample, or a block has the wrong dtype, shape or values.
        """
        pool = ClipPool()
        for features, _ in self.frame_features().of_blocks(blocks):
            pool.add(features)
        return pool.result()

    def stream_timestamps(self, blocks: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """The timestamp embeddings of one clip that comes in blocks, as they are ready, in constant memory.

        Args:
            blocks: as in :meth:`stream_scene`.

        Yields:
            embeddings ``(k, timestamp_embedding_size)`` where the weights are and timestamps ``(k,)`` in
            milliseconds, both float32; one after the other, what :meth:`timestamp_embeddings` gives for the
            whole clip.

        Raises:
            TypeError: if a block is no tensor.
            ValueError: if there is no sample, or a block has the wrong dtype, shape or values.
        """
        given = n_samples = 0

        def frames() -> Iterator[Tensor]:
            nonlocal n_samples
            for features, count in self.frame_features().of_blocks(blocks):
                n_samples = count
                yield features

        for windows in WindowPool(self.config.window_frames).windows(frames()):
            windows = windows[: timestamp_count(n_samples, *self._grid) - given]
            if len(windows):
                yield windows, self._times(given, given + len(windows), n_samples)
                given += len(windows)

    @property
    def _grid(self) -> tuple[int, int]:
        """Log-mel frames to a frame feature and samples to a log-mel frame."""
        return self.config.encoder.stride, self.config.frontend.hop_length

    def _times(self, first: int, last: int, n_samples: int) -> Tensor:
        return timestamps(first, last, n_samples, *self._grid, self.sample_rate)

    def frame_features(self) -> FrameFeatures:
        """The weights as they are now, in their fast form; made for each call, so that it is never stale."""
        config = self.config
        return FrameFeatures(config.frontend, config.mean, config.std, self.encoder, self.segment_seconds)

    def in_precision(self, precision: str) -> ByolaModel:
        """This model, or a copy of it that computes in half precision.

        In bfloat16 a CPU that has it (AVX512-BF16, AMX) and any recent GPU are about twice as fast. The embeddings
        are float32 still and within 2 %, relative, of the others; what holds for those to 1e-5 holds here to 2 %.

        Args:
            precision: ``"float32"`` or ``"bfloat16"``, of the convolutions and matrix products.

        Returns:
            The model itself for ``"float32"``, else a copy.

        Raises:
            ValueError: if the precision is another.
        """
        if precision not in PRECISIONS:
            raise ValueError(f"precision must be {' or '.join(map(repr, PRECISIONS))}, got {precision!r}")
        if precision == "float32":
            return self
        twin = copy.deepcopy(self)
        twin.encoder.to(torch.bfloat16)
        return twin

    def fingerprint(self) -> str:
        """SHA-256 of all that decides an embedding: weights, shape, front end, statistics and window.

        Returns:
            64 hexadecimal digits, the same for the same embeddings wherever the model came from.
        """
        decisive = {key: value for key, value in self.config.to_dict().items() if key not in _DESCRIPTIVE}
        digest = hashlib.sha256(json.dumps(decisive, sort_keys=True).encode())
        for name, values in sorted(self.encoder.state_dict().items()):
            if name.endswith("num_batches_tracked"):  # counts while training, and checkpoints leave it out
                continue
            digest.update(f"{name} {values.dtype}".encode())
            digest.update(values.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        return digest.hexdigest()
