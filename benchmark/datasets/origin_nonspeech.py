"""Readers of the published archives of the three labelled sets of other sounds.

See :mod:`benchmark.datasets.origin_speech` for what a reader is.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from benchmark.datasets.labelled_tar import OriginalClip
from benchmark.datasets.origin_speech import Wanted
from byola_hear.utils.text import quantity
from byola_hear.utils.unpack import read_members

#: Beginnings of names of strokes that share a label; any other stroke is a label by itself.
DRUMS = ("Crash", "Kdrum", "Tom")

#: The orchestra's name for an instrument where the files have another.
INSTRUMENTS = {"english-horn": "cor anglais"}

_SEMITONES = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def read_esc50(archive: Path, wanted: Wanted) -> Iterator[OriginalClip]:
    """ESC-50's repository: ``…/audio/*.wav`` and ``…/meta/esc50.csv``; all clips, in its five folds."""
    rows: dict[str, dict[str, str]] = {}
    for member, content in read_members(archive, lambda member: member.endswith("/meta/esc50.csv")):
        table = csv.DictReader(content.decode("utf-8").splitlines())
        expected = {"filename", "fold", "category", "esc10", "src_file"}
        if not expected <= set(table.fieldnames or ()):
            raise ValueError(f"{archive}: {member}: expected columns {sorted(expected)}, found {table.fieldnames}")
        rows = {row["filename"]: row for row in table}

    def is_clip(member: str) -> bool:
        path = PurePosixPath(member)
        return path.parent.name == "audio" and path.name in rows

    for member, content in read_members(archive, is_clip):
        row = rows.pop(PurePosixPath(member).name)
        columns = {"label": row["category"], "fold": row["fold"], "esc10": row["esc10"]}
        yield OriginalClip(PurePosixPath(member).stem, content, {**columns, "source_recording": row["src_file"]})
    if rows:
        lacking = quantity(len(rows), "clip")
        raise ValueError(f"{archive}: lacks {lacking} that its table names, such as {next(iter(rows))!r}")


def midi_pitch(note: str) -> int:
    """The MIDI number of a note in the orchestra's spelling, ``s`` for sharp.

    >>> midi_pitch("A4"), midi_pitch("Cs4")
    (69, 61)
    """
    match = re.fullmatch(r"([A-G])(s?)([0-9])", note)
    if not match:
        raise ValueError(f"expected a note such as A4 or Cs4, got {note!r}")
    return 12 * (int(match[3]) + 1) + _SEMITONES[match[1]] + len(match[2])


def read_orchestral_notes(archive: Path, wanted: Wanted) -> Iterator[OriginalClip]:
    """The Philharmonia's samples: a zip of zips, one an instrument, of
    ``INSTRUMENT_NOTE_LENGTH_DYNAMICS_ARTICULATION.mp3``. Clips directly in the outer zip are read, too.
    """

    def is_clip(member: str) -> bool:
        path = PurePosixPath(member)
        # Some zips have a second file of the same name with macOS's notes about the first.
        return path.suffix == ".mp3" and path.stem in wanted and "__MACOSX" not in path.parts

    def is_zip(member: str) -> bool:
        return member.endswith(".zip") and "__MACOSX" not in PurePosixPath(member).parts

    for member, content in read_members(archive, lambda member: is_clip(member) or is_zip(member)):
        inner = read_members(content, is_clip, name=f"{archive}: {member}") if is_zip(member) else [(member, content)]
        for path, clip in inner:
            name = PurePosixPath(path).stem
            instrument, note, _, dynamics, _ = name.split("_")
            label = INSTRUMENTS.get(instrument, instrument.replace("-", " "))
            columns = {"label": label, "midi_pitch": str(midi_pitch(note)), "dynamics": dynamics}
            yield OriginalClip(name, clip, {**columns, "split": wanted[name], "note": f"{label}_{note}"})


def read_drum_strokes(archive: Path, wanted: Wanted) -> Iterator[OriginalClip]:
    """MuldjordKit as single microphones: ``…/Samples/DRUM/STROKE-DRUM-MICROPHONE.flac``."""

    def name(member: str) -> str:
        path = PurePosixPath(member)
        return path.stem if path.suffix == ".flac" else ""

    for member, content in read_members(archive, lambda member: name(member) in wanted):
        clip = name(member)
        stroke, drum, microphone = clip.split("-")
        label = next((label for label in DRUMS if drum.startswith(label)), drum)
        columns = {"label": label, "split": wanted[clip], "stroke": f"{drum}#{stroke}", "microphone": microphone}
        yield OriginalClip(clip, content, columns)
