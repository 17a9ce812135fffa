"""What learning, detecting and searching cost in CPU time: ``python -m benchmark finding``.

CPU time and not the clock's, so that the numbers hold on a machine that is busy with other work. The network is loaded
before.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
import soundfile

import byola_hear
from benchmark.datasets.labelled_set import LabelledSet, audio_folder, load_set
from benchmark.reporting import options
from benchmark.reporting.provenance import provenance
from benchmark.speed import results
from benchmark.speed.finding_report import report
from byola_hear.cli import embed, learn, predict
from byola_hear.extraction.clips import Clip
from byola_hear.extraction.request import Request
from byola_hear.tables import read_table
from byola_hear.tables.about import About, Entry
from byola_hear.tables.batches import Batch, names_array
from byola_hear.tables.formats import as_parquet
from byola_hear.tables.scan import open_scan
from byola_hear.tables.search_index import Index, Rows, about_table, read_index, write_index
from byola_hear.utils.files import stamp_of

#: Classes of ESC-50 to learn, and kinds of sounds that are negatives.
CLASSES = ("dog", "siren", "sneezing")
NEGATIVES = ("wind", "rain")
#: Seconds of a recording, and of a window.
RECORDING, WINDOW = 300.0, 1.0
#: Rows of the larger index.
MANY_ROWS = 1_000_000


def cpu_seconds(function: Callable[[], object]) -> float:
    """CPU time of this process in a function, all threads, s."""
    before = time.process_time()
    function()
    return time.process_time() - before


def run(command: click.Command, *arguments: object) -> None:
    """Run a command of the package in this process.

    Raises:
        RuntimeError: if it fails.
    """
    code = command.main([str(each) for each in arguments], standalone_mode=False)
    if code:
        raise RuntimeError(f"byola-hear {command.name} ended with exit code {code}")


def write_clips(folder: Path, labelled: LabelledSet) -> int:
    """Write a folder of clips for each class, and one of negatives; returns the number of clips."""
    count = 0
    for row, label in enumerate(labelled.manifest["label"]):
        if label in CLASSES or label in NEGATIVES:
            place = folder / (label if label in CLASSES else "background")
            place.mkdir(parents=True, exist_ok=True)
            soundfile.write(place / f"{row}.wav", labelled.clip(row), labelled.sample_rate)
            count += 1
    return count


def write_recordings(folder: Path, labelled: LabelledSet, minutes: float) -> float:
    """Write recordings of clips in random order, as FLAC; returns their length in s."""
    folder.mkdir()
    order = np.random.default_rng(0).permutation(len(labelled))
    per_file = max(1, round(RECORDING * labelled.sample_rate / labelled.lengths.mean()))
    total = 0.0
    for number in range(max(1, round(60 * minutes / RECORDING))):
        rows = [int(order[place % len(order)]) for place in range(number * per_file, (number + 1) * per_file)]
        samples = np.concatenate([labelled.clip(row) for row in rows])
        soundfile.write(folder / f"{number:04d}.flac", samples, labelled.sample_rate)
        total += len(samples) / labelled.sample_rate
    return total


def detection(folder: Path, labelled: LabelledSet, minutes: float) -> dict[str, Any]:
    """Measure `learn` and `predict`, from audio and from tables."""
    n_clips = write_clips(folder / "clips", labelled)
    seconds = write_recordings(folder / "recordings", labelled, minutes)
    classifier, kept, table = (folder / name for name in ("calls.safetensors", "kept.parquet", "table.parquet"))
    keeping = ("--embeddings", kept, "--window", WINDOW, "--overwrite", "-q")
    windows = ("--window", WINDOW, "--hop", WINDOW / 2, "-q")
    byola_hear.load_model("both")
    times = {
        "learn": cpu_seconds(lambda: run(learn.command, folder / "clips", "-o", classifier, *keeping)),
        "learn_again": cpu_seconds(lambda: run(learn.command, folder / "clips", "-o", classifier, *keeping)),
        "predict": cpu_seconds(
            lambda: run(predict.command, classifier, folder / "recordings", "-o", folder / "found", "-q")
        ),
        "embed": cpu_seconds(lambda: run(embed.command, folder / "recordings", "-o", table, *windows)),
        "predict_table": cpu_seconds(lambda: run(predict.command, classifier, table, "-o", folder / "again", "-q")),
    }
    return {"clips": n_clips, "seconds": seconds, "windows": len(read_table(table)), "cpu_seconds": times}


def write_table(path: Path, source: pd.DataFrame, n_rows: int) -> None:
    """Write a Parquet table of any number of rows: real ones, repeated at other levels."""
    request = Request(**source.attrs["request"])
    values = source.to_numpy(np.float32)
    per_file, random = 1000, np.random.default_rng(0)
    entries = [
        Entry(Clip(f"{number:06d}.wav"), float(per_file), stamp_of(""), per_file)
        for number in range(n_rows // per_file)
    ]

    def batches() -> Iterator[Batch]:
        for entry in entries:
            rows = values[random.integers(len(values), size=per_file)]
            start = np.arange(per_file, dtype=np.float64)
            gains = random.uniform(0.9, 1.1, (per_file, 1)).astype(np.float32)
            yield Batch(names_array([entry.clip.file] * per_file), start, start + WINDOW, None, rows * gains)

    as_parquet.write(path, batches(), About(replace(request, window=WINDOW, hop=WINDOW), entries))


def searching(folder: Path, source: pd.DataFrame, query: Path, n_rows: int) -> dict[str, Any]:
    """Measure searches of tables on disk and in memory, and of an index."""
    path, index, larger = (folder / name for name in ("rows.parquet", "rows.index", "many.index"))
    write_table(path, source, n_rows)
    model = byola_hear.load_model("both")
    clip = Clip(str(query), 0.0, WINDOW)

    def search(table: Any, **settings: Any) -> float:
        return cpu_seconds(lambda: byola_hear.search(table, clip, model=model, **settings))

    search(source)  # what is imported or compiled once is no part of a search
    times = {
        "plain": search(path, cosine="plain"),
        "standardised": search(path),
        "index_made": search(path, index=index),
        "index": search(path, index=index),
    }
    frame = read_table(path)
    times |= {"memory_plain": search(frame, cosine="plain"), "memory": search(frame)}
    about = about_table(open_scan(path))
    made = read_index(index, about)
    assert made is not None
    times["many_read"], times["many"] = _many(made, larger, about)
    return {
        "rows": len(frame),
        "many_rows": MANY_ROWS,
        "size": frame.shape[1],
        "table_bytes": path.stat().st_size,
        "index_bytes": index.stat().st_size,
        "cpu_seconds": times,
    }


def _many(made: Index, path: Path, about: dict[str, Any]) -> tuple[float, float]:
    """CPU time to read an index of a million rows, and to search it."""
    from byola_hear.query import hits_of

    places = np.arange(MANY_ROWS) % len(made.vectors)
    rows = Rows(made.rows.number[places], made.rows.start[places], made.rows.end[places], made.rows.names)
    # Not the same rows again: so many equal scores would be sorted.
    noise = np.random.default_rng(0).standard_normal((MANY_ROWS, made.vectors.shape[1]), np.float32)
    write_index(path, Index(made.space, made.vectors[places] + np.float32(0.01) * noise, rows), about)
    found: list[Index | None] = []
    reading = cpu_seconds(lambda: found.append(read_index(path, about)))
    (index,) = found
    assert index is not None
    direction = index.vectors[0].copy()
    return reading, cpu_seconds(lambda: hits_of(index.vectors @ direction, index.rows, 20, True))


@click.command("finding")
@click.option("--minutes", type=click.FloatRange(min=5), default=60.0, show_default=True, help="Minutes of recordings.")
@click.option(
    "--rows", type=click.IntRange(min=2000), default=100_000, show_default=True, help="Rows of the table to search."
)
@options.audio
@options.cache
@results.outputs
def command(minutes: float, rows: int, audio: Path | None, cache: Path | None, outputs: tuple[Path, ...]) -> None:
    """Measure the CPU time of learning from clips, detecting in recordings and searching tables.

    The sounds are those of ESC-50. The tables to search have real embeddings at other levels.
    """
    results.check_outputs(outputs)
    labelled = load_set(audio_folder(audio) / "esc50.tar", cache)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        result = {"about": {**provenance(), "window": WINDOW}, "detection": detection(folder, labelled, minutes)}
        query = sorted((folder / "recordings").iterdir())[0]
        result["search"] = searching(folder, read_table(folder / "table.parquet"), query, rows)
    results.show(result, report, outputs)
