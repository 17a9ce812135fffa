"""The public originals of the labelled sets.

Each set comes from one archive that anyone can download without an account. The clips are those of the published
results, by name (see :mod:`benchmark.datasets.selection`); ESC-50 and the spoken digits are used whole. The clips are
stored losslessly here, whereas the published results were measured on clips coded with Opus at 24 kbit/s, so scores can
differ slightly.
"""

from __future__ import annotations

from benchmark.datasets import origin_hear_small as hear_small
from benchmark.datasets import origin_nonspeech as nonspeech
from benchmark.datasets import origin_ratings as rated
from benchmark.datasets import origin_speech as speech
from benchmark.datasets.origin import Origin
from byola_hear.utils.download import Remote

_GITHUB = "https://github.com"
_OPENSLR = (
    "https://openslr.trmal.net",
    "https://openslr.elda.org",
    "https://openslr.magicdatatech.com",
    "https://www.openslr.org",
)


_ALL = (
    Origin(
        name="speech_commands_12",
        title="Speech Commands v0.02, test set",
        licence="CC BY 4.0",
        page="https://arxiv.org/abs/1804.03209",
        archive=Remote(
            "speech_commands_test_set_v0.02.tar.gz",
            (
                "https://storage.googleapis.com/download.tensorflow.org/data/speech_commands_test_set_v0.02.tar.gz",
                "http://download.tensorflow.org/data/speech_commands_test_set_v0.02.tar.gz",
            ),
            checksum="sha256:cc2a00c1147c2254e9be3fa0f779d8c17421dc349b86366567a8edfa9acd51df",
            stated_by="TensorFlow Datasets (url_checksums/speech_commands.txt)",
            size=112563277,
        ),
        read=speech.read_speech_commands,
        columns=("file", "duration_s", "label", "split", "speaker"),
    ),
    Origin(
        name="spoken_digits",
        title="Free Spoken Digit Dataset v1.0.10",
        licence="CC BY-SA 4.0",
        page=f"{_GITHUB}/Jakobovski/free-spoken-digit-dataset",
        archive=Remote(
            "free-spoken-digit-dataset-1.0.10.zip",
            (f"{_GITHUB}/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.zip",),
            limit=1 << 28,
        ),
        read=speech.read_spoken_digits,
        columns=("file", "duration_s", "label", "speaker", "split"),
        selected=False,
    ),
    Origin(
        name="language_id",
        title="Common Voice 6.1, 100 random clips of each language",
        licence="CC0 1.0",
        page=f"{_GITHUB}/omnilingo/rsample-100-cv-corpus-6.1-2020-12-11",
        archive=Remote(
            "rsample-100-cv-corpus-6.1-2020-12-11.tar.gz",
            (
                f"{_GITHUB}/omnilingo/rsample-100-cv-corpus-6.1-2020-12-11/archive/"
                "6785f863fec9770151abfe50a5e3e3787fd20ba2.tar.gz",
            ),
            limit=1 << 30,
        ),
        read=speech.read_language_id,
        columns=("file", "duration_s", "label", "split", "speaker", "gender"),
        longest_s=5.0,
    ),
    Origin(
        name="read_speech_speakers",
        title="speechocean762",
        licence="CC BY 4.0",
        page="https://www.openslr.org/101/",
        archive=Remote(
            "speechocean762.tar.gz",
            tuple(f"{mirror}/resources/101/speechocean762.tar.gz" for mirror in _OPENSLR),
            # The recipe of Kaldi that goes with the corpus states it.
            size=520810923,
        ),
        read=speech.read_read_speech,
        columns=("file", "duration_s", "speaker", "gender", "age_group", "age", "split"),
        longest_s=4.0,
    ),
    Origin(
        name="vocal_bursts",
        title="EmoGator",
        licence="Apache-2.0",
        page=f"{_GITHUB}/fredbuhl/EmoGator",
        archive=Remote(
            "EmoGator.tar.gz",
            (f"{_GITHUB}/fredbuhl/EmoGator/archive/51eeca515a95f168ab73391cd9e7c975ab964429.tar.gz",),
            limit=2 << 30,
        ),
        read=speech.read_vocal_bursts,
        columns=("file", "duration_s", "label", "split", "speaker"),
    ),
    Origin(
        name="emodb",
        title="Berlin Database of Emotional Speech (EmoDB)",
        licence="CC0 1.0",
        page="https://doi.org/10.21437/Interspeech.2005-446",
        archive=Remote(
            "emodb-voice-emotion-analysis.tar.gz",
            (f"{_GITHUB}/sylaschacko/voice-emotion-analysis/archive/916a08e79c1bf782b7cd345652f6af2a6ad5ab6e.tar.gz",),
            limit=1 << 28,
        ),
        read=speech.read_emodb,
        columns=("file", "duration_s", "emotion", "speaker", "gender", "text"),
        selected=False,
        longest_s=2.0,
    ),
    Origin(
        name="esc50",
        title="ESC-50",
        licence="CC BY-NC 3.0 (its subset ESC-10: CC BY 3.0); for evaluation only",
        page=f"{_GITHUB}/karolpiczak/ESC-50",
        archive=Remote(
            "ESC-50.zip",
            (f"{_GITHUB}/karolpiczak/ESC-50/archive/33c8ce9eb2cf0b1c2f8bcf322eb349b6be34dbb6.zip",),
            checksum="sha256:661183a6f53ef04f12c9bd618fed0ddc1713280d6c94a5a5431e844ba6f6a21f",
            stated_by="several public projects that pin the same commit",
            size=645832161,
        ),
        read=nonspeech.read_esc50,
        columns=("file", "duration_s", "label", "fold", "esc10", "source_recording"),
        selected=False,
    ),
    Origin(
        name="orchestral_notes",
        title="Philharmonia Orchestra sound samples",
        licence="CC BY-SA 3.0; not to be sold or handed on as samples",
        page="https://philharmonia.co.uk/resources/sound-samples/",
        archive=Remote(
            "philharmonia-all-samples.zip",
            ("https://philharmonia-assets.s3-eu-west-1.amazonaws.com/uploads/2020/02/12112005/all-samples.zip",),
            limit=2 << 30,
        ),
        read=nonspeech.read_orchestral_notes,
        columns=("file", "duration_s", "label", "midi_pitch", "dynamics", "split", "note"),
        longest_s=3.0,
    ),
    Origin(
        name="drum_strokes",
        title="MuldjordKit of DrumGizmo, by single microphones",
        licence="CC BY 4.0",
        page=f"{_GITHUB}/sfzinstruments/DrumGizmo.MuldjordKit",
        archive=Remote(
            "DrumGizmo.MuldjordKit.tar.gz",
            (
                f"{_GITHUB}/sfzinstruments/DrumGizmo.MuldjordKit/archive/"
                "fc165714974aa843125ce88597f341b31376e1d5.tar.gz",
            ),
        ),
        read=nonspeech.read_drum_strokes,
        columns=("file", "duration_s", "label", "split", "stroke", "microphone"),
        longest_s=2.0,
    ),
    Origin(
        name="hear_small",
        title="HEAR's own small data, 14 of its tasks",
        licence="of each task's set (CC BY, CC BY-NC, ODbL and others); for evaluation only",
        page=f"{_GITHUB}/hearbenchmark/hear-preprocess",
        archive=hear_small.FILES[0],
        parts=hear_small.FILES[1:],
        read=hear_small.read_hear_small,
        columns=("file", "duration_s", "task", "label", "split", "fold", "original_file"),
        selected=False,
    ),
)

