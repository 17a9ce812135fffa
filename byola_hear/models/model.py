"""The model: front end, fixed statistics, network and pooling, described by one configuration."""

from __future__ import annotations

import copy
import hashlib
import json
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, overload

import numpy as np
import torch
from torch import Tensor, nn

from byola_hear.audio.waveforms import check_clips
from byola_hear.models import hub_files
from byola_hear.models.checkpoint import CheckpointError, filled_encoder, read_checkpoint, weights_of
from byola_hear.models.config import ModelConfig
from byola_hear.models.directions import Directions, read_directions
from byola_hear.models.encoders.protocol import FrameEncoder
from byola_hear.models.encoders.registry import build_encoder
from byola_hear.models.frame_features import FrameFeatures
from byola_hear.models.frontend import log_mel
from byola_hear.models.pooling.clip import ClipPool
from byola_hear.models.pooling.timestamps import timestamp_count, timestamps
from byola_hear.models.pooling.window import WindowPool
from byola_hear.models.precision import PRECISIONS, SlowPrecisionWarning, fastest, is_slow, speeds
from byola_hear.utils.fork import survive_fork

#: Version of the embeddings that the same weights give. Raise it with a change of code that moves embeddings: stored
#: results of the version before are then out of date.
EMBEDDING_VERSION = 1


