"""``byola-hear predict``: find a classifier's classes in recordings."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click
import torch

from byola_hear import labels
from byola_hear.cli import options
from byola_hear.cli.cluster import check_cluster
from byola_hear.cli.errors import Failure
from byola_hear.cli.outputs import check_no_input
from byola_hear.cli.recordings import Source, searched, source_of
from byola_hear.cli.terminal import Progress
from byola_hear.cli.types import Finite
from byola_hear.extraction.clips import Clip
from byola_hear.utils.csv_file import write_rows
from byola_hear.utils.files import file_hash, work_folder
from byola_hear.utils.text import one_line, quantity

if TYPE_CHECKING:
    from byola_hear.classification.classifier import Classifier
    from byola_hear.classification.detections import Rule
    from byola_hear.classification.outputs import Folder


@click.command("predict")
@click.argument("path", metavar="CLASSIFIER", type=click.Path(path_type=Path))
@click.argument("paths", nargs=-1, metavar="[PATH]...|TABLE")
@click.option(
    "-o",
    "--output",
    metavar="FOLDER/|FILE",
    help="Folder for one file per recording, or one file for all: .csv, .parquet or .txt (Raven).",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["raven", "audacity", "csv", "parquet"]),
    help="Format of the files in a folder. Default: raven.",
)
@click.option(
    "--threshold",
    default="best-f1",
    show_default=True,
    metavar="X|best-f1|precision=P",
    help="Lowest score of a detection: a number from 0 to 1, or one that was measured when the classifier was trained.",
)
@click.option("--top", type=click.IntRange(1), metavar="K", help="Keep the K best detections per class and recording.")
@click.option(
    "--merge/--no-merge", default=True, show_default=True, help="Join overlapping windows of a class to one detection."
)
@click.option(
    "--gap", type=Finite(0), default=0.0, show_default=True, metavar="SECONDS", help="Also join windows this far apart."
)
@click.option(
    "--hop",
    type=Finite(0, min_open=True),
    metavar="SECONDS",
    help="Time from one window to the next. Default: the classifier's own.",
)
@click.option(
    "--smooth",
    type=Finite(0),
    default=0.0,
    show_default=True,
    metavar="SECONDS",
    help="Average the scores over this time.",
)
@click.option("--list", "lists", multiple=True, metavar="FILE", help="Text file of paths, or - for standard input.")
@click.option("--shard", "share", metavar="I/N", help="Search only share I of N, counted from 0, as in a Slurm array.")
@click.option("--model", "name", metavar="NAME|PATH", help="Model. Default: the one that the classifier names.")
@click.option("--device", help="Device to compute on: cpu, cuda, mps. Default: cpu.")
@options.decoding_threads_or_processes
@options.threads
@options.ray
@click.option("--overwrite", is_flag=True, help="Replace results that were made with other settings.")
@click.option("-q", "--quiet", is_flag=True, help="Show neither the progress bar nor the summary.")
def command(
    path: Path,
    paths: tuple[str, ...],
    output: str | None,
    kind: str | None,
    threshold: str,
    top: int | None,
    merge: bool,
    gap: float,
    hop: float | None,
    smooth: float,
    lists: tuple[str, ...],
    share: str | None,
    name: str | None,
    device: str | None,
    workers: int | None,
    threads: int | None,
    address: str | None,
    overwrite: bool,
    quiet: bool,
) -> int:
    """Find the classes of a CLASSIFIER in recordings of any length, in constant memory.

    A PATH is a recording, a folder, a pattern, or - for a list of paths on standard input. Instead, a TABLE that
    `byola-hear embed` wrote with the classifier's window can be given. Without -o, the detections are printed as CSV.

    With -o, each recording's detections are written once it is complete. After a crash or an interruption, the same
    command continues, and recordings that were done are skipped. Recordings that can't be read are listed with their
    reasons in predict.errors.csv, or next to a single FILE in FILE.errors.csv.

    Exit codes: 0: every recording was searched; 1: some could not be read, or the results could not be written; 2:
    wrong usage, nothing was done; 130: interrupted, the same command continues.
    """
    if output is None and (overwrite or kind):
        raise click.UsageError(f"{'--overwrite' if overwrite else '--format'} needs an output, -o FOLDER/")
    check_cluster(address, {"--device": device, "--threads": threads})
    if threads is not None:
        torch.set_num_threads(threads)
    # Imported here, because pandas takes long to load.
    from byola_hear.classification.detections import Rule
    from byola_hear.classification.file import load_classifier
    from byola_hear.classification.outputs import Folder, check_single
    from byola_hear.tables import TableError
    from byola_hear.tables.failures import check_failures_path

    single = output is not None and is_file(output)
    folder: Folder | None = None
    try:
        if single and output is not None:
            check_no_input(output, path, *paths, *lists)
            check_single(Path(output), overwrite, kind)
        if output is not None:
            check_failures_path(errors_of(Path(output), single))
        classifier = load_classifier(path)
        rule = Rule(classifier.thresholds(threshold), top, merge, gap, smooth)
        source = source_of(paths, lists, share, classifier, hop, name, device, workers, address)
        if share is not None and not source.files and not source.absent:
            click.echo(f"nothing to search in share {share}", err=True)
            return 0
        if output is not None:
            settings = {
                "classifier": file_hash(path),
                **{"threshold": threshold, "top": top, "merge": merge, "gap": gap, "hop": hop, "smooth": smooth},
            }
            place = work_folder(Path(output)) if single else Path(output)
            folder = Folder(place, "parquet" if single else kind or "raven", settings, overwrite)
            remaining = folder.plan(source.files)
    except (ValueError, OSError, TableError) as error:
        if folder is not None:
            folder.close()
        raise click.UsageError(one_line(error)) from error
    for sentence in classifier.not_detected(threshold):
        click.echo(f"note: {sentence}", err=True)
    try:
        if folder is None:
            return printed(source, classifier, rule)
        with folder:
            return written(source, classifier, rule, folder, remaining, Path(output or ""), single, quiet)
    except BrokenPipeError:
        raise  # the reader of the output has ended, as `| head` does
    except (ValueError, OSError) as error:
        raise Failure(one_line(error)) from error


def is_file(output: str) -> bool:
    """Whether an output is one file for all recordings."""
    return not output.endswith(("/", os.sep)) and bool(Path(output).suffix) and not Path(output).is_dir()


def errors_of(output: Path, single: bool) -> Path:
    """Where the recordings that could not be searched are listed."""
    from byola_hear.tables.failures import failures_path

    return failures_path(output) if single else output / "predict.errors.csv"


def printed(source: Source, classifier: Classifier, rule: Rule) -> int:
    """Print the detections as CSV.

    Returns:
        The exit code.
    """
    from byola_hear.classification.detections import COLUMNS, detections

    failures: dict[str, str] = {}
    write_rows(sys.stdout, [COLUMNS])
    with closing(Progress(len(source.files), visible=False)) as progress:
        for each in searched(source, source.files, progress, failures):
            found = detections(each.track, classifier.classes, rule)
            for file, start, end, label, score in found.itertuples(index=False):
                write_rows(sys.stdout, [[file, f"{start:.3f}", f"{end:.3f}", label, f"{score:.4f}"]])
            sys.stdout.flush()
    return 1 if failures else 0


def written(
    source: Source,
    classifier: Classifier,
    rule: Rule,
    folder: Folder,
    remaining: list[str],
    output: Path,
    single: bool,
    quiet: bool,
) -> int:
    """Write the detections, recording by recording.

    Returns:
        The exit code.
    """
    from byola_hear.classification.detections import detections
    from byola_hear.classification.outputs import check_single, finish_single
    from byola_hear.tables.failures import read_failures, write_failures

    failures: dict[str, str] = {}
    place = errors_of(output, single)
    asked = {*source.files, *(each.clip.file for each in source.absent)}
    # A folder keeps what earlier runs said of other recordings.
    others = [] if single else [each for each in read_failures(place) if each[0].file not in asked]
    final = check_single(output, True) if single else None
    n_done = len(source.files) - len(remaining)
    with closing(Progress(len(source.files), n_done, visible=False if quiet else None)) as progress:
        for each in searched(source, remaining, progress, failures):
            found = detections(each.track, classifier.classes, rule)
            try:
                if final == "raven":
                    labels.text_of(found, final)  # what the file can't hold would end the run only when all is done
                folder.add(each.track.file, each.stamp, found)
            except (ValueError, OSError) as error:
                # Other errors of the system, such as a full disk, concern every recording.
                if isinstance(error, OSError) and error.errno != errno.ENAMETOOLONG:
                    raise
                failures[each.track.file] = one_line(error)
                progress.complain(f"{each.track.file}: {failures[each.track.file]}")
    complete = [file for file in source.files if file not in failures]
    if not complete:
        raise Failure(f"no recording could be searched; {output} has no results")
    failed = [*others, *((Clip(file), reason) for file, reason in failures.items())]
    errors = write_failures(place, failed)
    n_found = folder.count(complete)
    if final is not None:
        finish_single(output, final, folder, complete)
    if not quiet:
        recordings = quantity(len(complete), "recording")
        skipped = f", {n_done} of them searched before" if n_done else ""
        click.echo(f"{output}: {quantity(n_found, 'detection')} in {recordings}{skipped}; {progress.summary()}")
    if failures:
        click.echo(f"{quantity(len(failures), 'recording')} could not be searched, see {errors}", err=True)
    return 1 if failures else 0
