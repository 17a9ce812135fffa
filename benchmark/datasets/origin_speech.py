"""Readers of the published archives of the five labelled sets of voices.

A reader takes the path of an archive and the wanted clips with their splits, and yields the clips that it finds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from benchmark.datasets.labelled_tar import OriginalClip
from byola_hear.utils.unpack import read_members

#: EmoGator's categories in the order of its numbers, from 01.
BURSTS = (
    *("Adoration", "Amusement", "Anger", "Awe", "Confusion", "Contempt", "Contentment", "Desire", "Disappointment"),
    *("Disgust", "Distress", "Ecstasy", "Elation", "Embarrassment", "Fear", "Guilt", "Interest", "Neutral", "Pain"),
    *("Pride", "Realization", "Relief", "Romantic Love", "Sadness", "Serenity", "Shame", "Surprise (Negative)"),
    *("Surprise (Positive)", "Sympathy", "Triumph"),
)

#: EmoDB's letters for emotions, and its female speakers.
EMOTIONS = dict(W="anger", L="boredom", E="disgust", A="fear", F="happiness", T="sadness", N="neutral")
EMODB_WOMEN = ("08", "09", "13", "14", "16")

#: From this age on, in years, a speaker is an adult.
ADULT = 18

Wanted = Mapping[str, str]


def read_speech_commands(archive: Path, wanted: Wanted) -> Iterator[OriginalClip]:
    """Speech Commands' test archive: ``./yes/SPEAKER_nohash_0.wav``, ``_silence_/1024.wav`` and
    ``_unknown_/WORD_SPEAKER_nohash_0.wav``. Silence has no speaker, so each clip counts as a speaker.
    """

    def name(member: str) -> str:
        path = PurePosixPath(member)
        return f"{path.parent.name}_{path.stem}" if path.suffix == ".wav" else ""

    for member, content in read_members(archive, lambda member: name(member) in wanted):
        folder, stem = PurePosixPath(member).parent.name, PurePosixPath(member).stem
        speaker = f"sil{stem}" if folder == "_silence_" else stem.partition("_nohash_")[0].rpartition("_")[2]
        clip = name(member)
        yield OriginalClip(clip, content, {"label": folder.strip("_"), "split": wanted[clip], "speaker": speaker})


def read_spoken_digits(archive: Path, wanted: Wanted) -> Iterator[OriginalClip]:
    """The Free Spoken Digit Dataset: ``…/recordings/DIGIT_SPEAKER_TAKE.wav``; takes 0 to 4 are its test set."""
    pattern = re.compile(r".*/recordings/(([0-9])_([a-z]+)_([0-9]+))\.wav")
    for member, content in read_members(archive, lambda member: pattern.fullmatch(member) is not None):
        name, digit, speaker, take = pattern.fullmatch(member).groups()  # type: ignore[union-attr]
        yield OriginalClip(
            name, content, {"label": digit, "speaker": speaker, "split": "test" if int(take) < 5 else "train"}
        )


def read_language_id(archive: Path, wanted: Wanted) -> Iterator[OriginalClip]:
    """A sample of Common Voice: ``…/LANGUAGE/clips/common_voice_*.mp3`` and ``…/LANGUAGE/validated.tsv``."""

    def name(member: str) -> str:
        parts = PurePosixPath(member).parts
        is_clip = len(parts) >= 3 and parts[-2] == "clips" and parts[-1].endswith(".mp3")
        return f"{parts[-3]}_{PurePosixPath(member).stem}" if is_clip else ""

    languages = {clip.partition("_")[0] for clip in wanted}
    speakers: dict[str, tuple[str, str]] = {}
    for member, content in read_members(archive, lambda member: PurePosixPath(member).name == "validated.tsv"):
        language = PurePosixPath(member).parent.name
        if language in languages:
            # Not by the csv module: quotation marks in the sentences do not quote fields. Bytes and not text are split,
            # because text would be split at a separator within a sentence, such as U+2028, too.
            header, *lines = [line.decode("utf-8").split("\t") for line in content.splitlines()]
            if not {"client_id", "path", "gender"} <= set(header):
                raise ValueError(f"{archive}: {member}: expected columns client_id, path, gender, found {header}")
            for fields in lines:
                row = dict(zip(header, fields))
                clip = f"{language}_{PurePosixPath(row.get('path', '')).stem}"
                speakers[clip] = (row.get("client_id", "")[:16], row.get("gender", ""))
    for member, content in read_members(archive, lambda member: name(member) in wanted):
        clip = name(member)
        if clip not in speakers:
            raise ValueError(f"{archive}: expected {clip!r} in the validated.tsv of its language, found no such row")
        speaker, gender = speakers[clip]
        language = clip.partition("_")[0]
        yield OriginalClip(
            clip, content, {"label": language, "split": wanted[clip], "speaker": speaker, "gender": gender}
        )


def read_read_speech(archive: Path, wanted: Wanted) -> Iterator[OriginalClip]:
    """speechocean762: ``WAVE/SPEAKER*/UTTERANCE.WAV``, and ``utt2spk``, ``spk2gender`` and ``spk2age`` of each half."""
    tables: dict[str, dict[str, str]] = {"utt2spk": {}, "spk2gender": {}, "spk2age": {}}
    for member, content in read_members(archive, lambda member: PurePosixPath(member).name in tables):
        if PurePosixPath(member).parent.name in ("train", "test"):
            rows = (line.split() for line in content.decode("utf-8-sig").splitlines())
            tables[PurePosixPath(member).name].update({row[0]: row[1] for row in rows if len(row) == 2})

    def name(member: str) -> str:
        path = PurePosixPath(member)
        return path.stem if path.suffix.lower() == ".wav" else ""

    for member, content in read_members(archive, lambda member: name(member) in wanted):
        clip = name(member)
        speaker = tables["utt2spk"].get(clip, "")
        gender, age = tables["spk2gender"].get(speaker), tables["spk2age"].get(speaker, "")
        if gender is None or not age.isdecimal():
            raise ValueError(f"{archive}: expected speaker, gender and age of {clip!r} in its tables, found none")
        columns = {"speaker": speaker, "gender": gender, "age": age, "split": wanted[clip]}
        yield OriginalClip(clip, content, {**columns, "age_group": "adult" if int(age) >= ADULT else "child"})


def read_vocal_bursts(archive: Path, wanted: Wanted) -> Iterator[OriginalClip]:
    """EmoGator: ``…/data/mp3/CONTRIBUTOR-CATEGORY-TAKE.mp3``."""

    def name(member: str) -> str:
        path = PurePosixPath(member)
        return path.stem if path.suffix == ".mp3" else ""

    for member, content in read_members(archive, lambda member: name(member) in wanted):
        clip = name(member)
        contributor, category, _ = clip.split("-")
        yield OriginalClip(
            clip, content, {"label": BURSTS[int(category) - 1], "split": wanted[clip], "speaker": contributor}
        )


def read_emodb(archive: Path, wanted: Wanted) -> Iterator[OriginalClip]:
    """EmoDB: ``…/wav/SPEAKER TEXT EMOTION VERSION.wav``, such as ``03a01Fa.wav``; all clips."""

    def parts(member: str) -> re.Match[str] | None:
        return re.fullmatch(r".*/wav/(\d\d)([ab]\d\d)([A-Z])[a-z]\.wav", member)

    for member, content in read_members(archive, lambda member: parts(member) is not None):
        speaker, text, emotion = parts(member).groups()  # type: ignore[union-attr]  # only such members are read
        columns = {
            "emotion": EMOTIONS[emotion],
            "speaker": speaker,
            "gender": "f" if speaker in EMODB_WOMEN else "m",
            "text": text,
        }
        yield OriginalClip(PurePosixPath(member).stem, content, columns)
