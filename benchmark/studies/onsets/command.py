"""``python -m benchmark time``: onset detection by hop and window of timestamp embeddings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import pandas as pd
from tqdm import tqdm

from benchmark.datasets.labelled_set import audio_folder
from benchmark.models.extractors import from_model
from benchmark.models.rows import Asked
from benchmark.probes import ridge
from benchmark.probes.plan import plan
from benchmark.reporting.command_line import command_line
from benchmark.studies.findings import save_numbers
from benchmark.studies.onsets import grid
from benchmark.studies.onsets.grid import HOPS, WIDTHS, Tracks, lines_of, milliseconds
from benchmark.studies.onsets.recordings import EventSet, event_set, tracks_of
from benchmark.studies.onsets.report import NAME, report, shown
from benchmark.studies.study import show_report, study_options
from benchmark.studies.study_setup import Setup, key_of, remembered
from benchmark.tasks.registry import task_of
from byola_hear.models.model import ByolaModel
from byola_hear.models.pooling.combination import MAX_MEAN
from byola_hear.models.pooling.timestamps import timestamp_centre

#: The default event tasks.
TASKS = ("voice_activity", "sound_events")

_VERSIONS = (grid.MEASUREMENT_VERSION, ridge.MEASUREMENT_VERSION)


def identity_of(events: EventSet) -> str:
    """Hash of a task's recordings."""
    digest = hashlib.sha256()
    for split, part in events.splits.items():
        for recording in part:
            digest.update(f"{split}{recording.events}".encode() + recording.samples.tobytes())
    return digest.hexdigest()


def frame_ms(model: ByolaModel) -> float:
    """Distance between frame features of a network, ms."""
    grid_of = model.config.encoder.stride, model.config.frontend.hop_length
    samples = timestamp_centre(1, *grid_of) - timestamp_centre(0, *grid_of)
    return 1000 * samples / model.sample_rate


def networks_of(rows: Sequence[Asked]) -> dict[str, ByolaModel]:
    """The network of each row.

    Raises:
        ValueError: if a row is not one of the package's networks.
    """
    networks = {}
    for row in rows:
        if (model := row.extractors[0].model) is None:
            raise ValueError(f"expected networks, whose windows can be chosen, got {row.name}")
        networks[row.name] = model
    return networks


def measured(model: ByolaModel, events: EventSet, widths: Sequence[int], cache: Path, bar: tqdm) -> pd.DataFrame:
    """The results of a network on a task for all windows and hops; uses the cache."""
    extractor = from_model(model, "")
    parts = [extractor.identity, identity_of(events)]
    if model.config.pooling != MAX_MEAN:
        parts.append(model.config.pooling)  # all were pooled alike before; results of maximum plus mean stay valid

    def kept(width: int, compute: Any) -> Any:
        return remembered(cache, NAME, key_of([*parts, width], versions=_VERSIONS), compute)

    def tracks() -> Tracks:
        bar.set_postfix_str("embed", refresh=True)
        return tracks_of(model, events)

    return lines_of(tracks, events, frame_ms(model), kept, widths, HOPS, step=partial(bar.update, 1))


@click.command("time")
@click.option("--tasks", default=",".join(TASKS), show_default=True, metavar="NAME,…", help="Event tasks.")
@click.option(
    "--max-files", type=click.IntRange(min=4), help="Largest number of files of each split, for a quick look."
)
@study_options("speech,nonspeech,both", baselines=False, drawn=False)
def command(tasks: str, max_files: int | None, **options: Any) -> None:
    """Measure onset F1 of the networks for hops and pooling windows of timestamps from 40 ms to a second.

    A frame-wise ridge regression on windows of frame features is followed by heareval's thresholds, median filter and
    shortest event, all chosen on validation recordings. Test recordings are scored only with the best setting and the
    default. Finished windows are cached: a command that was stopped continues when run again.
    """
    setup = Setup.of(**options)
    wanted = list(dict.fromkeys(name.strip() for name in tasks.split(",") if name.strip()))
    if not wanted:
        raise ValueError(f"expected at least one event task, got {tasks!r}")
    sources = audio_folder(setup.audio)
    models = networks_of(setup.rows(lambda: plan("orchestral_notes", sources, setup.cache).training_clips()))
    defaults = {(model.config.window_frames, frame_ms(model)) for model in models.values()}
    if len(defaults) != 1:
        raise ValueError(f"expected networks of one window and hop, got (frames, ms a frame) {sorted(defaults)}")
    width, hop_ms = defaults.pop()
    default = milliseconds(width, hop_ms), milliseconds(1, hop_ms)
    widths = sorted({*WIDTHS, width})
    frames, identities = [], {}
    total = len(wanted) * len(models) * len(widths)
    with tqdm(desc=NAME, total=total, unit="window", disable=not setup.progress, leave=False) as bar:
        for task in wanted:
            bar.set_postfix_str(f"make {task}")
            events = event_set(list(task_of(task).items(sources)), max_files)
            identities[task] = identity_of(events)
            for name, model in models.items():
                bar.set_postfix_str(f"{task}, {name}")
                numbers = measured(model, events, widths, setup.cache, bar)
                numbers.insert(0, "task", task)
                numbers.insert(0, "model", name)
                frames.append(numbers)
    numbers = shown(pd.concat(frames), *default)
    about = {
        "command": command_line(),
        "default": list(default),
        "windows_ms": [milliseconds(width, hop_ms) for width in widths],
        "hops_ms": [milliseconds(hop, hop_ms) for hop in HOPS],
        "max_files": max_files,
        "tasks": identities,
        "models": {name: from_model(model, "").identity for name, model in models.items()},
    }
    save_numbers(setup.output, NAME, numbers, about)
    show_report(setup.output, NAME, report(setup.output))
