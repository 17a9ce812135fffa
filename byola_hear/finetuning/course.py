"""The training of one network on some of the windows, checked on the others after each epoch, resumable at any step.

Everything random in a step comes from generators seeded by the run's seed, the course's number and the step, so a
course that was killed and resumed takes the same steps as one that was not.
"""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional
from torch.nn.utils import clip_grad_norm_

from byola_hear.classification.fitting import Linear, Regression
from byola_hear.classification.measures import average_precisions
from byola_hear.finetuning.augment import masked, mixed
from byola_hear.finetuning.network import Head, Tuned
from byola_hear.finetuning.recipe import Recipe
from byola_hear.finetuning.windows import Windows
from byola_hear.models.frontend import LOG_OFFSET
from byola_hear.models.model import ByolaModel
from byola_hear.training.seeds import step_seed
from byola_hear.training.state_file import fill_optimiser, optimiser_tensors, read_header, read_tensors, write_state

#: Log-mel frames that go through the network at once on a CPU and on another device. Gradients of the pieces of a batch
#: add up, so this bounds the memory and changes nothing else.
CPU_FRAMES, DEVICE_FRAMES = 2000, 60_000
#: Longest gradient of a step; a longer one is shortened.
_LONGEST_GRADIENT = 1.0
#: Batches whose windows are sorted by length before they are put together, so that little is padded.
_SORTED_BATCHES = 16


@dataclass(frozen=True)
class Material:
    """What all courses of a run share.

    Attributes:
        model: the network to begin with, on its device.
        windows: the log-mels.
        truth: ``(n, n_classes)``, which classes are in which window.
        recipe: how to train.
        strength: of the regularisation of the regression that a head begins as: scikit-learn's ``C``.
        dtype: in which the network computes while it is trained; None for float32.
    """

    model: ByolaModel
    windows: Windows
    truth: NDArray[np.bool_]
    recipe: Recipe
    strength: float
    dtype: torch.dtype | None = None


@dataclass(frozen=True)
class Reached:
    """How far a course is.

    Attributes:
        epochs: epochs done, with the part of the one that is being done.
        errors: on the held-out windows, after each epoch from 0 on; see :func:`held_out_error`.
    """

    epochs: float
    errors: tuple[float, ...]


