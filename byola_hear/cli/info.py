"""``byola-hear info``: what is in audio files."""

from __future__ import annotations

import json
import math
from contextlib import closing
from typing import Any

import click
import numpy as np

from byola_hear.audio.opening import open_source
from byola_hear.audio.source import Source
from byola_hear.cli.errors import one_line
from byola_hear.cli.terminal import aligned
from byola_hear.extraction.clips import find_clips


@click.command("info")
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@click.option("--check", is_flag=True, help="Decode all of it: is it whole, how long and how loud is it really?")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line and file, errors included.")
def command(paths: tuple[str, ...], check: bool, as_json: bool) -> int:
    """What is in audio files: format, codec, sample rate, channels and length; also of the files in folders.

    Without --check, lengths are those that the files' headers say, marked ~ where they are estimates.
    Levels are in dB of full scale, over all channels: the largest sample, and the root of the mean square.

    Exit codes: 0, all files can be read; 1, some can't, each with a line on standard error; 2, wrong usage.
    """
    absent: list[tuple[str, str]] = []
    clips = find_clips(paths, on_missing=lambda path, reason: absent.append((path, reason)))
    for path, reason in absent:
        failed(path, f"{reason}: {path}", as_json)
    n_failed = len(absent)
    rows = []
    for clip in clips:
        try:
            about = described(clip.file, check)
        except (ValueError, OSError, RuntimeError) as error:
            failed(clip.file, one_line(error), as_json)
            n_failed += 1
            continue
        if as_json:
            click.echo(json.dumps(about))
        else:
            rows.append(row_of(about, check))
    if rows:
        header = ["file", "format", "codec", "Hz", "channels", "seconds", "samples"]
        click.echo(aligned([*header, "peak dB", "RMS dB"] if check else header, rows, left=3))
    return 1 if n_failed else 0


def described(file: str, check: bool) -> dict[str, Any]:
    """What is in a file.

    Args:
        file: its path.
        check: whether to decode it.

    Returns:
        Values for JSON: ``file``, ``format``, ``codec``, ``sample_rate`` (Hz), ``channels``, ``seconds`` and
        ``samples`` (a channel; None where not known) and ``exact``, whether those two are no estimates; if checked,
        also ``peak_db`` and ``rms_db`` in dB of full scale, None for silence.

    Raises:
        AudioFileError: if it can't be read, or as far as was looked at.
        FileNotFoundError: if there is no such file.
    """
    with closing(open_source(file)) as source:
        about = {
            "file": file,
            "format": source.container,
            "codec": source.codec,
            "sample_rate": source.sample_rate,
            "channels": source.channels,
            "seconds": source.header_seconds,
            "samples": source.frames,
            # The length of an MP3 may be an estimate, and what ffmpeg tells is one.
            "exact": source.frames is not None and source.container != "MP3",
        }
        if check:
            about |= measured(source)
    return about


def measured(source: Source) -> dict[str, Any]:
    """What decoding all of a file shows, see :func:`described`."""
    peak, energy = 0.0, 0.0
    for samples in source.pieces():
        low, high = float(samples.min()), float(samples.max())
        if not (math.isfinite(low) and math.isfinite(high)):
            raise ValueError(f"{source.path}: holds NaN or infinite samples")
        peak = max(peak, -low, high)
        energy += float(np.sum(np.square(samples, dtype=np.float64)))
    if not source.position:
        raise ValueError(f"{source.path}: holds no samples")
    return {
        "seconds": source.position / source.sample_rate,
        "samples": source.position,
        "exact": True,
        "peak_db": decibels(peak),
        "rms_db": decibels(math.sqrt(energy / (source.position * source.channels))),
    }


def decibels(amplitude: float) -> float | None:
    """An amplitude in dB of full scale; None for silence.

    Example:
        >>> decibels(0.5)
        -6.02
    """
    return round(20 * math.log10(amplitude), 2) if amplitude else None


def row_of(about: dict[str, Any], check: bool) -> list[str]:
    """The cells of a file's row."""
    mark = "" if about["exact"] else "~"
    cells = [
        one_line(Exception(about["file"])),
        about["format"].split(",")[0],
        about["codec"],
        str(about["sample_rate"]),
        str(about["channels"]),
        "?" if about["seconds"] is None else f"{mark}{about['seconds']:.3f}",
        "?" if about["samples"] is None else f"{mark}{about['samples']}",
    ]
    if check:
        cells += ["silent" if about[name] is None else f"{about[name]:.1f}" for name in ("peak_db", "rms_db")]
    return cells


def failed(path: str, message: str, as_json: bool) -> None:
    """Tell of a file that can't be read."""
    click.echo(f"error: {message}", err=True)
    if as_json:
        click.echo(json.dumps({"file": path, "error": message}))
