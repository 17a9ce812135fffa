"""What scores of the tasks mean: chance level and, where one is published, a ceiling."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits of a task's score, in fractions of 1.

    Attributes:
        classes: number of classes.
        chance: score of the most frequent class among the tested files, mean over the folds.
        ceiling: what listeners reach; None if it is not known.
        source: what the ceiling is and who published it; empty without one.
    """

    classes: int
    chance: float
    ceiling: float | None = None
    source: str = ""


#: By task. Event tasks have none: without predictions, their score is 0.
LIMITS = {
    "spoken_digits": Limits(10, 0.1),
    "speech_commands": Limits(12, 0.0833),
    "language_id": Limits(12, 0.095),
    "speaker_id": Limits(52, 0.0192),
    "speaker_gender": Limits(2, 0.5),
    "vocal_bursts": Limits(10, 0.1),
    "emodb": Limits(
        7,
        0.2382,
        0.861,
        "mean over the emotions of twenty listeners' recognition rates, of all recorded sentences as a whole: "
        "Burkhardt et al. 2005, doi 10.21437/Interspeech.2005-446; the set keeps the sentences that more than 80 % "
        "recognised, and clips here are their first two seconds",
    ),
    "speaker_count": Limits(5, 0.2),
    "esc50": Limits(
        50,
        0.02,
        0.813,
        "listeners by crowdsourcing: Piczak, ESC: Dataset for Environmental Sound Classification, 2015, "
        "doi 10.1145/2733373.2806390",
    ),
    "orchestral_notes": Limits(12, 0.1081),
    "pitch": Limits(51, 0.0339),
    "drum_strokes": Limits(11, 0.2444),
    "speech_music_other": Limits(3, 0.3333),
}
