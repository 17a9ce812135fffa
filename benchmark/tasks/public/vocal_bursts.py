"""Vocal bursts: which emotion do sighs, cries and laughs express?"""

from __future__ import annotations

from benchmark.tasks.public.labelled import LabelledClips
from benchmark.tasks.task import Task

TASK = Task(
    name="vocal_bursts",
    title="bursts",
    domain="speech",
    description="ten emotions in voices without words, split by speaker",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=("train", "valid", "test"),
    sample_duration=2.0,
    evaluation=("top1_acc",),
    items=LabelledClips("vocal_bursts", group="speaker"),
    sources=("vocal_bursts",),
)
