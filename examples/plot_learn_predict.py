"""
From a few labels to detections
===============================

Label a few sounds, learn them, find them in another recording, and write a table for an annotation program. The
commands ``byola-hear learn`` and ``byola-hear predict`` do the same; here it is in Python, with a score at the end.
"""

# %%
# Recordings with labels
# ----------------------
# The sounds are strokes of four instruments. Four recordings, each with one stroke of each instrument, are to learn
# from. A fifth has three other strokes of each. All have soft noise and a person who speaks, which is no class.

import tempfile
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import soundfile
from sounds import CLIPS, PERCUSSION

import byola_hear
from byola_hear import labels
from byola_hear.audio import read_audio
from byola_hear.classification.classifier import Network
from byola_hear.classification.examples import from_audio
from byola_hear.classification.labelled import Labels
from byola_hear.classification.predicting import score
from byola_hear.classification.training import learn

RATE = 16000
KINDS = ("bass_drum", "cymbal", "snare", "tom")
random = np.random.default_rng(0)


def record(path: Path, strokes: list[Path], speech: Path) -> pd.DataFrame:
    """Write a recording with strokes every 1.5 s and return its labels."""
    samples = 0.003 * random.standard_normal(round((1.5 * len(strokes) + 4) * RATE))
    talk = 0.3 * read_audio(speech, RATE)
    samples[-len(talk) :] += talk
    rows = []
    for place, stroke in enumerate(strokes):
        sound = 0.5 * read_audio(stroke, RATE)
        first = round((1.5 * place + 0.5 + random.uniform(0, 0.4)) * RATE)
        samples[first : first + len(sound)] += sound
        rows.append((str(path), first / RATE, (first + len(sound)) / RATE, stroke.parent.name))
    soundfile.write(path, samples.clip(-1, 1), RATE)
    return pd.DataFrame(rows, columns=["file", "start", "end", "label"])


folder = tempfile.TemporaryDirectory()
here = Path(folder.name)
of_kind = {kind: sorted((PERCUSSION / kind).glob("*.flac")) for kind in KINDS}
labelled = [
    record(here / f"labelled-{number}.wav", [of_kind[kind][number] for kind in KINDS], CLIPS / "speech_english_8k.wav")
    for number in range(4)
]
others = [of_kind[kind][number] for number in (4, 5, 6) for kind in KINDS]
truth = record(here / "new.wav", others, CLIPS / "speech_french_16k.wav")
print(f"{sum(map(len, labelled))} labels to learn from, {len(truth)} strokes to find")

# %%
# Learn
# -----
# A window is as long as the labels are in the median. What no label touches is a negative. The strength of
# regularisation and the thresholds come from cross-validation, whose folds never split a recording. On the command
# line: ``byola-hear learn --labels labels.csv --unlabelled -o strokes.safetensors``.

known = Labels(pd.concat(labelled))
model = byola_hear.load_model("both")
examples = from_audio(known, model, known.window(), unlabelled=True)
trained = learn(examples, Network.of(model, "both"), hop=known.window() / 4)
classifier = trained.classifier
print(f"{len(examples)} windows of {classifier.window:g} s, {trained.n_folds} folds")
for name, measured, operating in zip(classifier.classes, trained.measures, classifier.operating, strict=True):
    print(f"{name}: average precision {measured.average_precision:.2f}, threshold {operating.best_f1:.2f}")

# %%
# Find
# ----
# :func:`byola_hear.predict` gives a row for each detection, and :func:`byola_hear.labels.write` writes them for Raven,
# Audacity or a spreadsheet.

found = byola_hear.predict(here / "new.wav", classifier)
labels.write(found, here / "new.Table.1.selections.txt", "raven")
print((here / "new.Table.1.selections.txt").read_text().replace(f"{here}/", ""))

# %%
# Compare
# -------
# A stroke counts as found if a detection of its instrument overlaps it.

overlap = (found["start"].to_numpy() < truth["end"].to_numpy()[:, None]) & (
    found["end"].to_numpy() > truth["start"].to_numpy()[:, None]
)
right = overlap & (found["label"].to_numpy() == truth["label"].to_numpy()[:, None])
print(f"{right.any(1).sum()} of {len(truth)} strokes found, {right.any(0).sum()} of {len(found)} detections right")

(scored,) = score([byola_hear.Clip(str(here / "new.wav"))], classifier, model)
track = scored.track
figure, axes = plt.subplots(len(KINDS), 1, figsize=(9, 6), sharex=True, sharey=True, layout="constrained")
for place, (axis, name) in enumerate(zip(axes, classifier.classes, strict=True)):
    axis.plot((track.start + track.end) / 2, track.scores[:, place], color="tab:blue", label="score")
    axis.axhline(classifier.operating[place].best_f1, color="grey", linewidth=0.8, linestyle="--", label="threshold")
    for number, row in enumerate(truth[truth["label"] == name].itertuples()):
        axis.axvspan(row.start, row.end, color="tab:orange", alpha=0.3, label="stroke" if number == 0 else None)
    axis.set(ylabel=name, ylim=(0, 1))
axes[-1].set_xlabel("time (s)")
figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper center", ncols=3)
plt.show()
folder.cleanup()

# %%
# Sixteen labels are few, and the strokes of one instrument differ: some come from an acoustic kit, others from drum
# machines. With more labels, scores rise; :doc:`../benchmark/studies/detection` measures how much.