#: Sounds with listeners' ratings. No licence is stated for the ratings, so they are for evaluation only.
_RATED = (
    Origin(
        name="timbre_similarity",
        title="334 notes of 21 published timbre spaces, as timbremetrics collects them",
        licence="none stated for the ratings and sounds; for evaluation only",
        page=f"{_GITHUB}/tiianhk/timbremetrics",
        archive=Remote(
            "timbremetrics.tar.gz",
            (f"{_GITHUB}/tiianhk/timbremetrics/archive/c611b3a6a41872e5037a9e14099d15a70407c124.tar.gz",),
            limit=1 << 28,
        ),
        read=rated.read_timbre_similarity,
        columns=("file", "duration_s", "dataset", "index", "original_file"),
        selected=False,
        ratings=rated.timbre_ratings,
    ),
    Origin(
        name="timbre_groups_sol",
        title="78 playing techniques, grouped by 31 listeners (Lostanlen et al. 2020)",
        licence="none stated for the ratings and sounds; for evaluation only",
        page="https://doi.org/10.1186/s13636-020-00187-z",
        archive=Remote(
            "lostanlen2020jasmp.tar.gz",
            (f"{_GITHUB}/mathieulagrange/lostanlen2020jasmp/archive/06f6cff2753df16aac6d8a20245075a75db4d082.tar.gz",),
            limit=2 << 30,
        ),
        read=rated.read_timbre_groups,
        columns=("file", "duration_s", "index", "original_file"),
        ratings=rated.group_ratings,
    ),
    Origin(
        name="singing_techniques",
        title="168 sung notes of VocalSet, rated in 12 sets (O'Connor et al., VoicePerception)",
        licence="CC BY 4.0 (sounds); none stated for the ratings; for evaluation only",
        page=f"{_GITHUB}/Trebolium/VoicePerception",
        archive=Remote(
            "VoicePerception-sounds.tar.gz",
            (f"{_GITHUB}/Trebolium/VoicePerception/archive/ee52b2473a8f9a5815933e016237e9d5078a3b46.tar.gz",),
            limit=1 << 30,
        ),
        read=rated.read_singing_techniques,
        columns=("file", "duration_s", "dataset", "index", "original_file"),
        further=Remote(
            "anon_perceptual_dissimilarity_data.hdf5",
            (
                "https://raw.githubusercontent.com/Trebolium/VoicePerception/"
                "afce38e688215d3ed29ea32f0db0316c6b1017f9/anon_perceptual_dissimilarity_data.hdf5",
            ),
            checksum="sha256:54ac8ec4e64c7c572a724f115eff59d1290ac6ab722c8b569b6c6302a9ce6196",
            stated_by="the commit in its address",
            size=1552696,
        ),
        ratings=rated.singing_ratings,
    ),
)

#: Names of the sets with listeners' ratings.
RATED = tuple(origin.name for origin in _RATED)

#: Origins by the labelled set's name.
ORIGINS = {origin.name: origin for origin in (*_ALL, *_RATED)}


def origin_of(name: str) -> Origin:
    """The origin of a labelled set.

    Raises:
        ValueError: if there is no such set.

    >>> origin_of("esc50").page
    'https://github.com/karolpiczak/ESC-50'
    """
    if name not in ORIGINS:
        raise ValueError(f"expected a labelled set out of {', '.join(ORIGINS)}, got {name!r}")
    return ORIGINS[name]
