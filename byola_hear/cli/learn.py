"""``byola-hear learn``: train a classifier on labelled sounds."""

from __future__ import annotations

from pathlib import Path

import click

from byola_hear.cli import options
from byola_hear.cli.errors import Failure
from byola_hear.cli.examples import of_audio, of_table, read_labels
from byola_hear.cli.inputs import is_table
from byola_hear.cli.outputs import check_no_input, check_output_file
from byola_hear.cli.terminal import complain, say
from byola_hear.cli.trained import described, show
from byola_hear.utils.text import one_line


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

    Exit codes: 0: the classifier was written; 1: it was written, but some recordings could not be embedded or the
    report could not be written, or it could not be written; 2: wrong usage or labels that can't be learned from,
    nothing was written.
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
        from byola_hear.classification.kept import kept_window
        from byola_hear.classification.report.page import write_report
        from byola_hear.classification.training import learn
        from byola_hear.tables import TableError, TableRefused
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
            try:
                if window is None and embeddings is not None:
                    window = kept_window(embeddings)  # new labels move the median, and it would be refused
                    if window is not None:
                        say(f"window {window:g} s, that of {embeddings} (--window)", quiet)
                if window is None:
                    window = labels.window()
                    say(f"window {window:g} s, the median length of the labels (--window)", quiet)
                examples, network, _ = of_audio(
                    labels, window, name, device, workers, unlabelled, quiet, embeddings, dimensions
                )
            except TableRefused:
                raise
            except TableError as error:  # a full disk is no wrong usage
                raise Failure(one_line(error)) from error
        for file, reason in examples.failures.items():
            complain(file, reason)
        trained = learn(examples, network, hop, method, seed)  # type: ignore[arg-type]
    except (ValueError, OSError, TableError) as error:
        raise click.UsageError(one_line(error)) from error
    try:
        save_classifier(output, trained.classifier)
        if report is not None:
            write_report(report, trained, output.stem, wished_precision)
    except OSError as error:
        raise Failure(one_line(error)) from error
    if not quiet:
        show(trained, wished_precision)
        click.echo(f"{output}: {described(trained)}")
    return 1 if examples.failures else 0
