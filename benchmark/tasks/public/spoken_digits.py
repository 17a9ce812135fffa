"""Spoken digits of unknown speakers: six folds with one speaker each."""

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
    # 20 of the 3000 digits are longer, and none of them has a hundredth of its energy beyond that.
    sample_duration=1.0,
    evaluation=("top1_acc",),
    items=LabelledClips("spoken_digits", group="speaker", split="speaker", max_clips=25),
    sources=("spoken_digits",),
)
