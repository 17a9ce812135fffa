"""The function that fine-tunes a network on labelled sounds: :func:`byola_hear.finetune`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from byola_hear import labels as label_files
from byola_hear.classification.classifier import Network
from byola_hear.classification.examples import from_audio
from byola_hear.classification.labelled import Labels
from byola_hear.finetuning.recipe import Recipe
from byola_hear.finetuning.workspace import is_finishing, tidy
from byola_hear.models.loading import resolve
from byola_hear.models.model import ByolaModel
from byola_hear.utils.device import usable_device
from byola_hear.utils.files import check_no_input

if TYPE_CHECKING:
    import pandas
    import torch

    from byola_hear.finetuning.run import FineTuned, Progress


def finetune(
    labels: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] | pandas.DataFrame,
    output: str | os.PathLike[str],
    *,
    window: float | None = None,
    hop: float | None = None,
    unlabelled: bool = False,
    group: str | None = None,
    model: str | os.PathLike[str] | ByolaModel = "",
    device: str | torch.device | None = None,
    workers: int | None = None,
    recipe: Recipe | None = None,
    overwrite: bool = False,
    on_progress: Callable[[Progress], None] | None = None,
) -> FineTuned:
    """Train a network further on labelled sounds, with a classifier, and keep both if they beat the frozen network.

    Both are compared on recordings that were held out. If the fine-tuned network is not better, only a classifier for
    the frozen network is written. After a crash, the same call continues.

    Args:
        labels: folders with a folder of clips for each class, or a table as :func:`byola_hear.labels.read` returns it.
        output: the network's checkpoint, ``mine.safetensors``. The classifier becomes ``mine.classifier.safetensors``.
        window: length of a window, s; None for the median length of the labels.
        hop: time from one window to the next when the classifier is used, s; None for half a window.
        unlabelled: whether windows of labelled recordings that no label touches are negatives.
        group: column of the table whose values are never split between folds.
        model: the network to begin with: a name, a checkpoint or a model in float32 that gives whole embeddings.
        device: where to compute; None for the CPU, or for the current device of a model that was given.
        workers: number of threads that decode.
        recipe: how to train; None for the defaults.
        overwrite: replace existing results, and discard an unfinished run with other settings.
        on_progress: called now and then.

    Returns:
        What was kept, and how it compares.

    Raises:
        FileExistsError: if a result exists.
        FileNotFoundError: if a recording or a folder does not exist.
        ValueError: if the labels can't be learned from, or an argument is not as described.
        FloatingPointError: if training diverged.

    Example:
        >>> byola_hear.finetune("clips", "mine.safetensors").comparison.better  # doctest: +SKIP
        True
    """
    # scikit-learn, which learning needs, takes a second to import and brings pandas along.
    from byola_hear.finetuning.run import classifier_of, finetune_examples

    output = Path(output)
    if not isinstance(model, ByolaModel):
        for path in (output, classifier_of(output)):
            check_no_input(path, model)
    tidy(output)
    for path in (output, classifier_of(output)):
        if path.exists() and not (overwrite or is_finishing(output)):
            raise FileExistsError(f"{path} exists; overwrite=True replaces it")
    if isinstance(labels, (str, os.PathLike)):
        labels = [labels]
    table = label_files.read(labels, "folders") if isinstance(labels, (list, tuple)) else labels
    checked = Labels(table, group)
    network = model if isinstance(model, ByolaModel) else resolve(model)
    if network.directions is not None or network.precision not in ("float32", "int8"):
        got = f"one in {network.precision}" if network.directions is None else "one of short vectors"
        raise ValueError(f"expected a network in float32 that gives whole embeddings, got {got}")
    network = network if device is None else network.to(usable_device(device))
    window = checked.window() if window is None else window
    examples = from_audio(checked, network, window, unlabelled=unlabelled, workers=workers)
    source = network.config.name if isinstance(model, ByolaModel) else os.fspath(model) or "both"
    return finetune_examples(
        examples,
        network,
        Network.of(network, source),
        output,
        recipe or Recipe(),
        hop=hop,
        workers=workers,
        overwrite=overwrite,
        on_progress=on_progress,
    )
