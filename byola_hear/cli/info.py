"""``byola-hear info``: what is in audio files, and whether they are read as their headers and ffmpeg say."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import click
import numpy as np
from numpy.typing import NDArray

from byola_hear.audio.ffmpeg import FfmpegSource, decoded_seconds
from byola_hear.audio.mixing import Mixdown
from byola_hear.audio.opening import open_source
from byola_hear.audio.source import Source
from byola_hear.cli.terminal import aligned
from byola_hear.extraction.clips import find_clips
from byola_hear.utils.text import one_line

#: How much two lengths of one file may differ, s: codecs' delays, and times that are rounded.
_TOLERANCE_S = 0.1
#: RMS of the mean of the channels relative to theirs, below which they cancel each other out, dB.
_CANCELLED_DB = -30.0


@click.command("info")
@click.argument("paths", nargs=-1, required=True, metavar="FILE...")
@click.option(
    "--check",
    is_flag=True,
    help="Decode the files completely. Compare the length that is read with the file's header and, if ffmpeg is "
    "installed, with what ffmpeg decodes; measure levels.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a line for each file, errors included.")
def command(paths: tuple[str, ...], check: bool, as_json: bool) -> int:
    """Print format, codec, sample rate, channels and length of audio files, also of those in folders.

    Without --check, lengths are those of the files' headers. Estimates are marked with ~.

    With --check, each line has the length that is read, the length that the header states (? if it states none), the
    length that ffmpeg decodes, and levels in dB of full scale: the largest sample, the root mean square over all
    channels, and the root mean square of their mean, which is what is embedded.

    Exit codes: 0: all files can be read; 1: some can't, each with a line on standard error, or, with --check, lengths
    disagree; 2: wrong usage.
    """
    absent: list[tuple[str, str]] = []
    clips = find_clips(paths, on_missing=lambda path, reason: absent.append((path, reason)))
    for path, reason in absent:
        failed(path, f"{reason}: {path}", as_json)
    n_wrong = len(absent)
    rows = []
    for clip in clips:
        try:
            about = described(clip.file, check)
        except (ValueError, OSError, RuntimeError) as error:
            failed(clip.file, one_line(error), as_json)
            n_wrong += 1
            continue
        n_wrong += not about.get("agrees", True)
        if as_json:
            click.echo(json.dumps(about))
        else:
            rows.append(row_of(about, check))
    if rows:
        header = ["file", "format", "codec", "Hz", "channels", "seconds", "samples"]
        more = ["header s", "ffmpeg s", "peak dB", "RMS dB", "mono dB", "check"]
        click.echo(aligned([*header, *more] if check else header, rows, left=3))
    return 1 if n_wrong else 0


def described(file: str, check: bool) -> dict[str, Any]:
    """What is in a file.

    Args:
        file: its path.
        check: whether to decode it.

    Returns:
        Values for JSON: ``file``, ``format``, ``codec``, ``sample_rate`` (Hz), ``channels``, ``seconds`` and
        ``samples`` (per channel; None where not known) and ``exact``, whether those two are no estimates. If checked,
        also ``header_seconds`` and ``ffmpeg_seconds`` (None where not known), ``peak_db``, ``rms_db`` and
        ``mono_rms_db`` in dB of full scale (None for silence), and ``agrees``, whether the lengths agree.

    Raises:
        AudioFileError: if it can't be read, or as far as was looked at.
        FileNotFoundError: if there is no such file.
    """
    with closing(open_source(file)) as source:
        seconds = source.header_seconds if source.frames is None else source.frames / source.sample_rate
        about = {
            "file": file,
            "format": source.container,
            "codec": source.codec,
            "sample_rate": source.sample_rate,
            "channels": source.channels,
            "seconds": seconds,
            "samples": source.frames,
            # The length of an MP3 may be an estimate, and what ffmpeg reports is one.
            "exact": source.frames is not None and source.container != "MP3",
        }
        if check:
            about |= measured(source)
    if check:
        about["header_seconds"] = source.header_seconds
        is_ffmpeg = isinstance(source, FfmpegSource)
        about["ffmpeg_seconds"] = about["seconds"] if is_ffmpeg else decoded_seconds(file)
        about["agrees"] = not disagreeing(about)
    return about


def disagreeing(about: dict[str, Any]) -> list[str]:
    """Which lengths are not the one that is read: ``header``, ``ffmpeg``, both or none."""
    return [
        name
        for name in ("header", "ffmpeg")
        if about[f"{name}_seconds"] is not None and abs(about[f"{name}_seconds"] - about["seconds"]) > _TOLERANCE_S
    ]


def measured(source: Source) -> dict[str, Any]:
    """What decoding all of a file shows, see :func:`described`. Samples that `embed` refuses are refused here, too."""
    peak, energy, mono_energy = 0.0, 0.0, 0.0

    def looked_at() -> Iterator[NDArray[np.float32]]:
        nonlocal peak, energy
        for samples in source.pieces():
            peak = max(peak, -float(samples.min()), float(samples.max()))
            energy += float(np.sum(np.square(samples, dtype=np.float64))) / samples.shape[1]
            yield samples

    for mono in Mixdown(source.path, source.sample_rate).mono(looked_at(), 0):
        mono_energy += float(np.sum(np.square(mono, dtype=np.float64)))
    return {
        "seconds": source.position / source.sample_rate,
        "samples": source.position,
        "exact": True,
        "peak_db": decibels(peak),
        "rms_db": decibels(math.sqrt(energy / source.position)),
        "mono_rms_db": decibels(math.sqrt(mono_energy / source.position)),
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
        one_line(about["file"]),
        about["format"].split(",")[0],
        about["codec"],
        str(about["sample_rate"]),
        str(about["channels"]),
        "?" if about["seconds"] is None else f"{mark}{about['seconds']:.3f}",
        "?" if about["samples"] is None else f"{mark}{about['samples']}",
    ]
    if not check:
        return cells
    for name in ("header_seconds", "ffmpeg_seconds"):
        cells.append("?" if about[name] is None else f"{about[name]:.3f}")
    cells += [
        "silent" if about[name] is None else f"{about[name]:.1f}" for name in ("peak_db", "rms_db", "mono_rms_db")
    ]
    differing = disagreeing(about)
    verdicts = [f"{' and '.join(differing)} {'differs' if len(differing) == 1 else 'differ'}"] if differing else []
    mono_db = -math.inf if about["mono_rms_db"] is None else about["mono_rms_db"]
    if about["rms_db"] is not None and mono_db - about["rms_db"] < _CANCELLED_DB:
        verdicts.append("channels cancel")
    return [*cells, ", ".join(verdicts) or "ok"]


def failed(path: str, message: str, as_json: bool) -> None:
    """Report a file that can't be read."""
    click.echo(f"error: {message}", err=True)
    if as_json:
        click.echo(json.dumps({"file": path, "error": message}))
