"""``byola-hear finetune``: train a network further on labelled sounds, with a classifier."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import torch
from tqdm import tqdm

from byola_hear.cli import options
from byola_hear.cli.errors import Failure
from byola_hear.cli.examples import of_audio, read_labels
from byola_hear.cli.inputs import is_table
from byola_hear.cli.outputs import check_no_input, check_output_file
from byola_hear.cli.terminal import complain, say, stderr_is_terminal
from byola_hear.cli.trained import described, show
from byola_hear.cli.types import Finite
from byola_hear.training.precision import PRECISIONS
from byola_hear.utils.text import one_line, quantity

if TYPE_CHECKING:
    from byola_hear.finetuning.run import FineTuned, Progress


@click.command("finetune")
@click.argument("paths", nargs=-1, metavar="[FOLDER]...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Network to write: .safetensors. The classifier becomes NAME.classifier.safetensors.",
)
@options.labels
@options.label_column
@options.group
@options.unlabelled
@options.window
@options.hop
@click.option("--epochs", type=click.IntRange(1), metavar="N", help="Largest number of passes. Default: 10.")
@click.option(
    "--folds", type=click.IntRange(2, 100), metavar="N", help="Largest number of folds, held out in turn. Default: 3."
)
@click.option(
    "--learning-rate",
    type=Finite(0, min_open=True),
    metavar="RATE",
    help="Highest learning rate of all layers. Default: 1e-4.",
)
@click.option(
    "--precision",
    type=click.Choice(PRECISIONS),
    default="auto",
    show_default=True,
    help="Precision of the training; auto takes bfloat16 if the device is faster with it.",
)
@options.report
@options.wished_precision
@click.option(
    "--model",
    "name",
    default="",
    metavar="NAME|PATH",
    help="Model to begin with: a name from `byola-hear models`, or the path of a checkpoint. Default: both.",
)
@options.device
@options.decoding_threads
@options.threads
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), default=0, show_default=True, help="Seed of everything random."
)
@click.option(
    "--save-every",
    type=Finite(0),
    default=60.0,
    show_default=True,
    metavar="SECONDS",
    help="Save the state this often; a crash costs the work since then.",
)
@click.option("--overwrite", is_flag=True, help="Replace existing results, and discard an unfinished run.")
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
    epochs: int | None,
    folds: int | None,
    learning_rate: float | None,
    precision: str,
    report: Path | None,
    wished_precision: float,
    name: str,
    device: str,
    workers: int | None,
    threads: int | None,
    seed: int,
    save_every: float,
    overwrite: bool,
    quiet: bool,
) -> int:
    """Train a network further on labelled sounds, and keep it if it beats the network as it is.

    Labels are given as for `byola-hear learn`. A classifier is trained together with the whole network, and both are
    compared with what `byola-hear learn` makes, on recordings that were held out. If they are better, both are written:
    the network for --model of every command, the classifier for `byola-hear predict`. If not, the network stays as it
    is, and only a classifier for it is written.

    The state is saved regularly in a folder next to the output. After a crash or an interruption, the same command
    continues.

    Exit codes: 0: a classifier was written; 1: it was written, but some recordings could not be read, or training
    failed; 2: wrong usage or labels that can't be learned from, nothing was written; 130: interrupted, the same command
    continues.
    """
    # Imported here, because scikit-learn and pandas take long to load.
    try:
        from byola_hear.classification.report.page import write_report
        from byola_hear.finetuning.recipe import Recipe
        from byola_hear.finetuning.run import classifier_of, finetune_examples
        from byola_hear.finetuning.workspace import is_finishing, tidy
    except ImportError as error:
        raise Failure(one_line(error)) from error
    tidy(output)
    replace = overwrite or is_finishing(output)
    outputs = [(output, ".safetensors", "network"), (classifier_of(output), ".safetensors", "classifier")]
    for path, ending, what in [*outputs, (report, ".html", "report")]:
        if path is not None:
            check_no_input(path, name)
            check_output_file(path, (ending,), what, replace)
    if not paths and not label_files:
        raise click.UsageError("expected a folder of clips or --labels; got nothing")
    for option, value in (("--group", group), ("--label-column", label_column)):
        if value is not None and not label_files:
            raise click.UsageError(f"{option} names a column of --labels")
    if threads is not None:
        torch.set_num_threads(threads)

    def on_result(result: FineTuned) -> None:
        try:
            if report is not None:
                write_report(report, result.trained, output.stem, wished_precision)
        except OSError as error:
            raise Failure(one_line(error)) from error

    given: dict[str, Any] = {"epochs": epochs, "folds": folds, "learning_rate": learning_rate}
    given |= {"precision": precision, "seed": seed}
    try:
        recipe = Recipe(**{key: value for key, value in given.items() if value is not None})
        if any(map(is_table, paths)):
            raise ValueError("expected recordings, got a table of embeddings: fine-tuning changes the embeddings")
        labels = read_labels(paths, label_files, label_column, group)
        if window is None:
            window = labels.window()
            say(f"window {window:g} s, the median length of the labels (--window)", quiet)
        examples, network, model = of_audio(labels, window, name, device, workers, unlabelled, quiet)
        for file, reason in examples.failures.items():
            complain(file, reason)
        with Bar(False if quiet else None) as bar:
            try:
                result = finetune_examples(
                    examples,
                    model,
                    network,
                    output,
                    recipe,
                    hop=hop,
                    workers=workers,
                    overwrite=overwrite,
                    save_seconds=save_every,
                    on_progress=bar,
                    on_result=on_result,
                )
            except (FloatingPointError, OSError) as error:  # training diverged, or the disk is full
                raise Failure(one_line(error)) from error
    except (ValueError, OSError) as error:
        raise click.UsageError(one_line(error)) from error
    if not quiet:
        show(result.trained, wished_precision)
        if result.network is None:
            click.echo(f"{output}: not written, as the network stays as it is")
        else:
            click.echo(f"{output}: fine-tuned from {network.label} in {quantity(result.epochs, 'epoch')}")
        click.echo(f"{result.classifier}: {described(result.trained)}")
    return 1 if examples.failures else 0


class Bar:
    """A progress line on stderr: what is being done, how far it is, and how well held-out windows are told."""

    def __init__(self, visible: bool | None = None) -> None:
        self.hidden = sys.stderr is None or not (stderr_is_terminal() if visible is None else visible)
        self.what = ""
        self.bar: tqdm | None = None

    def __call__(self, progress: Progress) -> None:
        """Show how far a run is."""
        if self.bar is None or self.what != progress.what:
            self.__exit__()
            self.what = progress.what
            self.bar = tqdm(
                desc=progress.what,
                total=progress.total,
                unit=progress.unit,
                disable=self.hidden,
                leave=False,
                file=sys.stderr,
                bar_format="{desc}: {n:.1f} of {total:.0f} {unit}s, {elapsed} done, {remaining} left{postfix}",
            )
        if progress.errors:
            first, last = 1 - progress.errors[0], 1 - progress.errors[-1]
            self.bar.set_postfix_str(f"held-out average precision {last:.3f}, at first {first:.3f}", refresh=False)
        self.bar.update(progress.done - self.bar.n)

    def __enter__(self) -> Bar:
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar is not None:
            self.bar.close()
