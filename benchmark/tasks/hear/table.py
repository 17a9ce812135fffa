"""HEAR's published tasks: names of their folders, descriptions, and columns in HEAR's leaderboard.

Source:
    https://hearbenchmark.com/hear-tasks.html; Turian et al., HEAR (arXiv 2203.03022).
"""

from __future__ import annotations

from dataclasses import dataclass

from benchmark.tasks.task import Domain


@dataclass(frozen=True)
class HearTask:
    """One of HEAR's tasks.

    Attributes:
        name: name of its folder, with version and size.
        title: short heading for a table.
        domain: kind of its sounds.
        column: its column in HEAR's leaderboard.
        description: one line.
    """

    name: str
    title: str
    domain: Domain
    column: str
    description: str


_ALL = (
    HearTask(
        "speech_commands-v0.0.2-5h",
        "Speech commands 5 h",
        "speech",
        "Speech commands 5h",
        "Which of 10 commands, silence or another word, in 1 s; 5 h of training.",
    ),
    HearTask(
        "speech_commands-v0.0.2-full",
        "Speech commands",
        "speech",
        "Speech commands full",
        "Which of 10 commands, silence or another word, in 1 s.",
    ),
    HearTask("tfds_crema_d-1.0.0-full", "CREMA-D", "speech", "CREMA-D", "Which of 6 acted emotions, in 5 s."),
    HearTask(
        "libricount-v1.0.0-hear2021-full",
        "LibriCount",
        "speech",
        "Libricount",
        "How many speakers at once, 0 to 10, in 5 s.",
    ),
    HearTask(
        "vox_lingua_top10-hear2021-full",
        "VoxLingua107 top 10",
        "speech",
        "VoxLingua107 top 10",
        "Which of 10 languages, in 18.64 s.",
    ),
    HearTask(
        "vocal_imitation-v1.1.3-full",
        "Vocal imitations",
        "speech",
        "Vocal Imitation",
        "Which of 302 sounds a voice imitates, in 11.26 s.",
    ),
    HearTask(
        "dcase2016_task2-hear2021-full",
        "DCASE 2016",
        "nonspeech",
        "DCASE 2016",
        "Which of 11 office sounds and when, in 120 s.",
    ),
    HearTask("esc50-v2.0.0-full", "ESC-50 (HEAR)", "nonspeech", "ESC-50", "Which of 50 environmental sounds, in 5 s."),
    HearTask(
        "gunshot_triangulation-v1.0-full",
        "Gunshot triangulation",
        "nonspeech",
        "Gunshot",
        "Which of 4 telephones, at different distances, recorded a shot, in 1.5 s.",
    ),
    HearTask(
        "beehive_states_fold0-v2-full",
        "Beehive 0",
        "nonspeech",
        "Beehive",
        "Whether a hive has its queen, in 600 s; first of two folds.",
    ),
    HearTask(
        "beehive_states_fold1-v2-full",
        "Beehive 1",
        "nonspeech",
        "Beehive",
        "Whether a hive has its queen, in 600 s; second of two folds.",
    ),
    HearTask(
        "beijing_opera-v1.0-hear2021-full",
        "Beijing opera",
        "nonspeech",
        "Beijing Opera",
        "Which of 4 percussion instruments, in 4.77 s.",
    ),
    HearTask("tfds_gtzan-1.0.0-full", "GTZAN genre", "nonspeech", "GTZAN Genre", "Which of 10 genres, in 30 s."),
    HearTask("maestro-v3.0.0-5h", "MAESTRO 5 h", "nonspeech", "Maestro 5h", "Which piano notes and when, in 120 s."),
    HearTask(
        "mridangam_stroke-v1.5-full",
        "Mridangam stroke",
        "nonspeech",
        "Mridangam Stroke",
        "Which of 10 strokes of a drum, in 0.81 s.",
    ),
    HearTask(
        "mridangam_tonic-v1.5-full",
        "Mridangam tonic",
        "nonspeech",
        "Mridangam Tonic",
        "Which of 6 tunings of a drum, in 0.81 s.",
    ),
    HearTask(
        "nsynth_pitch-v2.2.3-5h",
        "NSynth pitch 5 h",
        "nonspeech",
        "NSynth Pitch 5h",
        "Which of 88 pitches an instrument plays, in 4 s; 5 h.",
    ),
    HearTask(
        "nsynth_pitch-v2.2.3-50h",
        "NSynth pitch 50 h",
        "nonspeech",
        "NSynth Pitch 50h",
        "Which of 88 pitches an instrument plays, in 4 s; 50 h.",
    ),
    HearTask(
        "fsd50k-v1.0-full",
        "FSD50K",
        "cross",
        "FSD50K",
        "Which of 200 kinds of sound, speech and music among them, in up to 30 s.",
    ),
    HearTask(
        "tfds_gtzan_music_speech-1.0.0-full",
        "GTZAN music/speech",
        "cross",
        "GTZAN Music/Speech",
        "Whether music or speech, in 30 s.",
    ),
)

#: HEAR's tasks by the name of their folder.
HEAR_TASKS = {task.name: task for task in _ALL}
