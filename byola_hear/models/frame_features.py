"""Frame features of clips of any length, segment by segment, in bounded memory.

Each segment is computed with as much of its neighbourhood as its frame features can see: one frame feature on
either side, clipped at the clip's true ends. So nothing depends on where the cuts are. No clip is padded to
another's length and nothing is computed from a batch, so nothing depends on a clip's neighbours either.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

import torch
from torch import Tensor

from byola_hear.audio.waveforms import check_waveform
from byola_hear.models.encoders.convolutional import Encoder, feature_count
from byola_hear.models.encoders.folded import FoldedEncoder
from byola_hear.models.frontend import FrontendConfig, frame_count, log_mel_of_padded, reflected

#: Seconds of audio to a pass: enough for matrix products at full speed, little enough to take no memory to speak
#: of (about 70 MB on a CPU).
CPU_SECONDS, DEVICE_SECONDS = 12.0, 120.0


def cuts(start: int, stop: int, most: int) -> list[tuple[int, int]]:
    """Cut a range into as few pieces of at most ``most`` as will do, as even as possible.

    Example:
        >>> cuts(0, 10, 4)
        [(0, 4), (4, 7), (7, 10)]
    """
    pieces = max(-(-(stop - start) // most), 1)
    size, longer = divmod(stop - start, pieces)
    return list(pairwise(start + piece * size + min(piece, longer) for piece in range(pieces + 1)))


@dataclass
class _Segment:
    """Frame features ``first`` to ``last`` (exclusive) of a clip, or of as much of a stream as is at hand.

    Attributes:
        clip: index of the clip.
        first: first frame feature.
        last: one past the last frame feature.
        samples: ``(n,)``, the sound at hand.
        origin: the log-mel frame that is centred on the first of these samples.
    """

    clip: int
    first: int
    last: int
    samples: Tensor
    origin: int = 0


class FrameFeatures:
    """Waveforms to frame features with frozen weights, where the weights are.

    Args:
        frontend: waveform to log-mel.
        mean: of the training set's log-mel.
        std: of the training set's log-mel.
        encoder: the network; its running statistics count, whatever mode it is in.
        segment_seconds: seconds of audio to a pass; None for what is fastest on the device.

    Raises:
        ValueError: if ``segment_seconds`` is not positive.
    """

    def __init__(
        self,
        frontend: FrontendConfig,
        mean: float,
        std: float,
        encoder: Encoder,
        segment_seconds: float | None = None,
    ) -> None:
        self.frontend = frontend
        self.mean, self.std = mean, std
        self.network = FoldedEncoder(encoder)
        self.stride = encoder.config.stride
        if segment_seconds is None:
            segment_seconds = CPU_SECONDS if self.network.device.type == "cpu" else DEVICE_SECONDS
        if not segment_seconds > 0:
            raise ValueError(f"segment_seconds must be positive, got {segment_seconds}")
        frame_seconds = self.stride * frontend.hop_length / frontend.sample_rate
        self.size = max(int(segment_seconds / frame_seconds), 1)  # frame features to a pass

    def of_clips(self, clips: Sequence[Tensor]) -> Iterator[tuple[int, Tensor]]:
        """Frame features of whole clips.

        Args:
            clips: ``(n_samples_i,)`` each, checked.

        Yields:
            index of the clip and ``(k, feature_size)``, clip by clip and in order.
        """
        waiting: list[_Segment] = []
        room = self.size
        for index, clip in enumerate(clips):
            for first, last in cuts(0, self._feature_count(len(clip)), self.size):
                if last - first > room:
                    yield from zip((segment.clip for segment in waiting), self._pass(waiting), strict=True)
                    waiting, room = [], self.size
                waiting.append(_Segment(index, first, last, clip))
                room -= last - first
        yield from zip((segment.clip for segment in waiting), self._pass(waiting), strict=True)

    def of_blocks(self, blocks: Iterable[Tensor]) -> Iterator[tuple[Tensor, int]]:
        """Frame features of one clip that comes in blocks.

        Args:
            blocks: ``(n_samples_i,)`` each, in order, of any sizes.

        Yields:
            ``(k, feature_size)``, in order, and how many samples came so far: all with the last piece.

        Raises:
            TypeError: if a block is no tensor.
            ValueError: if there is no sample, or a block has the wrong dtype, shape or values.
        """
        hop_length, half = self.frontend.hop_length, self.frontend.n_fft // 2
        held: list[Tensor] = []  # samples from the centre of log-mel frame `origin` on
        origin = done = n_samples = 0

        def ready() -> bool:
            # All log-mel frames in sight, one frame feature further, have their windows without reflection.
            return n_samples > ((done + self.size + 1) * self.stride - 1) * hop_length + half

        for index, block in enumerate(blocks):
            if isinstance(block, Tensor) and block.ndim == 1 and len(block) == 0:
                continue
            held.append(check_waveform(block, f"block {index}").detach())
            n_samples += len(held[-1])
            if not ready():
                continue
            samples = torch.cat(held)
            while ready():
                yield self._pass([_Segment(0, done, done + self.size, samples, origin)])[0], n_samples
                done += self.size
            # To the left the next segment sees one frame feature, and that one's first window half of itself.
            start = max((done - 1) * self.stride - -(-half // hop_length) - 1, origin)
            held = [samples[(start - origin) * hop_length :].clone()]
            origin = start
        if n_samples == 0:
            raise ValueError("expected a clip of at least one sample, got none")
        samples = torch.cat(held)
        for first, last in cuts(done, self._feature_count(n_samples), self.size):
            yield self._pass([_Segment(0, first, last, samples, origin)])[0], n_samples

    def _feature_count(self, n_samples: int) -> int:
        return feature_count(frame_count(n_samples, self.frontend), self.stride)

    def _pass(self, segments: list[_Segment]) -> list[Tensor]:
        """Frame features of each segment: convolutions by equal shape, linear layers all at once."""
        with torch.no_grad():
            local: list[Tensor] = []
            for (n_frames, lead), group in groupby(segments, self._sight):
                local += self._local(list(group), n_frames, lead)
            features = self.network.features(torch.cat(local) if len(local) > 1 else local[0])
            return list(features.split([len(piece) for piece in local]))

    def _sight(self, segment: _Segment) -> tuple[int, int]:
        """How many log-mel frames a segment's convolutions see, and how many frame features at the left are
        there for the sight alone.
        """
        n_frames = segment.origin + frame_count(len(segment.samples), self.frontend)
        begin = max(segment.first - 1, 0)
        return min((segment.last + 1) * self.stride, n_frames) - begin * self.stride, segment.first - begin

    def _local(self, segments: list[_Segment], n_frames: int, lead: int) -> list[Tensor]:
        """Local features of segments of equal sight, ``(k, local_size)`` each."""
        frontend = self.frontend
        pieces = []
        for segment in segments:
            # The first window, in the samples at hand.
            centre = ((segment.first - lead) * self.stride - segment.origin) * frontend.hop_length
            start = centre - frontend.n_fft // 2
            stop = start + frontend.n_fft + (n_frames - 1) * frontend.hop_length
            pieces.append(reflected(segment.samples, start, stop))
        samples = torch.stack(pieces).to(self.network.device)
        frames = log_mel_of_padded(samples, frontend).transpose(1, 2)
        local = self.network.local(frames.sub_(self.mean).div_(self.std))
        return [
            piece[lead : lead + segment.last - segment.first] for piece, segment in zip(local, segments, strict=True)
        ]