class Course:
    """Trains a network on some windows.

    Args:
        material: what is trained on.
        number: of the course; seeds its steps.
        rows: numbers of the windows to train on.
        held: numbers of the windows to check on; may be empty.
        regression: of the frozen embeddings of ``rows``.
        linear: the map that it fitted.
        path: file of the state. If it exists, the course continues from it.
    """

    def __init__(
        self,
        material: Material,
        number: int,
        rows: NDArray[np.intp],
        held: NDArray[np.intp],
        regression: Regression,
        linear: Linear,
        path: Path,
    ) -> None:
        self.material, self.number, self.rows, self.held, self.path = material, number, rows, held, path
        model, recipe = material.model, material.recipe
        self.device = next(model.encoder.parameters()).device
        encoder = copy.deepcopy(model.encoder).requires_grad_(True)
        head = Head(regression, linear)
        self.network = Tuned(encoder, model.config.pooling, head, material.dtype).to(self.device)
        self.network = self.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=recipe.learning_rate)
        self.per_epoch = max(1, math.ceil(len(rows) / recipe.batch_size))
        self.step, self._over = 0, False
        #: ``(n_held, n_classes)`` logits of the held-out windows after each epoch, from 0 on, and their errors.
        self.logits: list[NDArray[np.float32]] = []
        self.errors: list[float] = []
        if path.exists():
            self._resume()

    @property
    def reached(self) -> Reached:
        """How far the course is."""
        return Reached(self.step / self.per_epoch, tuple(self.errors))

    def is_over(self, epochs: int) -> bool:
        """Whether all epochs are done, or the held-out error has not fallen for as long as the recipe waits."""
        if self._over:
            return True
        if self.step >= epochs * self.per_epoch:
            return len(self.held) == 0 or len(self.logits) > epochs
        waited = len(self.errors) - 1 - int(np.argmin(self.errors)) if self.errors else 0
        return waited >= self.material.recipe.patience

    def run(
        self, epochs: int, save_seconds: float = 60.0, on_step: Callable[[Reached], None] | None = None
    ) -> NDArray[np.float32]:
        """Train up to the end, and save the result.

        Args:
            epochs: passes through the windows at most.
            save_seconds: time between two saved states, s.
            on_step: called after each step and each check of the held-out windows.

        Returns:
            ``(n_epochs + 1, n_held, n_classes)`` logits of the held-out windows, after each epoch from 0 on.

        Raises:
            FloatingPointError: if the loss is not finite. The last saved state stays.
            OSError: if the state can't be written.
        """
        saved = time.monotonic()
        while not self.is_over(epochs):
            if len(self.held) and len(self.logits) <= self.step // self.per_epoch:
                self._add(self._held_out())
                if on_step is not None:
                    on_step(self.reached)
                continue
            for rows in self._batches_left():
                self._train_step(rows)
                if on_step is not None:
                    on_step(self.reached)
                if time.monotonic() - saved >= save_seconds:
                    self.save()
                    saved = time.monotonic()
        if not self._over:
            self._over = True
            self.save()
        return np.stack(self.logits) if self.logits else np.zeros((0, 0, self.material.truth.shape[1]), np.float32)

    def _add(self, logits: NDArray[np.float32]) -> None:
        """Keep the logits of the held-out windows after an epoch."""
        self.logits.append(logits)
        self.errors.append(held_out_error(logits, self.material.truth[self.held]))

    def _batches_left(self) -> Iterator[NDArray[np.intp]]:
        """The rest of the batches of an epoch."""
        recipe, lengths = self.material.recipe, self.material.windows.lengths
        epoch, done = divmod(self.step, self.per_epoch)
        rng = np.random.default_rng(step_seed(recipe.seed, epoch, self.number, purpose=0))
        order = rng.permutation(self.rows)
        if len(np.unique(lengths[order])) > 1:
            size = _SORTED_BATCHES * recipe.batch_size
            pools = [order[first : first + size] for first in range(0, len(order), size)]
            order = np.concatenate([pool[np.argsort(lengths[pool], kind="stable")] for pool in pools])
        batches = np.array_split(order, self.per_epoch)
        for place in rng.permutation(self.per_epoch)[done:]:
            yield batches[place]

    def _train_step(self, rows: NDArray[np.intp]) -> None:
        """Do one optimisation step."""
        material, recipe = self.material, self.material.recipe
        generator = torch.Generator().manual_seed(step_seed(recipe.seed, self.step, self.number, purpose=1))
        # What an encoder draws by itself takes no generator.
        torch.manual_seed(step_seed(recipe.seed, self.step, self.number, purpose=2))
        log_mel, sizes = material.windows.batch(rows, math.log(LOG_OFFSET))
        truth = torch.from_numpy(material.truth[rows].astype(np.float32))
        log_mel, sizes, truth = mixed(log_mel, sizes, truth, recipe, generator)
        normalised = masked(self._normalised(log_mel), sizes[:, 0], recipe, generator)
        for group in self.optimiser.param_groups:
            group["lr"] = recipe.learning_rate * recipe.rate_at((self.step + 1) / self.per_epoch)
        self.network.train()
        self.optimiser.zero_grad()
        known = self.network.head.known
        for piece in self._pieces(sizes[:, 0]):
            logits = self._logits(normalised[piece], sizes[piece])
            wanted = truth[piece].to(self.device)
            loss = functional.binary_cross_entropy_with_logits(logits[:, known], wanted[:, known])
            if not torch.isfinite(loss):
                raise FloatingPointError("the loss is not finite: training diverged; a lower --learning-rate may help")
            (loss * (len(piece) / len(rows))).backward()
        # The regression's own penalty, so that the head has no reason to move before the network does.
        weight = self.network.head.weight
        (weight.square().sum() / (2 * material.strength * len(self.rows) * int(known.sum()))).backward()
        clip_grad_norm_(self.network.parameters(), _LONGEST_GRADIENT)
        self.optimiser.step()
        self.step += 1

    @torch.no_grad()
    def _held_out(self) -> NDArray[np.float32]:
        """Logits of the held-out windows; NaN for classes that the network does not know."""
        self.network.eval()
        windows = self.material.windows
        result = np.full((len(self.held), self.material.truth.shape[1]), np.nan, np.float32)
        order = np.argsort(windows.lengths[self.held], kind="stable")
        known = self.network.head.known.cpu().numpy()
        for piece in self._pieces(torch.from_numpy(windows.lengths[self.held][order])):
            places = order[piece.numpy()]
            log_mel, sizes = windows.batch(self.held[places], math.log(LOG_OFFSET))
            logits = self._logits(self._normalised(log_mel), sizes).cpu().numpy()
            result[np.ix_(places, np.flatnonzero(known))] = logits[:, known]
        return result

    def _normalised(self, log_mel: Tensor) -> Tensor:
        config = self.material.model.config
        return (log_mel - config.mean) / config.std

    def _logits(self, normalised: Tensor, sizes: Tensor) -> Tensor:
        trimmed = normalised[..., : int(sizes[:, 0].max())].to(self.device)
        return self.network(trimmed.contiguous(memory_format=torch.channels_last), sizes)

    def _pieces(self, lengths: Tensor) -> Iterator[Tensor]:
        """Numbers of windows that go through the network together."""
        most = CPU_FRAMES if self.device.type == "cpu" else DEVICE_FRAMES
        piece: list[int] = []
        longest = 0
        for place, length in enumerate(lengths.tolist()):
            longest = max(longest, length)
            if piece and (len(piece) + 1) * longest > most:
                yield torch.tensor(piece)
                piece, longest = [], length
            piece.append(place)
        if piece:
            yield torch.tensor(piece)

    def save(self) -> None:
        """Write the state. Once the course is over, it lacks what is no longer needed."""
        tensors: dict[str, Tensor] = {}
        if not (self._over and len(self.held)):
            tensors |= {f"network.{name}": tensor for name, tensor in self.network.state_dict().items()}
        if not self._over:
            moments = optimiser_tensors(self.optimiser, self.network)
            tensors |= {f"optimiser.{name}": tensor for name, tensor in moments.items()}
        if self.logits:
            tensors["logits"] = torch.from_numpy(np.stack(self.logits))
        write_state(self.path, tensors, {"step": self.step, "over": self._over})

    def _resume(self) -> None:
        header = read_header(self.path)
        self.step, self._over = int(header["step"]), bool(header["over"])
        if not (self._over and len(self.held)):
            self.network.load_state_dict(read_tensors(self.path, "network."))
        if not self._over:
            fill_optimiser(self.optimiser, self.network, read_tensors(self.path, "optimiser."))
        for logits in read_tensors(self.path, "logits").get("", torch.zeros(0)):
            self._add(logits.numpy())


def held_out_error(logits: NDArray[np.floating], truth: NDArray[np.bool_]) -> float:
    """One minus the mean over the classes of the average precision: what a classifier is judged by.

    The log loss would punish that mixed windows make a network less sure, which the thresholds make up for.

    Args:
        logits: ``(n, n_classes)``; NaN for classes that are not known.
        truth: ``(n, n_classes)``.

    Returns:
        From 0 to 1; 1 if no class can be judged.

    Example:
        >>> held_out_error(np.array([[2.0, np.nan], [1.0, np.nan]]), np.array([[True, False], [False, True]]))
        0.0
    """
    found = [
        float(average_precisions(logits[:, index].astype(np.float64), wanted)[0])
        for index, wanted in enumerate(truth.T)
        if wanted.any() and not wanted.all() and not np.isnan(logits[:, index]).any()
    ]
    return 1 - sum(found) / len(found) if found else 1.0
