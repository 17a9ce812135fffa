"""Draw ``overview.png``, the picture of the README and of the documentation's first page.

Run from the top of a checkout: ``python docs/images/overview.py``. It needs matplotlib and Pillow. The sounds are
the clips in ``tests/data``, whose sources and licences are in ``tests/data/LICENCES.md``.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from matplotlib.figure import Figure
from PIL import Image

import byola_hear
from byola_hear.audio import read_audio

HERE = Path(__file__).resolve().parent
CLIPS = HERE.parents[1] / "tests" / "data"
#: The clips in the order of the picture, and what each is called there.
SOUNDS = {
    "speech_english_8k.wav": "English",
    "speech_french_16k.wav": "French",
    "piano_stereo_44k.mp3": "piano",
    "ambience_stereo_48k.opus": "ambience",
    "drum_stereo_44k.flac": "drum",
    "shutter_stereo_96k.ogg": "shutter",
}
#: Seconds of each clip that are shown at most.
LONGEST = 2.4


def main() -> None:
    """Embed the clips, one after the other, and draw them."""
    model = byola_hear.load_model()
    rate = model.sample_rate
    clips = [torch.from_numpy(read_audio(CLIPS / name, rate))[: int(LONGEST * rate)] for name in SOUNDS]
    borders = np.concatenate([[0.0], np.cumsum([len(clip) / rate for clip in clips])])
    embeddings, _ = byola_hear.get_timestamp_embeddings(torch.cat(clips)[None], model)
    points = embeddings[0]
    points = (points - points.mean(0)) / points.std(0).clamp(min=1e-6)
    similarity = torch.nn.functional.cosine_similarity(points[:, None], points[None], dim=-1).numpy()

    figure = Figure(figsize=(9, 4.2), layout="constrained", facecolor="white")
    grid = figure.add_gridspec(2, 2, width_ratios=[1.45, 1])
    sound, numbers = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[1, 0])
    alike = figure.add_subplot(grid[:, 1])

    spectrum = torch.stft(
        torch.cat(clips), 512, 160, window=torch.hann_window(512), center=True, return_complex=True
    ).abs()
    decibels = 20 * torch.log10(spectrum + 1e-4).numpy()
    sound.imshow(decibels, origin="lower", aspect="auto", cmap="magma", extent=(0, borders[-1], 0, rate / 2000))
    sound.set(title="Six sounds, one after the other", ylabel="kHz")
    # As many dimensions as can be told apart: those that vary most, put next to those that they follow.
    chosen = points[:, embeddings[0].std(0).argsort(descending=True)[:48]]
    order = torch.linalg.svd(chosen, full_matrices=False).Vh[0].argsort()
    numbers.imshow(
        chosen[:, order].T.numpy(), origin="lower", aspect="auto", cmap="RdBu_r", vmin=-2.5, vmax=2.5,
        extent=(0, borders[-1], 0, 48), interpolation="nearest",
    )  # fmt: skip
    numbers.set(title="Embeddings every 40 ms (48 of 3072 dimensions)", xlabel="seconds", yticks=[])
    alike.imshow(
        similarity, origin="upper", cmap="viridis", vmin=-0.2, vmax=0.8, extent=(0, borders[-1], borders[-1], 0)
    )
    alike.set(title="How similar each moment is to each other")
    middles = (borders[:-1] + borders[1:]) / 2
    for axis in (sound, numbers, alike):
        for border in borders[1:-1]:
            axis.axvline(border, color="white" if axis is not numbers else "black", linewidth=0.8)
    for border in borders[1:-1]:
        alike.axhline(border, color="white", linewidth=0.8)
    names = list(SOUNDS.values())
    alike.set_yticks(middles, names)
    alike.set_xticks(middles, names, rotation=35, ha="right", rotation_mode="anchor")
    sound.set_xticks(middles, names, fontsize=8)
    sound.tick_params(axis="x", length=0)
    for axis in (sound, numbers, alike):
        axis.title.set_fontsize(10)
        axis.tick_params(labelsize=8)
    drawn = BytesIO()
    figure.savefig(drawn, format="png", dpi=110)
    # With a palette the file takes a third of the space.
    Image.open(drawn).convert("RGB").quantize(128).save(HERE / "overview.png", optimize=True)


if __name__ == "__main__":
    main()
