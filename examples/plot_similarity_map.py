"""
Similar sounds and a map
========================

Which sounds resemble each other? Nearest neighbours, a figure, and an HTML page to listen to.
"""

# %%
# Nearest neighbours
# ------------------
# Standardising the columns gives each dimension the same weight. After that the cosine of two embeddings measures how
# similar the sounds are. The strokes of percussion instruments lie in one folder for each kind.

import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sounds import PERCUSSION

import byola_hear

table = byola_hear.embed(PERCUSSION, model="speech")
paths = [Path(file) for file in table.index.get_level_values("file")]
names, kinds = np.array([path.stem for path in paths]), np.array([path.parent.name for path in paths])

rows = table.to_numpy()
rows = (rows - rows.mean(axis=0)) / (rows.std(axis=0) + 1e-6)
unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
cosine = unit @ unit.T
np.fill_diagonal(cosine, -1)  # a sound is not its own neighbour
for name in ("sn_dolf", "drum_splash_soft", "tabla_ghe1"):
    nearest = cosine[names == name][0].argsort()[:-4:-1]
    print(f"{name}:", ", ".join(names[nearest]))
same = kinds[cosine.argmax(axis=1)] == kinds
print(f"strokes whose nearest neighbour is of the same kind: {same.sum()} of {len(same)}")

# %%
# Two dimensions
# --------------
# The first two principal components make a plane. They keep only part of the variance, so neighbours in the plane are
# not always neighbours in the full space.

u, s, _ = np.linalg.svd(unit - unit.mean(axis=0), full_matrices=False)
plane = u[:, :2] * s[:2]
kept = (s[:2] ** 2).sum() / (s**2).sum()
print(f"variance in the plane: {kept:.0%}")

figure, axes = plt.subplots(figsize=(7, 5), layout="constrained")
for kind in np.unique(kinds):
    axes.scatter(*plane[kinds == kind].T, label=kind.replace("_", " "))
for name in ("bd_haus", "drum_cymbal_pedal", "drum_tom_lo_hard", "elec_fuzz_tom", "tabla_ghe1"):
    axes.annotate(name, plane[names == name][0], xytext=(0, 6), textcoords="offset points", fontsize=8, ha="center")
axes.margins(x=0.15)
axes.set(xlabel="component 1", ylabel="component 2", title="Strokes of percussion")
axes.legend()
plt.show()

# %%
# A page to listen to
# -------------------
# ``byola-hear map`` draws such a plane as one HTML page: points are coloured by folder, a click plays the sound and
# lists its neighbours. With ``--embed-audio`` the page holds the sounds and can be sent to somebody.

with tempfile.TemporaryDirectory() as folder:
    page = Path(folder, "percussion.html")
    command = [sys.executable, "-m", "byola_hear", "map", PERCUSSION, "-o", page.name, "--model", "speech"]
    done = subprocess.run([*command, "--embed-audio"], cwd=folder, capture_output=True, text=True, check=True)
    print("$ byola-hear map percussion -o percussion.html --model speech --embed-audio")
    print(done.stdout)
