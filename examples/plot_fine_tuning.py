"""
Fine-tuning
===========

A model's ``forward`` gives frame features with gradients, so the network can be trained further on a task.
"""

# %%
# The task
# --------
# Which kind of percussion instrument is struck? There are 39 strokes of five kinds; a third is held out. The clips of
# a batch need one length, so each one is cut at 0.4 s or followed by silence.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.model_selection import train_test_split
from sounds import PERCUSSION
from torch import nn

import byola_hear
from byola_hear.audio import read_audio

torch.manual_seed(0)
model = byola_hear.load_model("speech")  # it was trained on none of these sounds
files = sorted(PERCUSSION.glob("*/*.flac"))
kinds, labels = np.unique([file.parent.name for file in files], return_inverse=True)
length = round(0.4 * model.sample_rate)
clips = [read_audio(file, model.sample_rate)[:length] for file in files]
waveforms = torch.from_numpy(np.stack([np.pad(clip, (0, length - len(clip))) for clip in clips]))
labels = torch.from_numpy(labels)
train, held_out = train_test_split(np.arange(len(files)), test_size=1 / 3, stratify=labels, random_state=0)
print(f"{len(train)} strokes to train on, {len(held_out)} held out, {len(kinds)} kinds")

# %%
# What is trained
# ---------------
# A linear layer on the clip embedding, and the last two layers of the network. The convolutions keep their weights,
# and the model stays in evaluation mode, so the statistics of its batch norms stay as well.

head = nn.Sequential(nn.LayerNorm(model.scene_embedding_size), nn.Linear(model.scene_embedding_size, len(kinds)))
model.eval().requires_grad_(False)
model.encoder.fc.requires_grad_(True)


def logits(waveforms: torch.Tensor) -> torch.Tensor:
    """Frame features, pooled as the package does it (maximum plus mean over time), then the head."""
    features = model(waveforms)
    return head(features.amax(dim=1) + features.mean(dim=1))


def fit(parameters: list[dict], steps: int) -> list[tuple[float, float]]:
    """Train, and return the losses on the training and the held-out strokes at each step."""
    optimizer = torch.optim.AdamW(parameters)
    losses = []
    for _ in range(steps):
        loss = nn.functional.cross_entropy(logits(waveforms[train]), labels[train])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append((loss.item(), evaluate()[0]))
    return losses


@torch.no_grad()
def evaluate() -> tuple[float, int]:
    """Loss on the held-out strokes, and how many of them are recognised."""
    output = logits(waveforms[held_out])
    loss = nn.functional.cross_entropy(output, labels[held_out]).item()
    return loss, int((output.argmax(dim=1) == labels[held_out]).sum())


# %%
# First the head, then both
# -------------------------
# A new head sends large and random gradients into the network. So the head is trained alone first, and the network
# then follows with a smaller learning rate.

losses = fit([{"params": head.parameters(), "lr": 3e-4}], steps=8)
print(f"head alone: {evaluate()[1]} of {len(held_out)} held-out strokes recognised")
last_layers = model.encoder.fc.parameters()
losses += fit([{"params": head.parameters(), "lr": 3e-4}, {"params": last_layers, "lr": 1e-5}], steps=8)
print(f"head and last layers: {evaluate()[1]} of {len(held_out)}")

# %%
# The loss on the training strokes falls further than the loss on the held-out ones. With so few sounds, the network
# soon overfits. This example shows how fine-tuning is done, not that it pays. Before you prefer it, compare it with a
# classifier on the frozen embeddings, on enough data.

figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
axes.plot(losses, label=["training", "held out"])
axes.axvline(7.5, color="grey", linestyle="--", label="last layers join")
axes.set(xlabel="step", ylabel="cross-entropy", title="Loss")
axes.legend()
plt.show()

# %%
# Save it
# -------
# The fine-tuned network is a model like any other: it can be saved, loaded, and used to embed files. Matrices are
# stored in half precision unless ``dtype`` says otherwise.

with tempfile.TemporaryDirectory() as folder:
    model.save_pretrained(folder, dtype=torch.float32)
    print(sorted(path.name for path in Path(folder).iterdir()))
    reloaded = type(model).from_pretrained(folder)
    same = torch.equal(reloaded.scene_embeddings(waveforms), model.scene_embeddings(waveforms))
print("the same embeddings after reloading:", same)