class ByolaModel(nn.Module):
    """A network with its front end, statistics and pooling. :func:`byola_hear.load_model` returns one.

    ``encoder`` holds the weights and can be trained through :meth:`forward`. The embedding methods use a faster form of
    it, made anew for each call, as in evaluation mode: running statistics, no dropout, no gradients. They run on the
    weights' device and return results on the audio's device.

    Args:
        config: everything except the weights.
        encoder: the network; one with random weights if None.
        directions: directions of this network, which turn its embeddings into short vectors; None for the embeddings
            themselves. :func:`byola_hear.load_model` reads them.

    Attributes:
        sample_rate: sampling rate of the audio in Hz, int.
        scene_embedding_size: dimensions of a scene embedding, int.
        timestamp_embedding_size: dimensions of a timestamp embedding, int.
        segment_seconds: seconds of audio in a pass, which limits the memory and does not change the result; the fastest
            length for the device if None.

    Raises:
        TypeError: if ``config`` is not a :class:`~byola_hear.models.config.ModelConfig`.
        ValueError: if ``encoder`` has another shape than the configuration, or ``directions`` are of another size.

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

    def __init__(
        self, config: ModelConfig, encoder: FrameEncoder | None = None, directions: Directions | None = None
    ) -> None:
        super().__init__()
        survive_fork()
        if not isinstance(config, ModelConfig):
            raise TypeError(f"expected a ModelConfig, got {type(config).__name__}")
        self.config = config
        self.encoder = build_encoder(config.encoder) if encoder is None else encoder
        if self.encoder.config != config.encoder:
            raise ValueError(f"expected an encoder of the configured shape {config.encoder}, got {self.encoder.config}")
        self.directions = directions
        size = int(config.encoder.feature_size)
        if directions is not None and len(directions.mean) != size:
            raise ValueError(f"expected directions of {size} dimensions, got {len(directions.mean)}")
        self.sample_rate = int(config.frontend.sample_rate)
        self.scene_embedding_size = self.timestamp_embedding_size = size if directions is None else directions.count
        self.segment_seconds: float | None = None
        self._int8 = False

    def __setstate__(self, state: dict[str, Any]) -> None:
        # A pickle is read without __init__.
        survive_fork()
        super().__setstate__(state)

    @classmethod
    def assemble(cls, path: Path, config: ModelConfig, tensors: dict[str, Tensor]) -> ByolaModel:
        """Make a model of the contents of a checkpoint.

        Args:
            path: the checkpoint, for messages.
            config: everything except the weights.
            tensors: the weights by name, of the shapes that the configuration implies.

        Returns:
            The model: float32, on the CPU, in evaluation mode.

        Raises:
            CheckpointError: if a weight is not a finite floating point number.
        """
        return cls(config, filled_encoder(path, config.encoder, tensors)).eval()

    @classmethod
    def from_pretrained(
        cls,
        source: str | os.PathLike[str],
        *,
        sha256: str | None = None,
        dimensions: int | None = None,
        **options: Any,
    ) -> ByolaModel:
        """Read a model from a folder or from the Hub: see :func:`byola_hear.hub.from_pretrained`."""
        path = hub_files.located(source, **options)
        model = cls.assemble(path, *read_checkpoint(path, sha256))
        return model.with_dimensions(
            dimensions, lambda: hub_files.located(source, file=hub_files.DIRECTIONS, **options)
        )

    def directions_of_checkpoint(self, path: Path) -> Directions | None:
        """Give the directions of short vectors to the network as a checkpoint of it stores it, with rounded weights.

        Args:
            path: the checkpoint.

        Returns:
            The directions, which name the stored network; None if the model has whole embeddings.
        """
        if self.directions is None:
            return None
        return self.directions.of_network(type(self).assemble(path, *read_checkpoint(path)).fingerprint())

    def save_pretrained(self, folder: str | os.PathLike[str], **options: Any) -> str:
        """Write the model into a folder: see :func:`byola_hear.hub.save_pretrained`."""
        return hub_files.save_pretrained(self, folder, **options)

    def push_to_hub(self, repository: str, **options: Any) -> str:
        """Upload the model to the Hub: see :func:`byola_hear.hub.push_to_hub`."""
        return hub_files.push_to_hub(self, repository, **options)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Compute frame features with gradients, for fine-tuning.

        Args:
            waveforms: ``(batch, n_samples)`` float32 in [-1, 1] at ``sample_rate``, on the weights' device.

        Returns:
            ``(batch, n_frames, feature_size)``, in the weights' dtype.
        """
        normalised = (log_mel(waveforms, self.config.frontend) - self.config.mean) / self.config.std
        return self.encoder(normalised[:, None].to(next(self.encoder.parameters()).dtype))

    @torch.no_grad()
    def scene_embeddings(self, clips: Tensor | Sequence[Tensor]) -> Tensor:
        """Compute one embedding per clip, which pools the frame features of its whole length.

        Args:
            clips: ``(n_sounds, n_samples)`` float32 in [-1, 1] at ``sample_rate``, or a list of clips
                ``(n_samples_i,)``; any length from one sample to many hours.

        Returns:
            ``(n_sounds, scene_embedding_size)`` float32.

        Raises:
            TypeError: if the clips are not tensors.
            ValueError: if there is no clip, or a clip has the wrong dtype, shape or values.
        """
        checked = check_clips(clips)
        of_clips = groupby(self.frame_features().of_clips(checked), itemgetter(0))
        embeddings = [self._scene(features for _, features in pieces) for _, pieces in of_clips]
        return torch.stack(embeddings).to(checked[0].device)

    @overload
    def timestamp_embeddings(self, clips: Tensor) -> tuple[Tensor, Tensor]: ...

    @overload
    def timestamp_embeddings(self, clips: Sequence[Tensor]) -> tuple[list[Tensor], list[Tensor]]: ...

    @torch.no_grad()
    def timestamp_embeddings(
        self, clips: Tensor | Sequence[Tensor]
    ) -> tuple[Tensor, Tensor] | tuple[list[Tensor], list[Tensor]]:
        """Compute embeddings along time, each of which pools the frame features in a window around its time.

        A timestamp is the centre of a frame feature: 15, 55, 95... ms in the v2 shape. The window spans
        ``config.window_frames`` frame features and is truncated at the clip's ends.

        Args:
            clips: as in :meth:`scene_embeddings`.

        Returns:
            Embeddings ``(n_sounds, n_timestamps, timestamp_embedding_size)`` and timestamps ``(n_sounds,
            n_timestamps)`` in milliseconds, both float32. No timestamp lies beyond the clip's end. For a list of clips,
            two lists: ``(n_timestamps_i, timestamp_embedding_size)`` each and ``(n_timestamps_i,)`` each.

        Raises:
            TypeError: if the clips are not tensors.
            ValueError: if there is no clip, or a clip has the wrong dtype, shape or values.
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
            pool = WindowPool(self.config.window_frames, self.config.pooling)
            filled = 0
            for windows in pool.windows(features for _, features in pieces):
                room = embeddings[index][filled : filled + len(windows)]
                room.copy_(self.shortened(windows[: len(room)]))
                filled += len(room)
        times = [self._times(0, count, len(clip)).to(clip.device) for clip, count in zip(checked, counts, strict=True)]
        return (batch, torch.stack(times)) if isinstance(clips, Tensor) else (embeddings, times)

    @torch.no_grad()
    def stream_scene(self, blocks: Iterable[Tensor]) -> Tensor:
        """Compute the scene embedding of one clip that arrives in blocks, in constant memory.

        Args:
            blocks: ``(n_samples_i,)`` each, in order, of any sizes; float32 in [-1, 1] at ``sample_rate``. The memory
                of a block may be used again for the next one.

        Returns:
            ``(scene_embedding_size,)`` float32 on the weights' device, equal to :meth:`scene_embeddings` of the whole
            clip.

        Raises:
            TypeError: if a block is not a tensor.
            ValueError: if there is no sample, or a block has the wrong dtype, shape or values.

        Example:
            >>> model.stream_scene(torch.zeros(16000).split(1000)).shape  # doctest: +SKIP
            torch.Size([3072])
        """
        return self._scene(features for features, _ in self.frame_features().of_blocks(blocks))

    def stream_timestamps(self, blocks: Iterable[Tensor]) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield the timestamp embeddings of one clip that arrives in blocks, as they are ready, in constant memory.

        Args:
            blocks: as in :meth:`stream_scene`.

        Yields:
            Embeddings ``(k, timestamp_embedding_size)`` on the weights' device and timestamps ``(k,)`` in milliseconds,
            both float32. Joined, they equal :meth:`timestamp_embeddings` of the whole clip.

        Raises:
            TypeError: if a block is not a tensor.
            ValueError: if there is no sample, or a block has the wrong dtype, shape or values.

        Example:
            >>> for embeddings, times in model.stream_timestamps(blocks):  # doctest: +SKIP
            ...     print(times, embeddings.shape)
        """
        given = n_samples = 0

        def frames() -> Iterator[Tensor]:
            nonlocal n_samples
            for features, count in self.frame_features().of_blocks(blocks):
                n_samples = count
                yield features

        for windows in WindowPool(self.config.window_frames, self.config.pooling).windows(frames()):
            windows = windows[: timestamp_count(n_samples, *self._grid) - given]
            if len(windows):
                yield self.shortened(windows), self._times(given, given + len(windows), n_samples)
                given += len(windows)

    def _scene(self, pieces: Iterable[Tensor]) -> Tensor:
        """The scene embedding of a clip's frame features ``(n_i, feature_size)``."""
        pool = ClipPool(self.config.pooling)
        for features in pieces:
            pool.add(features)
        return self.shortened(pool.result())

    @property
    def _grid(self) -> tuple[int, int]:
        """Log-mel frames per frame feature, and samples per log-mel frame."""
        return self.config.encoder.stride, self.config.frontend.hop_length

    def _times(self, first: int, last: int, n_samples: int) -> Tensor:
        return timestamps(first, last, n_samples, *self._grid, self.sample_rate)

    def shortened(self, pooled: Tensor) -> Tensor:
        """Turn what was pooled, ``(..., feature_size)``, into embeddings: the same without ``directions``."""
        return pooled if self.directions is None else self.directions(pooled)

    def with_directions(self, directions: Directions | None) -> ByolaModel:
        """The same network, with the same weights, which gives short vectors; or whole embeddings for None.

        Raises:
            ValueError: if the directions are of another network.
        """
        if directions is not None and directions.network != (mine := self.with_directions(None).fingerprint()):
            raise ValueError(
                f"expected directions of the network {mine[:12]}…, got those of {directions.network[:12]}…"
            )
        twin = ByolaModel(self.config, self.encoder, directions).train(self.training)
        twin.segment_seconds, twin._int8 = self.segment_seconds, self._int8
        return twin

    def with_dimensions(
        self, dimensions: int | None, find: Callable[[], Path | None], sha256: str | None = None
    ) -> ByolaModel:
        """The same network, which gives vectors of this many dimensions.

        Args:
            dimensions: the number; None, or that of whole embeddings, for these.
            find: finds the file with the directions; None if there is none.
            sha256: its SHA-256, hexadecimal; any if None.

        Raises:
            ValueError: if there are fewer directions, or (:class:`byola_hear.CheckpointError`) their file cannot
                be used.
            FileNotFoundError: if there is no such file.
        """
        size = self.config.encoder.feature_size
        if dimensions is None or (dimensions == size and not isinstance(dimensions, bool)):
            return self
        if isinstance(dimensions, bool) or not isinstance(dimensions, (int, np.integer)) or dimensions < 1:
            raise ValueError(f"dimensions must be a positive integer, got {dimensions!r}")
        path = find()
        if path is None or not path.is_file():
            missing = "" if path is None else f" ({path} is missing)"
            raise FileNotFoundError(
                f"{self.config.name} has no directions for short vectors{missing}; "
                "`python -m byola_hear.pretraining directions` makes them"
            )
        directions = read_directions(path, sha256)
        try:
            shortened = self.with_directions(directions)
        except ValueError as error:
            raise CheckpointError(f"{path}: {error}") from error
        if dimensions > directions.count:
            raise ValueError(
                f"expected 1 to {directions.count} dimensions, or {size} for whole embeddings, got {dimensions}"
            )
        return shortened.with_directions(directions.first(int(dimensions)))

    def frame_features(self) -> FrameFeatures:
        """Make the fast form of the network, with the weights that it has now."""
        return self._frame_features(self.encoder, self.precision)

    def _frame_features(self, encoder: FrameEncoder, precision: str) -> FrameFeatures:
        config = self.config
        return FrameFeatures(config.frontend, config.mean, config.std, encoder, self.segment_seconds, precision)

    @property
    def precision(self) -> str:
        """The arithmetic of the network, ``"int8"`` or the type of its weights, such as ``"float32"``."""
        return "int8" if self._int8 else str(next(self.encoder.parameters()).dtype).removeprefix("torch.")

    def in_precision(self, precision: str) -> ByolaModel:
        """Return this model, or a copy of it that computes in another precision.

        ``"int8"`` rounds the inputs and the weights of the linear layers to 8 bits, on CPUs. It moves embeddings by
        0.2 % of their norm (``both``, ``speech``, ``nonspeech``) or 0.6 % (``distilled``, ``distilled-small``), and
        short vectors by up to 1.3 %. With batch and chunks they change by less than 1e-3. ``"bfloat16"`` has half of
        float32's bits and moves embeddings by up to 3 %, short vectors by up to 10 %, and embeddings by up to 2 % again
        with batch and chunks. It is for GPUs, and for CPUs with AMX. Embeddings are float32 in every precision.

        ``"auto"`` takes the fastest on this machine that moves the embedding of the trial's audio by at most 5 % of its
        norm, measured in a trial of half a second whose result is kept in the user's cache folder. Tables of different
        precisions don't mix, so choose one by name if several machines write one table.

        Args:
            precision: ``"float32"``, ``"bfloat16"``, ``"int8"`` or ``"auto"``.

        Returns:
            The model itself if it computes so already, else a copy.

        Raises:
            ValueError: if there is no such precision here, or the model has given up its float32 weights.

        Warns:
            SlowPrecisionWarning: if a precision that was asked for by name is clearly slower than float32 on this
                machine.
        """
        if precision not in (*PRECISIONS, "auto"):
            known = ", ".join(map(repr, PRECISIONS))
            raise ValueError(f"precision must be {known} or 'auto', got {precision!r}")
        if precision == self.precision:
            return self
        if self.precision != "float32":
            raise ValueError(f"expected a model in float32 to change to {precision}, got one in {self.precision}")
        if precision == "int8":
            self._frame_features(self.encoder, precision)  # raises an error if it can't be done here
        measured = self.precision_speeds()
        if precision == "auto":
            precision = fastest(measured)
            if precision == "float32":
                return self
        elif is_slow(measured, precision):
            warnings.warn(
                f"{precision} is slower than float32 on this machine: {measured[precision]:.0f} × real time against "
                f"{measured['float32']:.0f}; the precision 'auto' takes the fastest",
                SlowPrecisionWarning,
                stacklevel=2,
            )
        twin = copy.deepcopy(self)
        twin._int8 = precision == "int8"
        if precision == "bfloat16":
            twin.encoder.to(torch.bfloat16)
        return twin

    def precision_speeds(self) -> dict[str, float]:
        """Measure how fast this machine computes the network in each precision, or remember it.

        Returns:
            Seconds of audio per second of processor time, for each precision that is usable here.
        """
        return speeds(self.encoder, self._frame_features, self._scene, self.fingerprint())

    def fingerprint(self) -> str:
        """Compute a SHA-256 of everything that decides an embedding: the weights and all settings that matter.

        Returns:
            64 hexadecimal digits: the same digits mean the same embeddings, wherever the model came from.
        """
        digest = hashlib.sha256(json.dumps(self.config.decisive(), sort_keys=True).encode())
        for name, values in sorted(weights_of(self.encoder).items()):
            digest.update(f"{name} {values.dtype}".encode())
            digest.update(values.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes())
        if self._int8:
            digest.update(b"int8")
        if self.directions is not None:
            digest.update(self.directions.fingerprint().encode())
        return digest.hexdigest()
