"""ESC-50: environmental sounds of fifty kinds, in the five official folds."""

from __future__ import annotations

from benchmark.tasks.public.labelled import LabelledClips
from benchmark.tasks.task import Task

TASK = Task(
    name="esc50",
    title="esc50",
    domain="nonspeech",
    description="fifty kinds of environmental sounds; the official five folds, less four clips of recordings in two",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=("fold1", "fold2", "fold3", "fold4", "fold5"),
    sample_duration=5.0,
    evaluation=("top1_acc",),
    items=LabelledClips("esc50", group="source_recording", split="fold", split_prefix="fold"),
    sources=("esc50",),
)
