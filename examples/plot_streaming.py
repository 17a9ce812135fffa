"""
Streaming
=========

``stream_scene`` and ``stream_timestamps`` embed one sound that comes in blocks: a long file, or a microphone.
"""

# %%
# A file in blocks
# ----------------
# :func:`byola_hear.audio.read_blocks` decodes and resamples a file block by block. The model keeps only the samples of
# the segment it is working on, so the memory does not depend on the length of the sound.

import itertools
from collections.abc import Iterator

import matplotlib.pyplot as plt
import torch
from sounds import TABLA_LOOP

import byola_hear
from byola_hear.audio import read_audio, read_blocks

model = byola_hear.load_model()
rate = model.sample_rate


def blocks(seconds: float) -> Iterator[torch.Tensor]:
    """The clip as tensors of so many seconds."""
    yield from map(torch.from_numpy, read_blocks(TABLA_LOOP, rate, block_seconds=seconds))


# %%
# The same as the whole
# ---------------------
# The model computes in segments. ``segment_seconds`` sets their length; by default they are long, which is fastest.
# Neither the cuts between segments nor those between blocks change the result beyond rounding.

clip = torch.from_numpy(read_audio(TABLA_LOOP, rate))
whole_scene = byola_hear.get_scene_embeddings(clip[None], model)[0]
whole_rows, whole_times = byola_hear.get_timestamp_embeddings([clip], model)
model.segment_seconds = 0.5
for seconds in (0.01, 0.3, 2.0):
    scene = model.stream_scene(blocks(seconds))
    rows, times = map(torch.cat, zip(*model.stream_timestamps(blocks(seconds)), strict=True))
    scene_error = (scene - whole_scene).abs().max().item()
    rows_error = (rows - whole_rows[0]).abs().max().item()
    print(f"blocks of {seconds} s: largest difference {scene_error:.1e} (scene), {rows_error:.1e} (timestamps)")
    print("  the same timestamps:", torch.equal(times, whole_times[0]))
model.segment_seconds = None
print(f"largest number in the embeddings: {whole_rows[0].max().item():.1f}")

# %%
# A long recording
# ----------------
# A generator stands in for a recording of two minutes, which never lies in memory as a whole.

recording = itertools.chain.from_iterable(blocks(0.5) for _ in range(24))
n_rows = sum(len(rows) for rows, _ in model.stream_timestamps(recording))
print(n_rows, "timestamp embeddings of 120 s")

# %%
# How soon do the embeddings come?
# --------------------------------
# Short segments answer sooner. Here blocks of 0.1 s arrive, and each step is a call that gives embeddings.


def delivered(segment_seconds: float) -> tuple[list[float], list[float]]:
    """Seconds of sound received each time embeddings came, and the time that these had reached."""
    received = 0.0
    steps = []

    def counted() -> Iterator[torch.Tensor]:
        nonlocal received
        for block in blocks(0.1):
            received += len(block) / rate
            yield block

    model.segment_seconds = segment_seconds
    for _, times in model.stream_timestamps(counted()):
        steps.append((received, times[-1].item() / 1000))
    came, reached = zip(*steps, strict=True)
    return list(came), list(reached)


figure, axes = plt.subplots(figsize=(7, 4.5), layout="constrained")
for segment_seconds in (0.2, 1.0, 2.0):
    came, reached = delivered(segment_seconds)
    axes.step([0, *came], [0, *reached], where="post", marker=".", label=f"segment_seconds = {segment_seconds}")
    print(f"segment_seconds = {segment_seconds}: first embeddings after {came[0]:.1f} s of sound")
axes.plot([0, 5], [0, 5], color="grey", linewidth=0.8, linestyle="--", label="no delay")
axes.set(xlabel="sound received (s)", ylabel="embeddings up to (s)", title="Delay of stream_timestamps")
axes.legend()
plt.show()
