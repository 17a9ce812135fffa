"""``byola_hear.finetune``: a network and a classifier from labelled sounds, if that beats the network as it is."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from byola_hear.classification.classifier import Network, logistic
from byola_hear.classification.cross_validation import DEFAULT_STRENGTH, folds
from byola_hear.classification.examples import Examples
from byola_hear.classification.file import save_classifier
from byola_hear.classification.fitting import Regression
from byola_hear.classification.training import MIN_EXAMPLES, Trained, assembled, learn
from byola_hear.finetuning.choice import Comparison, chosen_epochs, compared
from byola_hear.finetuning.course import Course, Material, Reached
from byola_hear.finetuning.recipe import Recipe
from byola_hear.finetuning.windows import check_lengths, log_mels
from byola_hear.finetuning.workspace import Workspace, digest
from byola_hear.models.checkpoint import listed, save_checkpoint
from byola_hear.models.loading import load_checkpoint
from byola_hear.models.model import ByolaModel
from byola_hear.training.precision import precision_for

#: What precisions are called where they are kept; None is float32.
DTYPES = {"bfloat16": torch.bfloat16, "float32": None}
#: Floor of the deviations of the regression that training begins with. With a share of the median, a regression on
#: frozen embeddings is as good as without, and small changes of the network change it little.
FLOOR = 1.0


@dataclass(frozen=True)
class Progress:
    """What a run reports.

    Attributes:
        what: what is being done, ``"fold 1 of 3"`` for instance.
        done: how much of it.
        total: how much there is.
        unit: of both.
        errors: one minus the mean average precision on the fold's held-out windows, after each epoch from 0 on.
    """

    what: str
    done: float
    total: float
    unit: str
    errors: tuple[float, ...] = ()


@dataclass(frozen=True)
class FineTuned:
    """What a run gave.

    Attributes:
        trained: the classifier that was kept, and its measures on held-out recordings.
        comparison: fine-tuned against frozen.
        epochs: passes through all examples; 0 if the frozen network was kept.
        network: the checkpoint; None if the frozen network was kept.
        classifier: the file for :func:`byola_hear.predict`.
    """

    trained: Trained
    comparison: Comparison
    epochs: int
    network: Path | None
    classifier: Path


def classifier_of(output: Path) -> Path:
    """Where the classifier of a network lies: ``mine.classifier.safetensors`` for ``mine.safetensors``."""
    return output.with_name(f"{output.stem}.classifier.safetensors")


def finetune_examples(
    examples: Examples,
    model: ByolaModel,
    network: Network,
    output: Path,
    recipe: Recipe,
    *,
    hop: float | None = None,
    workers: int | None = None,
    overwrite: bool = False,
    save_seconds: float = 60.0,
    on_progress: Callable[[Progress], None] | None = None,
    on_result: Callable[[FineTuned], None] | None = None,
) -> FineTuned:
    """Do what :func:`byola_hear.finetune` does, with windows that were embedded before.

    Args:
        examples: labelled windows, embedded by ``model``.
        model: the network to begin with, on the device that is to compute.
        network: its description.
        output: the checkpoint.
        recipe: how to train.
        hop: time from one window to the next when the classifier is used, s; None for half a window.
        workers: number of threads that decode.
        overwrite: replace what an earlier run wrote.
        save_seconds: time between two saved states, s.
        on_progress: called now and then.
        on_result: called with what is returned, while an interrupted run still continues and calls it again.

    Returns:
        What was kept, and how it compares.

    Raises:
        ValueError: if the examples can't be learned from.
        OSError: if something can't be read or written.
        FloatingPointError: if training diverged.
    """
    report = on_progress or (lambda progress: None)
    check_lengths(examples)
    frozen = _frozen(examples, network, hop, recipe)
    settings = {
        "format": 1,
        "examples": digest(examples),
        "network": network.fingerprint,
        "recipe": recipe.to_dict(),
        "hop": hop,
    }
    with Workspace(output, settings, overwrite) as workspace:
        windows = log_mels(
            examples,
            model.config,
            workspace.log_mels,
            workers,
            lambda done: report(Progress("log-mels", done, len(examples), "window")),
        )
        strength = frozen.strength or DEFAULT_STRENGTH
        precision = workspace.precision(lambda: _precision(recipe, model))
        material = Material(model, windows, examples.truth, recipe, strength, DTYPES[precision])
        run = _Run(examples, material, frozen, workspace, save_seconds, report)
        scores, epochs = run.held_out()
        comparison = compared(frozen.scores, scores, examples.truth, examples.group, frozen.n_folds, recipe.seed)
        if comparison.better:
            tuned = run.whole(epochs)
            config = model.config
            facts = {
                "classes": list(examples.classes),
                "examples": len(examples),
                "recordings": len(set(examples.file)),
                "epochs": epochs,
                "recipe": {**recipe.to_dict(), "precision": precision},
                "mean_average_precision": round(comparison.tuned, 4),
                "mean_average_precision_frozen": round(comparison.frozen, 4),
                "interval_of_the_difference": [round(comparison.low, 4), round(comparison.high, 4)],
            }
            began = {"model": network.label, "fingerprint": network.fingerprint}
            training = {**config.training, "began_with": began, "fine_tuned": facts}
            encoder = tuned.network.encoder.cpu().eval()
            made = ByolaModel(replace(config, name=output.stem, version="1", training=training), encoder)
            linear = tuned.network.head.folded()
            del tuned
        # Windows removes no file that is mapped into memory, as the log-mels are.
        del run, material, windows
        if comparison.better:
            save_checkpoint(workspace.network, made)
            # Of the file: its matrices are rounded.
            network = Network.of(load_checkpoint(workspace.network), str(output))
            trained = assembled(examples, network, hop, "logistic", linear, scores, frozen.n_folds, None, recipe.seed)
            trained = _with(trained, comparison, {"fine_tuned": facts})
        else:
            trained, epochs = _with(frozen, comparison, {}), 0
        stored = replace(trained.classifier.network, source=output.name) if comparison.better else network
        save_classifier(workspace.classifier, replace(trained.classifier, network=stored))
        place = classifier_of(output)
        result = FineTuned(trained, comparison, epochs, output if comparison.better else None, place)
        workspace.finishing()
        if comparison.better:
            os.replace(workspace.network, output)
        else:
            # What an earlier run left there would be taken for the result of this one.
            output.unlink(missing_ok=True)
        os.replace(workspace.classifier, place)
        if on_result is not None:
            on_result(result)
        workspace.remove()
    return result


def _precision(recipe: Recipe, model: ByolaModel) -> str:
    """The name of the precision that a run begins with."""
    return "float32" if precision_for(recipe.precision, next(model.encoder.parameters()).device) is None else "bfloat16"


def _frozen(examples: Examples, network: Network, hop: float | None, recipe: Recipe) -> Trained:
    """The classifier of the frozen embeddings, on the folds that fine-tuning is checked on."""
    counts = examples.truth.sum(0)
    few = [f"{name} ({count})" for name, count in zip(examples.classes, counts, strict=True) if count < MIN_EXAMPLES]
    if few:
        raise ValueError(
            f"fine-tuning needs at least {MIN_EXAMPLES} examples of each class, got fewer of {listed(few)}; "
            "add examples or leave the class out; `byola-hear learn` takes fewer"
        )
    frozen = learn(examples, network, hop, "logistic", recipe.seed, recipe.folds)
    if not any(frozen.measures):
        raise ValueError(
            "fine-tuning needs a class with labels from two recordings or groups, so that some can be held out"
        )
    return frozen


def _with(trained: Trained, comparison: Comparison, about: dict[str, Any]) -> Trained:
    """The same with the comparison as its first note, and more facts in the classifier."""
    classifier = replace(trained.classifier, about={**trained.classifier.about, **about})
    return replace(trained, classifier=classifier, notes=(comparison.line(), *trained.notes))


@dataclass(frozen=True)
class _Run:
    """The courses of a run."""

    examples: Examples
    material: Material
    frozen: Trained
    workspace: Workspace
    save_seconds: float
    report: Callable[[Progress], None]

    def held_out(self) -> tuple[NDArray[np.float64], int]:
        """Scores ``(n, n_classes)`` by networks that were trained without their fold, and the best number of epochs."""
        recipe = self.material.recipe
        fold_of = folds(self.examples, recipe.seed, recipe.folds)
        logits, errors = [], []
        for fold in range(self.frozen.n_folds):
            course = self._course(fold, np.flatnonzero(fold_of != fold), np.flatnonzero(fold_of == fold))
            logits.append(self._trained(course, f"fold {fold + 1} of {self.frozen.n_folds}", recipe.epochs))
            errors.append(course.errors)
        chosen, best = chosen_epochs(errors, [int((fold_of == fold).sum()) for fold in range(self.frozen.n_folds)])
        if not max(chosen):
            return self.frozen.scores, 0
        scores = np.full(self.examples.truth.shape, np.nan)
        for fold, (epoch, values) in enumerate(zip(chosen, logits, strict=True)):
            scores[fold_of == fold] = logistic(values[min(epoch, len(values) - 1)])
        return scores, best or max(chosen)

    def whole(self, epochs: int) -> Course:
        """Train on all examples."""
        rows = np.arange(len(self.examples))
        course = self._course(self.frozen.n_folds, rows, rows[:0])
        self._trained(course, "all examples", epochs)
        return course

    def _course(self, number: int, rows: NDArray[np.intp], held: NDArray[np.intp]) -> Course:
        regression = Regression(self.examples.embeddings[rows], self.examples.truth[rows], FLOOR)
        linear = regression.fit_one(self.material.strength)
        name = f"fold{number}" if len(held) else "all"
        return Course(self.material, number, rows, held, regression, linear, self.workspace.state(name))

    def _trained(self, course: Course, what: str, epochs: int) -> NDArray[np.float32]:
        def on_step(reached: Reached) -> None:
            self.report(Progress(what, reached.epochs, epochs, "epoch", reached.errors))

        return course.run(epochs, self.save_seconds, on_step)
