"""HEAR's own small data as tasks: what HEAR's preparation fetches in its small mode, in the layouts of the full tasks.

They have far too few clips for a claim about a model. They try the way of HEAR's data from files to scores: splits and
folds, one label and several, counts, and each of heareval's scores of clips. A split may lack labels. HEAR has no small
data without a large download for its two event tasks, so none is among them; the suite ``mini`` has one.

Source:
    https://github.com/hearbenchmark/hear-preprocess: durations, numbers of folds and scores.
"""

from __future__ import annotations

from typing import Any

from benchmark.tasks.hear.small_layouts import (
    SET,
    Layout,
    SmallClips,
    commands,
    development,
    fold_names,
    folds,
    frequent_languages,
    hives,
    imitations,
    own_folds,
    tonics,
)
from benchmark.tasks.task import Domain, Task

TRAINVALTEST = ("train", "valid", "test")
ALL_SCORES = ("top1_acc", "mAP", "d_prime", "aucroc")


def _task(
    name: str,
    of: str,
    title: str,
    domain: Domain,
    seconds: float,
    splits: tuple[str, ...],
    layout: Layout,
    description: str,
    evaluation: tuple[str, ...] = ALL_SCORES,
    **others: Any,
) -> Task:
    return Task(
        name=f"small_{name}",
        title=f"{title} (small)",
        domain=domain,
        description=f"{description} From HEAR's small data: too few clips for a claim.",
        embedding_type="scene",
        prediction_type="multilabel" if others.get("several") else "multiclass",
        splits=splits,
        sample_duration=seconds,
        evaluation=evaluation,
        items=SmallClips(of, layout, **others),
        sources=(SET,),
        sparse=True,
    )


_FIREARMS = tuple(f"fold_fid{number}" for number in range(1, 8))
_QUEEN = ("aucroc", "mAP", "d_prime", "top1_acc")
_BY_MAP = ("mAP", "d_prime", "aucroc", "top1_acc")

TASKS = (
    _task(
        "speech_commands",
        "speech_commands",
        "Speech commands",
        "speech",
        1.0,
        TRAINVALTEST,
        commands,
        "Which of 10 commands, silence or another word.",
        ("top1_acc",),
    ),
    _task(
        "spoken_digit",
        "spoken_digit",
        "Spoken digits",
        "speech",
        0.56,
        fold_names(5),
        folds(5),
        "Which of 10 digits.",
        ("top1_acc",),
    ),
    _task("crema_d", "crema_d", "CREMA-D", "speech", 2.0, fold_names(5), folds(5), "Which of 6 acted emotions."),
    _task(
        "libricount",
        "libricount",
        "LibriCount",
        "speech",
        2.0,
        fold_names(5),
        folds(5),
        "How many speakers at once, 0 to 10.",
    ),
    _task(
        "vox_lingua",
        "vox_lingua_top10",
        "VoxLingua107 top 10",
        "speech",
        2.0,
        fold_names(5),
        frequent_languages,
        "Which of 10 languages.",
    ),
    _task(
        "vocal_imitation",
        "vocal_imitation",
        "Vocal imitations",
        "speech",
        2.0,
        fold_names(3),
        imitations,
        "Which sound a voice imitates; no sound has two imitations, so nothing can be learnt.",
        _BY_MAP,
    ),
    _task(
        "esc50",
        "esc50",
        "ESC-50",
        "nonspeech",
        2.0,
        tuple(f"fold_{number}" for number in range(1, 6)),
        own_folds,
        "Which of 14 environmental sounds.",
    ),
    _task(
        "gunshot",
        "gunshot_triangulation",
        "Gunshot triangulation",
        "nonspeech",
        1.5,
        _FIREARMS,
        own_folds,
        "Which of 4 telephones, at different distances, recorded a shot; a firearm is a fold. 40 of HEAR's 88 clips.",
    ),
    _task(
        "beehive_0",
        "beehive_states",
        "Beehive 0",
        "nonspeech",
        2.0,
        TRAINVALTEST,
        hives("hive1"),
        "Whether a hive has its queen; tested on another hive.",
        _QUEEN,
    ),
    _task(
        "beehive_1",
        "beehive_states",
        "Beehive 1",
        "nonspeech",
        2.0,
        TRAINVALTEST,
        hives("hive3"),
        "Whether a hive has its queen; the other hive is tested.",
        _QUEEN,
    ),
    _task(
        "beijing_opera",
        "beijing_opera",
        "Beijing opera",
        "nonspeech",
        2.0,
        fold_names(5),
        folds(5),
        "Which of 4 percussion instruments.",
    ),
    _task(
        "gtzan_genre", "gtzan_genre", "GTZAN genre", "nonspeech", 2.0, fold_names(10), folds(10), "Which of 8 genres."
    ),
    _task(
        "mridangam_stroke",
        "mridangam",
        "Mridangam stroke",
        "nonspeech",
        1.0,
        fold_names(5),
        folds(5),
        "Which of 7 strokes of a drum.",
    ),
    _task(
        "mridangam_tonic",
        "mridangam",
        "Mridangam tonic",
        "nonspeech",
        1.0,
        fold_names(5),
        tonics,
        "Which of 6 tunings of a drum.",
    ),
    _task(
        "fsd50k",
        "fsd50k",
        "FSD50K",
        "cross",
        1.0,
        TRAINVALTEST,
        development,
        "Which kinds of sound, several at once.",
        _BY_MAP,
        several=True,
    ),
    _task(
        "gtzan_music_speech",
        "gtzan_music_speech",
        "GTZAN music/speech",
        "cross",
        2.0,
        fold_names(10),
        folds(10),
        "Whether music or speech.",
    ),
)
