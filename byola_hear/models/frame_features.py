"""Frame features of clips of any length, segment by segment, in bounded memory.

Each segment is computed with as much context as its frame features can see: the encoder's ``overlap`` on each side,
clipped at the clip's true ends, from a multiple of its ``block`` on. So the result does not depend on where the cuts
are. No clip is padded to another's length and no statistics are taken from a batch, so the result does not depend on
the other clips either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import torch
from torch import Tensor

from byola_hear.audio.waveforms import check_waveform
from byola_hear.models.encoders.protocol import FrameEncoder
from byola_hear.models.encoders.registry import inference_form
from byola_hear.models.frontend import FrontendConfig, frame_count, log_mel_of_padded, reflected

#: Seconds of audio in a pass: enough for matrix products at full speed, in little memory (about 70 MB on a CPU).
CPU_SECONDS, DEVICE_SECONDS = 12.0, 120.0


def cuts(start: int, stop: int, most: int, block: int = 1) -> list[tuple[int, int]]:
    """Cut a range into pieces of at most ``most``: as few as possible, as even as possible.

    Args:
        start: start of the range.
        stop: end of the range, exclusive.
        most: largest length of a piece; a multiple of ``block``.
        block: pieces begin at multiples of this, counted from ``start``.

    Returns:
        Start and end of each piece; one empty piece for an empty range.

    Example:
        >>> cuts(0, 10, 4)
        [(0, 4), (4, 7), (7, 10)]
        >>> cuts(0, 10, 4, block=2)
        [(0, 4), (4, 8), (8, 10)]
    """
    blocks = -(-(stop - start) // block)
    pieces = max(-(-blocks // (most // block)), 1)
    size, longer = divmod(blocks, pieces)
    edges = (start + block * (piece * size + min(piece, longer)) for piece in range(pieces + 1))
    return list(pairwise(min(edge, stop) for edge in edges))


def feature_count(n_frames: int, stride: int) -> int:
    """Number of frame features of ``n_frames`` log-mel frames, rounded up so that no sound is dropped.

    Example:
        >>> feature_count(101, 4)
        26
    """
    return -(-n_frames // stride)


@dataclass
class _Segment:
    """Frame features ``first`` to ``last`` (exclusive) of a clip, or of the part of a stream that is in memory.

    Attributes:
        clip: index of the clip.
        first: first frame feature.
        last: one past the last frame feature.
        samples: ``(n_samples,)``, the sound in memory.
        origin: the log-mel frame that is centred on the first of these samples.
    """

    clip: int
    first: int
    last: int
    samples: Tensor
    origin: int = 0


class FrameFeatures:
    """Turns waveforms into frame features with frozen weights, on the weights' device.

    Args:
        frontend: how waveforms become log-mels.
        mean: mean of the training set's log-mel.
        std: standard deviation of the training set's log-mel.
        encoder: the network; it runs as in evaluation mode, whatever mode it is in.
        segment_seconds: seconds of audio in a pass; the fastest length for the device if None.
        precision: ``"int8"`` to compute in 8-bit integers. Otherwise the weights' type decides.

    Raises:
        ValueError: if ``segment_seconds`` is not positive, or there is no form in 8-bit integers.
    """

    def __init__(
        self,
        frontend: FrontendConfig,
        mean: float,
        std: float,
        encoder: FrameEncoder,
        segment_seconds: float | None = None,
        precision: str = "float32",
    ) -> None:
        self.frontend = frontend
        self.mean, self.std = mean, std
        self.network = inference_form(encoder, precision)
        self.stride, self.overlap, self.block = encoder.config.stride, encoder.config.overlap, encoder.config.block
        if segment_seconds is None:
            segment_seconds = CPU_SECONDS if self.network.device.type == "cpu" else DEVICE_SECONDS
        if not segment_seconds > 0:
            raise ValueError(f"segment_seconds must be positive, got {segment_seconds}")
        frame_seconds = self.stride * frontend.hop_length / frontend.sample_rate
        # Frame features in a pass: whole blocks, at least one.
        self.size = max(int(segment_seconds / frame_seconds) // self.block, 1) * self.block

    def of_clips(self, clips: Sequence[Tensor]) -> Iterator[tuple[int, Tensor]]:
        """Compute the frame features of whole clips.

        Args:
            clips: ``(n_samples_i,)`` each, already checked.

        Yields:
            The clip's index and its next frame features ``(k, feature_size)``, clip by clip and in order.
        """
        waiting: list[_Segment] = []
        room = self.size
        for index, clip in enumerate(clips):
            for first, last in cuts(0, self._feature_count(len(clip)), self.size, self.block):
                if last - first > room:
                    yield from zip((segment.clip for segment in waiting), self._pass(waiting), strict=True)
                    waiting, room = [], self.size
                waiting.append(_Segment(index, first, last, clip))
                room -= last - first
        yield from zip((segment.clip for segment in waiting), self._pass(waiting), strict=True)

    def of_blocks(self, blocks: Iterable[Tensor]) -> Iterator[tuple[Tensor, int]]:
        """Compute the frame features of one clip that arrives in blocks.

        Args:
            blocks: ``(n_samples_i,)`` each, in order, of any sizes; their memory may be used again for the next one.

        Yields:
            The next frame features ``(k, feature_size)``, and the number of samples taken so far: all of them with the
            last piece.

        Raises:
            TypeError: if a block is not a tensor.
            ValueError: if there is no sample, or a block has the wrong dtype, shape or values.
        """
        hop_length, half = self.frontend.hop_length, self.frontend.n_fft // 2
        held: list[Tensor] = []  # samples, from the centre of log-mel frame `origin` on
        origin = done = n_samples = 0

        def ready() -> bool:
            # All log-mel frames of the segment and of its context have their whole windows, without reflection.
            return n_samples > ((done + self.size + self.overlap) * self.stride - 1) * hop_length + half

        for index, block in enumerate(blocks):
            if isinstance(block, Tensor) and block.ndim == 1 and len(block) == 0:
                continue
            # A copy: microphones and soundfile.blocks(out=...) fill the memory of a block again.
            held.append(check_waveform(block, f"block {index}").detach().clone())
            n_samples += len(held[-1])
            if not ready():
                continue
            samples = torch.cat(held)
            while ready():
                yield self._pass([_Segment(0, done, done + self.size, samples, origin)])[0], n_samples
                done += self.size
            # The next segment needs its context on the left, and half a window before that.
            start = max((done - self.overlap) * self.stride - -(-half // hop_length) - 1, origin)
            held = [samples[(start - origin) * hop_length :].clone()]
            origin = start
        if n_samples == 0:
            raise ValueError("expected a clip of at least one sample, got none")
        samples = torch.cat(held)
        for first, last in cuts(done, self._feature_count(n_samples), self.size, self.block):
            yield self._pass([_Segment(0, first, last, samples, origin)])[0], n_samples

    def _feature_count(self, n_samples: int) -> int:
        return feature_count(frame_count(n_samples, self.frontend), self.stride)

    def _pass(self, segments: list[_Segment]) -> list[Tensor]:
        """Compute the frame features of each segment, in the weights' type also within the user's autocast."""
        with torch.no_grad(), torch.autocast(self.network.device.type, enabled=False):
            hidden: list[Tensor] = []
            for (n_frames, lead), group in groupby(segments, self._sight):
                hidden += self._in_context(list(group), n_frames, lead)
            features = self.network.per_frame(torch.cat(hidden) if len(hidden) > 1 else hidden[0])
            return list(features.split([len(piece) for piece in hidden]))

    def _sight(self, segment: _Segment) -> tuple[int, int]:
        """Number of log-mel frames that a segment sees, and number of frame features of context on its left."""
        n_frames = segment.origin + frame_count(len(segment.samples), self.frontend)
        begin = max(segment.first - self.overlap, 0)
        end = min((segment.last + self.overlap) * self.stride, n_frames)
        return end - begin * self.stride, segment.first - begin

    def _in_context(self, segments: list[_Segment], n_frames: int, lead: int) -> list[Tensor]:
        """Run the network's first part on segments of equal sight; ``(k, hidden_size)`` each, context cut off."""
        frontend = self.frontend
        pieces = []
        for segment in segments:
            # Where the first window lies in the samples in memory.
            centre = ((segment.first - lead) * self.stride - segment.origin) * frontend.hop_length
            start = centre - frontend.n_fft // 2
            stop = start + frontend.n_fft + (n_frames - 1) * frontend.hop_length
            pieces.append(reflected(segment.samples, start, stop))
        samples = torch.stack(pieces).to(self.network.device)
        frames = log_mel_of_padded(samples, frontend).transpose(1, 2)
        hidden = self.network.in_context(frames.sub_(self.mean).div_(self.std))
        return [
            piece[lead : lead + segment.last - segment.first] for piece, segment in zip(hidden, segments, strict=True)
        ]
