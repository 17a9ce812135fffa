"""EmoDB: which of seven emotions does an actor play?"""

from __future__ import annotations

from benchmark.tasks.public.labelled import LabelledClips
from benchmark.tasks.task import Task

FOLDS = ("fold1", "fold2", "fold3", "fold4", "fold5")

#: Two of the ten actors in each fold, a woman's and a man's share of the clips as equal as whole actors allow.
TASK = Task(
    name="emodb",
    title="emotion",
    domain="speech",
    description="seven emotions in German sentences by ten actors, five folds of whole actors; the first two seconds",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=FOLDS,
    sample_duration=2.0,
    evaluation=("top1_acc",),
    items=LabelledClips(
        "emodb", label="emotion", group="speaker", shares=dict.fromkeys(FOLDS, 1.0), stratify=("gender",)
    ),
    sources=("emodb",),
)
