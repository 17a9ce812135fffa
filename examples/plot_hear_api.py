"""
The HEAR API
============

HEAR's three functions, used as a benchmark uses them: embed the sounds, keep the network fixed, train a small probe.
"""

# %%
# Three functions
# ---------------
# A HEAR module has ``load_model``, ``get_scene_embeddings`` and ``get_timestamp_embeddings``, and a model has three
# numbers: its sample rate and the two embedding sizes. Audio comes as tensors at that rate.

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.linear_model import RidgeClassifier
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sounds import PERCUSSION

import byola_hear
from byola_hear.audio import read_audio

model = byola_hear.load_model("speech")
print(model.sample_rate, model.scene_embedding_size, model.timestamp_embedding_size)

# %%
# HEAR passes tensors ``(n_sounds, n_samples)``. This package also takes a list of clips of different lengths, which
# need no padding.

files = sorted(PERCUSSION.glob("*/*.flac"))
kinds = np.array([file.parent.name for file in files])
clips = [torch.from_numpy(read_audio(file, model.sample_rate)) for file in files]
scenes = byola_hear.get_scene_embeddings(clips, model)
frames, times = byola_hear.get_timestamp_embeddings(clips[:2], model)
print("scenes:", tuple(scenes.shape))
print("timestamps:", [tuple(rows.shape) for rows in frames], "at", times[0].tolist(), "ms")

# %%
# Probes on three networks
# ------------------------
# A nearest neighbour and a ridge classifier tell five kinds of percussion apart. Their settings are not tuned.

probes = {"nearest neighbour": KNeighborsClassifier(1, metric="cosine"), "ridge": RidgeClassifier(alpha=100.0)}
draws = RepeatedStratifiedKFold(n_splits=5, n_repeats=4, random_state=0)
networks = ["speech", "nonspeech", "both"]
scores = {name: [] for name in probes}
for network in networks:
    rows = byola_hear.get_scene_embeddings(clips, byola_hear.load_model(network)).numpy()
    for name, probe in probes.items():
        of_folds = cross_val_score(make_pipeline(StandardScaler(), probe), rows, kinds, cv=draws)
        scores[name].append(of_folds.reshape(4, 5).mean(axis=1))
        print(f"{network:9}  {name:17}  accuracy {of_folds.mean():.2f}")

# %%
# Read this with care. There are 39 sounds, and ``nonspeech`` and ``both`` were pre-trained on sounds of the package
# that these come from, though without labels. Bars end at the mean of four draws of the folds, lines at the lowest
# and the highest. The benchmark's tables compare the networks on sounds that none of them was trained on, but for a few
# clips of ESC-50.

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for offset, (name, draws_of) in zip((-0.2, 0.2), scores.items(), strict=True):
    values = np.array(draws_of)
    mean = values.mean(axis=1)
    ends = np.abs(np.stack([values.min(axis=1), values.max(axis=1)]) - mean)
    axes.bar(np.arange(len(networks)) + offset, mean, 0.38, yerr=ends, capsize=4, label=name)
axes.axhline(1 / len(np.unique(kinds)), color="grey", linestyle="--", label="chance")
axes.set_xticks(range(len(networks)), networks)
axes.set(ylabel="accuracy", ylim=(0, 1), title="Kind of percussion, five folds")
figure.legend(loc="outside lower center", ncols=3)
plt.show()
