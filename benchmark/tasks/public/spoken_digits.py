"""Spoken digits, one speaker never heard before: six folds, a speaker each."""

from __future__ import annotations

from benchmark.tasks.public.labelled import LabelledClips
from benchmark.tasks.task import Task

TASK = Task(
    name="spoken_digits",
    title="digits",
    domain="speech",
    description="ten spoken digits by six speakers, each speaker tested by what was learnt from four others",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=("george", "jackson", "lucas", "nicolas", "theo", "yweweler"),
    # Of the 3000 digits 20 are longer, and none has a hundredth of its energy after that.
    sample_duration=1.0,
    evaluation=("top1_acc",),
    items=LabelledClips("spoken_digits", group="speaker", split="speaker", max_clips=25),
    sources=("spoken_digits",),
)
