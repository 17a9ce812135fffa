"""Labelled sounds that `byola-hear learn` and `byola-hear finetune` learn from."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from byola_hear.cli.inputs import labels_of_table, loaded_model
from byola_hear.cli.terminal import Progress
from byola_hear.extraction.rows import Event

if TYPE_CHECKING:
    import pandas

    from byola_hear.classification.classifier import Network
    from byola_hear.classification.examples import Examples
    from byola_hear.classification.labelled import Labels
    from byola_hear.models.model import ByolaModel


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
        if event.clip.file not in self.seen:
            self.seen.add(event.clip.file)
            self.progress.bar.update()


def of_table(
    path: str, label_files: tuple[Path, ...], label_column: str | None, group: str | None, unlabelled: bool
) -> tuple[Examples, Network]:
    """Take the labelled windows out of a table of embeddings."""
    from byola_hear.classification.classifier import Network
    from byola_hear.classification.examples import from_table
    from byola_hear.classification.labelled import Labels
    from byola_hear.classification.predicting import request_of
    from byola_hear.tables import read_table

    table = read_table(path)
    request = request_of(table, path)
    if label_files:
        files = map(str, table.index.get_level_values("file").unique())
        found = labels_of_table(label_files, files, label_column, () if group is None else (group,))
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
            f"expected a table of clips in a folder for each class, got {files[names.index(TOP)]}; give their --labels"
        )
    # As objects, which may be no UTF-8.
    texts = {name: pd.Series(values, dtype=object) for name, values in (("file", files), ("label", names))}
    return pd.DataFrame({**texts, "start": 0.0, "end": float("nan")})
