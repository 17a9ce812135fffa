"""``byola-hear learn``: train a classifier on labelled sounds."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from byola_hear.cli import options
from byola_hear.cli.embed import loaded_model
from byola_hear.cli.errors import Failure
from byola_hear.cli.map import complain, is_table
from byola_hear.cli.outputs import check_no_input, check_output_file
from byola_hear.cli.terminal import Progress, aligned
from byola_hear.extraction.rows import Event, Failed
from byola_hear.utils.text import one_line, quantity

if TYPE_CHECKING:
    import pandas

    from byola_hear.classification.classifier import Network
    from byola_hear.classification.examples import Examples
    from byola_hear.classification.labelled import Labels
    from byola_hear.classification.training import Trained
    from byola_hear.models.model import ByolaModel

#: Classes whose measures are printed; the report has all.
_MAX_LINES = 100


@click.command("learn")
@click.argument("paths", nargs=-1, metavar="[FOLDER|TABLE]...")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Classifier to write: .safetensors."
)
@options.labels
@options.label_column
@options.group
@options.unlabelled
@options.window
@options.hop
@click.option(
    "--method",
    type=click.Choice(["auto", "logistic", "cosine"]),
    default="auto",
    show_default=True,
    help="Logistic regression, or the cosine to each class's mean. auto takes the cosine for fewer than 3 examples.",
)
@options.report
@options.wished_precision
@click.option(
    "--embeddings",
    metavar="TABLE",
    help="Table to keep the embeddings of the labelled windows in: a second run embeds only what it lacks.",
)
@options.model
@options.dimensions
@options.device
@options.decoding_threads
@click.option("--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of the folds.")
@click.option("--overwrite", is_flag=True, help="Replace an existing classifier and report.")
@options.quiet
def command(
    paths: tuple[str, ...],
    output: Path,
    label_files: tuple[Path, ...],
    label_column: str | None,
    group: str | None,
    unlabelled: bool,
    window: float | None,
    hop: float | None,
    method: str,
    report: Path | None,
    wished_precision: float,
    embeddings: str | None,
    name: str,
    dimensions: int | None,
    device: str,
    workers: int | None,
    seed: int,
    overwrite: bool,
    quiet: bool,
) -> int:
    """Train a classifier on labelled sounds, for `byola-hear predict`.

    Without --labels, FOLDER holds a folder of clips for each class. With --labels, FOLDER holds the recordings that the
    label files name; it may be left out if the files name them by paths that exist. Instead of recordings, a TABLE that
    `byola-hear embed` wrote can be given. Clips and labels called noise, background, other, silence or none are
    negatives: none of the classes sounds in them.

    The strength of regularisation and the thresholds are chosen by cross-validation. Its folds never split a recording
    or a --group.

    Exit codes: 0: the classifier was written; 1: it was written, but some recordings could not be embedded, or it could
    not be written; 2: wrong usage or labels that can't be learned from, nothing was written.
    """
    for path, ending, what in ((output, ".safetensors", "classifier"), (report, ".html", "report")):
        if path is not None:
            check_no_input(path, name, *paths)
            check_output_file(path, (ending,), what, overwrite)
    if not paths and not label_files:
        raise click.UsageError("expected a folder of clips, a table or --labels; got nothing")
    for option, value in (("--group", group), ("--label-column", label_column)):
        if value is not None and not label_files:
            raise click.UsageError(f"{option} names a column of --labels")
    # Imported here, because scikit-learn and pandas take long to load.
    try:
        from byola_hear.classification.file import save_classifier
        from byola_hear.classification.report.page import write_report
        from byola_hear.classification.training import learn
        from byola_hear.tables import TableError
    except ImportError as error:
        raise Failure(one_line(error)) from error
    try:
        if any(map(is_table, paths)):
            if len(paths) > 1 or window is not None or name or embeddings is not None or dimensions is not None:
                raise ValueError(
                    "expected one table alone, without --window, --model, --embeddings and --dimensions: a table has "
                    "its windows"
                )
            examples, network = of_table(paths[0], label_files, label_column, group, unlabelled)
        else:
            labels = read_labels(paths, label_files, label_column, group)
            if window is None:
                window = labels.window()
                say(f"window {window:g} s, the median length of the labels (--window)", quiet)
            examples, network, _ = of_audio(
                labels, window, name, device, workers, unlabelled, quiet, embeddings, dimensions
            )
        for file, reason in examples.failures.items():
            complain(file, reason)
        trained = learn(examples, network, hop, method, seed)  # type: ignore[arg-type]
    except (ValueError, OSError, TableError) as error:
        raise click.UsageError(one_line(error)) from error
    try:
        if report is not None:
            write_report(report, trained, output.stem, wished_precision)
        save_classifier(output, trained.classifier)
    except OSError as error:
        raise Failure(one_line(error)) from error
    if not quiet:
        show(trained, wished_precision)
        click.echo(f"{output}: {described(trained)}")
    return 1 if examples.failures else 0


def read_labels(
    paths: tuple[str, ...], label_files: tuple[Path, ...], label_column: str | None, group: str | None
) -> Labels:
    """Labels in files, or of folders."""
    from byola_hear import labels
    from byola_hear.classification.labelled import Labels

    if not label_files:
        for path in paths:
            if not os.path.isdir(path):
                raise ValueError(f"expected a folder of clips, a table or --labels, got {path}")
        return Labels(labels.read(paths, "folders"))
    if len(paths) > 1:
        raise ValueError(f"expected one folder with the recordings of --labels, got {len(paths)}")
    columns = () if group is None else (group,)
    place = paths[0] if paths else None
    return Labels(labels.read(label_files, label_column=label_column, recordings=place, columns=columns), group)


def of_audio(
    labels: Labels,
    window: float,
    name: str,
    device: str,
    workers: int | None,
    unlabelled: bool,
    quiet: bool,
    embeddings: str | None = None,
    dimensions: int | None = None,
) -> tuple[Examples, Network, ByolaModel]:
    """Embed the labelled windows of recordings. Returns them, the description of the network, and the network."""
    from byola_hear.classification.classifier import Network
    from byola_hear.classification.examples import from_audio

    model = loaded_model(name, device, dimensions)
    counted = Counted(len(labels.of_file), quiet)
    with closing(counted.progress):
        examples = from_audio(
            labels,
            model,
            window,
            unlabelled=unlabelled,
            workers=workers,
            on_event=counted,
            embeddings=embeddings,
        )
    return examples, Network.of(model, name or "both"), model


class Counted:
    """Counts recordings on a progress bar, although several clips may be of one."""

    def __init__(self, n_files: int, quiet: bool) -> None:
        self.progress = Progress(n_files, visible=False if quiet else None)
        self.seen: set[str] = set()

    def __call__(self, event: Event) -> None:
        first = event.clip.file not in self.seen
        if isinstance(event, Failed) or first:
            self.seen.add(event.clip.file)
            if first:
                self.progress.bar.update()


def of_table(
    path: str, label_files: tuple[Path, ...], label_column: str | None, group: str | None, unlabelled: bool
) -> tuple[Examples, Network]:
    """Take the labelled windows out of a table of embeddings."""
    from byola_hear import labels
    from byola_hear.classification.classifier import Network
    from byola_hear.classification.examples import from_table
    from byola_hear.classification.labelled import Labels
    from byola_hear.classification.predicting import request_of
    from byola_hear.tables import read_table

    table = read_table(path)
    request = request_of(table, path)
    if label_files:
        columns = () if group is None else (group,)
        found = labels.read(label_files, label_column=label_column, missing="keep", columns=columns)
    else:
        found = by_folder(table)
    label, size = str(request["model"]), table.shape[1]
    network = Network(label.rpartition(" ")[0] or label, label, str(request["fingerprint"]), size)
    return from_table(Labels(found, group), table, unlabelled=unlabelled), network


def by_folder(table: pandas.DataFrame) -> pandas.DataFrame:
    """Label each recording of a table by its folder."""
    import pandas as pd

    from byola_hear.analysis.map.labels import TOP, folder_labels

    files = list(dict.fromkeys(map(str, table.index.get_level_values("file"))))
    # Of folders in folders, the topmost is the class, as in a folder of clips.
    names = [name.partition("/")[0] for name in folder_labels(files)]
    if TOP in names:
        raise ValueError(
            f"expected a table of clips in a folder for each class, got {files[names.index(TOP)]}; --labels"
        )
    # As objects, which may be no UTF-8.
    texts = {name: pd.Series(values, dtype=object) for name, values in (("file", files), ("label", names))}
    return pd.DataFrame({**texts, "start": 0.0, "end": float("nan")})


def say(text: str, quiet: bool) -> None:
    """Print a line, unless --quiet."""
    if not quiet:
        click.echo(text)


def show(trained: Trained, precision: float) -> None:
    """Print the measures of the classes, what was confused most, and the notes."""
    from byola_hear.classification.report import summary

    lines = summary.lines(trained, precision)
    header = ["class", "windows", "groups", "AP", "95 %", "P", "R", "F1", "threshold", f"P≥{precision:g}"]
    rows = []
    for line in lines[:_MAX_LINES]:
        interval = "-" if line.interval is None else f"{line.interval[0]:.2f}-{line.interval[1]:.2f}"
        measures = [number(value) for value in (line.precision, line.recall, line.f1)]
        wished = "-" if line.wished is None else f"{line.wished:.3f}"
        rows.append(
            [
                *(line.label, str(line.examples), str(line.recordings), number(line.average_precision), interval),
                *(*measures, f"{line.threshold:.3f}", wished),
            ]
        )
    if trained.n_folds:
        average_precision = summary.mean([line.average_precision for line in lines])
        f1 = summary.mean([line.f1 for line in lines])
        rows.append(["mean", "", "", number(average_precision), "", "", "", number(f1), "", ""])
    click.echo(aligned(header, rows))
    if len(lines) > _MAX_LINES:
        click.echo(f"and {len(lines) - _MAX_LINES} more; --report shows all")
    for truth, found, count in summary.confused(trained) if trained.n_folds else []:
        click.echo(f"{truth} taken for {found}: {quantity(count, 'window')}")
    for note in trained.notes:
        click.echo(f"note: {note}")


def number(value: float | None) -> str:
    """A measure with two decimals."""
    return "-" if value is None else f"{value:.2f}"


def described(trained: Trained) -> str:
    """A line on a classifier."""
    examples, classifier = trained.examples, trained.classifier
    classes = "class" if len(examples.classes) == 1 else "classes"
    checked = f"checked in {trained.n_folds} folds" if trained.n_folds else "not checked"
    parts = [
        f"{len(examples.classes)} {classes}",
        f"{quantity(len(examples), 'window')} of {classifier.window:g} s",
        f"{quantity(classifier.about['negatives'], 'negative')}",
        f"{quantity(len(set(examples.file)), 'recording')}",
        checked,
        f"model {classifier.network.label}",
    ]
    return ", ".join(parts)
