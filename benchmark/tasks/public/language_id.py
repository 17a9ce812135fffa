"""Language identification: which of twelve languages is spoken?"""

from __future__ import annotations

from benchmark.tasks.public.labelled import LabelledClips
from benchmark.tasks.task import Task

TASK = Task(
    name="language_id",
    title="language",
    domain="speech",
    description="twelve languages, read by volunteers, split by speaker",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=("train", "valid", "test"),
    sample_duration=3.5,
    evaluation=("top1_acc",),
    items=LabelledClips("language_id", group="speaker"),
    sources=("language_id",),
)
