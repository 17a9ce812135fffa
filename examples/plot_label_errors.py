"""
Find wrong labels
=================

A classifier is trained on some of the labelled sounds and asked about the others. Where it is sure of another label,
the given one may be wrong: such sounds are worth a second listening.

`cleanlab <https://docs.cleanlab.ai>`_ decides how many labels are suspect, and is used here if it is installed
(``pip install cleanlab``). Without it, the suspects are the sounds of which the classifier prefers another label.
"""

# %%
# Labels, some of them wrong
# --------------------------
# The sounds are 39 single strokes of percussion instruments; the folder's name is the label. Four labels are made wrong
# on purpose, to see whether they are found.

import matplotlib.pyplot as plt
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sounds import PERCUSSION

import byola_hear

paths = sorted(PERCUSSION.glob("*/*.flac"))
true = np.array([path.parent.name for path in paths])
rng = np.random.default_rng(0)
labels = true.copy()
wrong = rng.choice(len(labels), 4, replace=False)
for row in wrong:
    labels[row] = rng.choice(np.unique(true[true != true[row]]))
    print(f"{paths[row].parent.name}/{paths[row].name} is called {labels[row]} now")

# %%
# Scores of sounds that the classifier did not see
# ------------------------------------------------
# Short vectors suit a small collection: see the guide to them. Cross-validation gives each sound the scores of a
# classifier that was trained on other sounds.

embeddings = byola_hear.embed(paths, dimensions=128, output="numpy")
classes, codes = np.unique(labels, return_inverse=True)
classifier = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500))
scores = cross_val_predict(classifier, embeddings, codes, cv=4, method="predict_proba")

# %%
# What to listen to
# -----------------
# The least likely label comes first.

given = scores[np.arange(len(codes)), codes]
try:
    from cleanlab.filter import find_label_issues

    suspects = find_label_issues(codes, scores, return_indices_ranked_by="self_confidence")
except ImportError:
    suspects = [row for row in np.argsort(given) if scores[row].argmax() != codes[row]]

for row in suspects:
    path = paths[row]
    print(f"{path.parent.name}/{path.name}: {labels[row]} ({given[row]:.2f})? rather {classes[scores[row].argmax()]}")

found = {int(row) for row in suspects} & {int(row) for row in wrong}
print(f"{len(found)} of the {len(wrong)} wrong labels are among {len(suspects)} suspects of {len(labels)} sounds")

# %%
# The scores of the given labels: those of wrong ones are at the bottom.

order = np.argsort(given)
colours = np.where(np.isin(order, wrong), "tab:red", "tab:blue")
figure, axes = plt.subplots(figsize=(6.5, 2.8), layout="constrained")
axes.bar(range(len(order)), given[order], color=colours)
axes.set_xlabel("sounds, the least likely label first; red: the label was made wrong")
axes.set_ylabel("score of the label")
plt.show()
