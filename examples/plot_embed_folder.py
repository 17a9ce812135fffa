"""
Embed a folder
==============

:func:`byola_hear.embed` turns files, folders or waveforms into a table with one row for each embedding.
"""

# %%
# One row for each file
# ---------------------
# The folder holds six short clips: two of speech, a drum, a piano, an ambience and a camera's shutter. They differ in
# format, sample rate and number of channels. Each file is decoded, mixed down to mono and resampled to 16 kHz.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sounds import CLIPS

import byola_hear

table = byola_hear.embed(CLIPS)
table = table.rename(index=lambda file: Path(file).stem, level="file")  # the index holds full paths
print(table.iloc[:, :4])
print("shape:", table.shape)

# %%
# The index says which part of which file a row describes, in seconds. The table is an ordinary DataFrame, so it can be
# saved, read back and joined with labels.

with tempfile.TemporaryDirectory() as folder:
    table.to_parquet(Path(folder, "clips.parquet"))
    print("size of the file:", Path(folder, "clips.parquet").stat().st_size, "bytes")

# %%
# One row for each window
# -----------------------
# With ``window``, windows of that length cover each clip from its beginning. The last one ends with the clip.

windows = byola_hear.embed(CLIPS, window=0.25).rename(index=lambda file: Path(file).stem, level="file")
starts = windows.index.get_level_values("start")
files = windows.index.get_level_values("file")
print(windows.groupby("file", sort=False).size())

# %%
# Which windows are alike?
# ------------------------
# Subtracting the mean removes what all windows share. The cosine of two rows then says how much they have in common.
# Each block on the diagonal is one clip: most windows resemble others of their own clip, and the two voices each other.

centred = windows.to_numpy() - windows.to_numpy().mean(axis=0)
unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
first_rows = np.flatnonzero(starts == 0)
middles = (first_rows + np.append(first_rows[1:], len(files))) / 2 - 0.5

figure, axes = plt.subplots(figsize=(7, 5.5), layout="constrained")
image = axes.imshow(unit @ unit.T, cmap="RdBu_r", vmin=-1, vmax=1)
for row in first_rows[1:]:
    axes.axhline(row - 0.5, color="black", linewidth=0.8)
    axes.axvline(row - 0.5, color="black", linewidth=0.8)
names = [name.split("_")[0] for name in files[first_rows]]
names[-2:] = ["English", "French"]
axes.set_xticks(middles, names, rotation=30)
axes.set_yticks(middles, names)
axes.set_title("Windows of 0.25 s in six clips")
figure.colorbar(image, label="cosine of centred embeddings")
plt.show()
