"""A working directory with a few files, for the tests that search it."""

from __future__ import annotations

from pathlib import Path

from byola_hear.extraction.clips import Clip, find_clips

#: The audio files below ``d``, in order.
INSIDE = ["d/a.mp3", "d/b/1.flac", "d/b/2.WAV", "d/b.wav"]


def make(folder: Path, *names: str) -> None:
    """Make empty files."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def found(*paths: str) -> list[str]:
    """The files that paths name."""
    clips = find_clips(paths)
    assert all(clip == Clip(clip.file) for clip in clips)
    return [Path(clip.file).as_posix() for clip in clips]


def missing(*paths: str, **other: object) -> tuple[list[str], list[tuple[str, str]]]:
    """The files that paths name, and what is reported about the others."""
    absent: list[tuple[str, str]] = []
    clips = find_clips(paths, on_missing=lambda path, reason: absent.append((path, reason)), **other)  # type: ignore
    return [clip.file for clip in clips], absent
