"""Drum strokes: which drum or cymbal of a kit is struck?"""

from __future__ import annotations

from benchmark.tasks.public.labelled import LabelledClips
from benchmark.tasks.task import Task

TASK = Task(
    name="drum_strokes",
    title="drums",
    domain="nonspeech",
    description="eleven drums and cymbals of one kit, three microphones, split by stroke",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=("train", "valid", "test"),
    # Cymbals ring longer, but can be recognised by then.
    sample_duration=1.0,
    evaluation=("top1_acc",),
    # The left ride's bell has three strokes, none of them for testing; one stroke of the hi-hat is empty.
    items=LabelledClips("drum_strokes", group="stroke", leave_out=("RideLBell",), least_seconds=0.05),
    sources=("drum_strokes",),
)
