"""
Timestamps and onsets
=====================

Timestamp embeddings describe a sound along time. Where they change quickly, something new begins.
"""

# %%
# Embeddings along time
# ---------------------
# The clip is five seconds of a tabla, a pair of drums. The networks give one embedding every 40 ms. By default each one
# pools a window of 0.36 s, which says a lot about *what* sounds but blurs *when* it begins.

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.signal import find_peaks
from sounds import TABLA_LOOP

import byola_hear
from byola_hear.audio import read_audio

model = byola_hear.load_model("speech")
samples = read_audio(TABLA_LOOP, model.sample_rate)
embeddings, times = byola_hear.get_timestamp_embeddings(torch.from_numpy(samples)[None], model)
print("embeddings:", tuple(embeddings.shape), "from", times[0, 0].item(), "to", times[0, -1].item(), "ms")

# %%
# A shorter window
# ----------------
# :func:`byola_hear.embed` takes any window and hop. A window of 40 ms is one frame of the network.

frames = byola_hear.embed(samples, model, kind="timestamp", window=0.04, sample_rate=model.sample_rate)
frame_times = frames.index.get_level_values("time").to_numpy()


def novelty(rows: np.ndarray) -> np.ndarray:
    """Distance of each embedding to the one before it, scaled to a maximum of 1."""
    change = np.linalg.norm(np.diff(rows, axis=0, prepend=rows[:1]), axis=1)
    return change / change.max()


change = novelty(frames.to_numpy())
slow_change = novelty(embeddings[0].numpy())
onsets = frame_times[find_peaks(change, prominence=0.15)[0]]

# %%
# Compare with the energy
# -----------------------
# The energy of a drum rises at every stroke, so it gives a reference that needs no network: the peaks of the rise of
# the level in decibels, in frames of 20 ms.

hop = round(0.02 * model.sample_rate)
level = 10 * np.log10(np.square(samples[: len(samples) // hop * hop]).reshape(-1, hop).mean(axis=1) + 1e-6)
rise = np.diff(level, prepend=level[0])
rises = find_peaks(rise, height=6)[0] * hop / model.sample_rate
distance = np.abs(rises[:, None] - onsets[None])
print(len(rises), "rises of energy by 6 dB or more,", len(onsets), "peaks of change in the embeddings")
print("rises with a peak within 60 ms:", int((distance.min(axis=1) <= 0.06).sum()))
print("peaks with a rise within 60 ms:", int((distance.min(axis=0) <= 0.06).sum()))

# %%
# Neither is the truth: a quiet stroke in the ring of a loud one may show in the embeddings and hardly in the energy.
# On labelled recordings a trained event detector is the better test.

figure, (top, bottom) = plt.subplots(2, 1, figsize=(9, 5), sharex=True, layout="constrained")
top.plot(np.arange(len(samples)) / model.sample_rate, samples, linewidth=0.4, color="grey")
top.vlines(rises, -0.3, 0.3, color="tab:orange", label="energy rises")
top.set(ylabel="amplitude", title="A tabla")
bottom.plot(times[0] / 1000, slow_change, color="tab:green", label="window 0.36 s")
bottom.plot(frame_times, change, color="tab:blue", label="window 0.04 s")
bottom.plot(onsets, np.interp(onsets, frame_times, change), "v", color="tab:red", label="peaks")
bottom.set(xlabel="time (s)", ylabel="change of embedding")
figure.legend(loc="outside right upper")
plt.show()
