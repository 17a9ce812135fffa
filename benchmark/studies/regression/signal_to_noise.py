"""Signal-to-noise ratio of speech in an environmental sound, in dB."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from benchmark.datasets.labelled_set import column, load_set
from benchmark.studies.regression.measurement import Examples, Measurement
from benchmark.studies.study import set_of_clips
from benchmark.tasks.scenes.levels import active_run, at_level, delivered
from benchmark.tasks.scenes.mixing import mixed

SPEECH, NOISE = "read_speech_speakers", "esc50"

#: Classes of sounds that people make; they are not used as noise.
HUMAN = ("crying_baby", "sneezing", "clapping", "breathing", "coughing", "footsteps", "laughing", "snoring")

#: Range of the ratios, dB, and the level of every mixture, dB re full scale, so that the level is not informative.
LOWEST, HIGHEST, LEVEL = -10.0, 30.0, -35.0


def signal_to_noise(audio: Path, cache: Path, seed: int) -> Examples:
    """Each read sentence once, at a uniformly distributed ratio, with noise of a recording that no other sentence has.

    The ratio compares active levels (:func:`benchmark.tasks.scenes.levels.active_level`), without pauses. The noise is
    the main sound of its recording, repeated for the length of the sentence.
    """
    rng = np.random.default_rng(seed)
    speech, noise = load_set(audio / f"{SPEECH}.tar", cache), load_set(audio / f"{NOISE}.tar", cache)
    # One clip of each recording, so that no recording is mixed with two speakers.
    recordings = pd.Series(column(noise, "source_recording"))
    usable = recordings[~np.isin(column(noise, "label"), HUMAN)].drop_duplicates()
    order = [int(row) for row in rng.permutation(usable.index)]
    speaker_of = column(speech, "speaker")
    sounds = (noise.clip(row)[slice(*active_run(noise.clip(row)))] for row in order)
    sounding = (sound for sound in sounds if len(sound))
    clips, ratios, speakers = [], [], []
    for row, sound in zip(rng.permutation(len(speech)), sounding):
        sentence = speech.clip(int(row))
        ratio = rng.uniform(LOWEST, HIGHEST)
        ground = at_level(np.resize(sound, len(sentence)), 0.0)
        clips.append(delivered(mixed(ground, [(0, sentence)], ratio), LEVEL))
        ratios.append(ratio)
        speakers.append(speaker_of[row])
    manifest = pd.DataFrame({"speaker": speakers, "target": ratios})
    made = set_of_clips("signal_to_noise", manifest, clips, speech.sample_rate)
    return Examples(made, np.arange(len(made)), np.array(ratios), np.array(speakers, dtype=str))


SIGNAL_TO_NOISE = Measurement(
    "signal_to_noise",
    "speech to noise",
    "dB",
    f"read sentences in environmental sounds at ratios of {LOWEST:g} to {HIGHEST:g} dB, all mixtures at one level; "
    "groups: speakers, each with different noise recordings",
    signal_to_noise,
)
