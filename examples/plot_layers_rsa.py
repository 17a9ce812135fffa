"""
Layers and representational similarity
======================================

What do the layers of a network keep? Representational similarity analysis compares them through distances.
"""

# %%
# Features of every layer
# -----------------------
# PyTorch's forward hooks collect the outputs of the two convolutional blocks and of the two linear layers while
# ``forward`` runs. Each layer gives one vector for each sound: the mean over time.

import matplotlib.pyplot as plt
import numpy as np
import torch
from scipy.spatial.distance import pdist, squareform
from scipy.stats import spearmanr
from sounds import PERCUSSION
from torch import nn

import byola_hear
from byola_hear.audio import read_audio

model = byola_hear.load_model("speech")
blocks = [layer for layer in model.encoder.features if isinstance(layer, nn.MaxPool2d)]
linears = [layer for layer in model.encoder.fc if isinstance(layer, nn.ReLU)]
layers = {"block 1": blocks[0], "block 2": blocks[1], "linear 1": linears[0], "linear 2": linears[1]}

features: dict[str, list[np.ndarray]] = {name: [] for name in layers}


def keep(name: str):
    """A hook that keeps a layer's output, averaged over time."""

    def hook(module: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        # (1, channels, mel bands, time) from a block, (1, time, size) from a linear layer
        mean = output.mean(dim=-1) if output.ndim == 4 else output.mean(dim=1)
        features[name].append(mean.flatten().numpy())

    return hook


handles = [layer.register_forward_hook(keep(name)) for name, layer in layers.items()]
files = sorted(PERCUSSION.glob("*/*.flac"))
clips = [read_audio(file, model.sample_rate) for file in files]
with torch.no_grad():
    for clip in clips:
        model(torch.from_numpy(clip)[None])
for handle in handles:
    handle.remove()
print({name: np.shape(rows) for name, rows in features.items()})

# %%
# Dissimilarity matrices
# ----------------------
# The dissimilarity of two sounds in a layer is one minus the correlation of their vectors. The matrices of all layers
# have one size, however many dimensions the layers have, so they can be compared.

distances = {name: pdist(np.stack(rows), "correlation") for name, rows in features.items()}
kinds = np.array([file.parent.name for file in files])

figure, all_axes = plt.subplots(1, 4, figsize=(11, 3.2), sharey=True, layout="constrained")
bounds = np.flatnonzero(kinds[1:] != kinds[:-1]) + 0.5
middles = [np.flatnonzero(kinds == kind).mean() for kind in np.unique(kinds)]
for axes, (name, distance) in zip(all_axes, distances.items(), strict=True):
    image = axes.imshow(squareform(distance), cmap="viridis", vmin=0)
    axes.set_title(name)
    axes.set_xticks([])
    axes.set_yticks(middles, [kind.replace("_", " ") for kind in np.unique(kinds)])
    axes.hlines(bounds, -0.5, len(files) - 0.5, color="white", linewidth=0.6)
    axes.vlines(bounds, -0.5, len(files) - 0.5, color="white", linewidth=0.6)
    figure.colorbar(image, ax=axes, shrink=0.7)
figure.suptitle("Dissimilarity of 39 strokes by layer")
plt.show()

# %%
# What do the layers agree with?
# ------------------------------
# Three simple descriptions make matrices of their own: the kind of instrument, the level in decibels, and the
# brightness (the centre of gravity of the spectrum, as a logarithm). Spearman's rank correlation compares them with
# each layer.


def brightness(clip: np.ndarray) -> float:
    power = np.abs(np.fft.rfft(clip)) ** 2
    return np.log2(np.average(np.fft.rfftfreq(len(clip), 1 / model.sample_rate), weights=power))


descriptions = {
    "kind": (squareform(kinds[:, None] != kinds[None], checks=False)).astype(float),
    "level": pdist([[10 * np.log10(np.square(clip).mean())] for clip in clips]),
    "brightness": pdist([[brightness(clip)] for clip in clips]),
}
agreement = np.array([[spearmanr(a, b).statistic for b in descriptions.values()] for a in distances.values()])
between = spearmanr(np.stack(list(distances.values()), axis=1)).statistic
print("layers with each other:", *between.round(2), sep="\n")

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for name, values in zip(descriptions, agreement.T, strict=True):
    axes.plot(list(layers), values, marker="o", label=name)
    print(name, values.round(2))
axes.axhline(0, color="grey", linewidth=0.8)
axes.set(ylabel="Spearman's correlation", title="What the distances of a layer agree with")
axes.legend()
plt.show()

# %%
# Brightness and kind overlap: cymbals are bright. And 39 sounds are few; ``python -m benchmark rsa`` does this for
# hundreds of sounds and gives intervals.
