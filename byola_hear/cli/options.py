"""Options that several commands have, with the same words."""

from __future__ import annotations

from pathlib import Path

import click

from byola_hear.cli.types import Finite

model = click.option(
    "--model",
    "name",
    default="",
    metavar="NAME|PATH",
    help="Model: a name from `byola-hear models`, or the path of a checkpoint. Default: both.",
)
dimensions = click.option(
    "--dimensions",
    type=click.IntRange(1),
    metavar="N",
    help="Short vectors of this many dimensions: up to 1024, or up to half of a shorter embedding. Default: the whole.",
)
device = click.option(
    "--device", default="cpu", show_default=True, help="Device to compute on: cpu, cuda, cuda:1, mps."
)
decoding_threads = click.option(
    "--workers", type=click.IntRange(1), help="Number of decoding threads. Default: half of the CPU threads."
)
decoding_threads_or_processes = click.option(
    "--workers",
    type=click.IntRange(1),
    help="Number of decoding threads. Default: half of the CPU threads. With --ray, number of processes. Default: one "
    "per GPU or CPU.",
)
two_decoding_threads = click.option(
    "--workers", type=click.IntRange(1), default=2, show_default=True, help="Number of decoding threads."
)
threads = click.option(
    "--threads",
    type=click.IntRange(1, 1024),
    help="Number of CPU threads of the network. Default: PyTorch's choice.",
)
ray = click.option("--ray", "address", metavar="ADDRESS|auto|local", help="Compute on a Ray cluster.")
layout_seed = click.option(
    "--seed", type=click.IntRange(0, 2**32 - 1), default=0, show_default=True, help="Seed of the layout."
)
quiet = click.option("-q", "--quiet", is_flag=True, help="Print only errors.")

# --- what a classifier is learned from, and how it is reported ----------------------------------------------------

labels = click.option(
    "--labels",
    "label_files",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Label file: Raven, Audacity, CSV or Parquet; can be given several times. Default: folders are labels.",
)
label_column = click.option(
    "--label-column", metavar="NAME", help="Column with the labels. Default: label, annotation or species."
)
group = click.option(
    "--group", metavar="NAME", help="Column of --labels whose values stay together in folds, such as a site."
)
unlabelled = click.option(
    "--unlabelled", is_flag=True, help="Count windows of labelled recordings that no label touches as negatives."
)
window = click.option(
    "--window",
    type=Finite(0, min_open=True),
    metavar="SECONDS",
    help="Length of a window. Default: the median length of the labels.",
)
hop = click.option(
    "--hop",
    type=Finite(0, min_open=True),
    metavar="SECONDS",
    help="Time from one window to the next in recordings. Default: half a window.",
)
report = click.option(
    "--report", type=click.Path(path_type=Path), metavar="FILE", help="Report to write as a web page: .html."
)
wished_precision = click.option(
    "--wished-precision",
    type=Finite(0, 1),
    default=0.9,
    show_default=True,
    metavar="P",
    help="Report the threshold that reaches this precision.",
)
