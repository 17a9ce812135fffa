"""Keyword spotting: ten keywords, other words, or no word."""

from __future__ import annotations

from benchmark.tasks.public.labelled import LabelledClips
from benchmark.tasks.task import Task

TASK = Task(
    name="speech_commands",
    title="keywords",
    domain="speech",
    description="ten keywords, other words and background, of the official test set, split by speaker",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=("train", "valid", "test"),
    sample_duration=1.0,
    evaluation=("top1_acc",),
    items=LabelledClips("speech_commands_12", group="speaker", max_clips={"train": 80, "valid": 30, "test": 60}),
    sources=("speech_commands_12",),
)
