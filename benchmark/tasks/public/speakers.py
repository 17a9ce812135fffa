"""Speakers: who speaks, and is the voice female or male?"""

from __future__ import annotations

from benchmark.tasks.public.labelled import LabelledClips
from benchmark.tasks.task import Task

FOLDS = ("fold1", "fold2", "fold3", "fold4", "fold5")

#: Split by sentence, since the probe must know all speakers.
SPEAKER_ID = Task(
    name="speaker_id",
    title="speaker",
    domain="speech",
    description="52 speakers, children and adults, each known from nine sentences and tested on four others",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=("train", "valid", "test"),
    sample_duration=2.5,
    evaluation=("top1_acc",),
    items=LabelledClips("read_speech_speakers", label="speaker", label_prefix="speaker_"),
    sources=("read_speech_speakers",),
)

#: Split by speaker.
SPEAKER_GENDER = Task(
    name="speaker_gender",
    title="gender",
    domain="speech",
    description="female or male voices of children and adults, five folds of whole speakers",
    embedding_type="scene",
    prediction_type="multiclass",
    splits=FOLDS,
    sample_duration=2.5,
    evaluation=("top1_acc",),
    items=LabelledClips(
        "read_speech_speakers",
        label="gender",
        group="speaker",
        shares=dict.fromkeys(FOLDS, 1.0),
        stratify=("gender", "age_group"),
        max_clips=52,
    ),
    sources=("read_speech_speakers",),
)

TASKS = (SPEAKER_ID, SPEAKER_GENDER)
