"""The training loop, the same for every method, resumable at any step.

Everything random in step ``s`` comes from generators seeded by the run's seed and ``s``, so a run that was killed and
resumed takes the same steps as one that was not. Past crops, which BYOL's mixup draws from, are not saved: they are
drawn again from the steps that they belong to.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from byola_hear.pretraining.byol.networks import embedding_std, set_momentum
from byola_hear.pretraining.data.cache import LogMelCache
from byola_hear.pretraining.training.distributed import Place
from byola_hear.pretraining.training.method import follow
from byola_hear.pretraining.training.methods import build_method
from byola_hear.pretraining.training.recipe import Recipe, differences
from byola_hear.pretraining.training.run_log import RunLog
from byola_hear.pretraining.training.sampler import Sampler, StepSampler
from byola_hear.pretraining.training.start import Start
from byola_hear.pretraining.training.state import STATE_FILE, load_network, load_optimiser, read_header, save_state
from byola_hear.training.precision import precision_for
from byola_hear.training.seeds import step_seed

#: Steps between two rows of the log. Time is checked as often.
LOG_EVERY = 10
#: Difference of the mean or the standard deviation of log-mels that another computer or decoder may cause.
_TOLERANCE = 0.01


@dataclass(frozen=True)
class TrainingProgress:
    """What a run reports every few steps.

    Attributes:
        step: steps done.
        steps: steps of the whole run.
        loss: of this step.
        embedding_std: see :func:`~byola_hear.pretraining.byol.networks.embedding_std`.
        crops_per_second: since the report before this one, over all processes.
    """

    step: int
    steps: int
    loss: float
    embedding_std: float
    crops_per_second: float


def optimiser_for(online: nn.Module, recipe: Recipe) -> torch.optim.AdamW:
    """Make AdamW with weight decay on matrices and kernels, not on biases or batch norms."""
    decayed = [parameter for parameter in online.parameters() if parameter.ndim > 1]
    plain = [parameter for parameter in online.parameters() if parameter.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": recipe.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe.learning_rate, fused=True)


class Trainer:
    """One run: the networks, their optimiser, and the steps, crops and seconds that they were trained for.

    Args:
        cache: the audio, already on the device if it fits there.
        recipe: how to train.
        folder: folder of the run. An unfinished run in it is resumed.
        place: this process.
        precision: ``auto``, ``bfloat16`` or ``float32``.
        start: the network to begin with; None for random weights.
        sampler: draws the crops of a step. None draws them as BYOL and masked prediction need them.

    Raises:
        ValueError: if the folder holds a run with another recipe, another manifest, other audio or another start, or
            the start has another front end than the cache.
    """

    def __init__(
        self,
        cache: LogMelCache,
        recipe: Recipe,
        folder: Path,
        place: Place,
        precision: str = "auto",
        start: Start | None = None,
        sampler: StepSampler | None = None,
    ) -> None:
        cache = cache if start is None else start.normalised_as_before(cache)
        self.sampler = sampler or Sampler(cache, recipe, place)
        self.cache, self.recipe, self.folder, self.place, self.start = cache, recipe, folder, place, start
        self.autocast_dtype = precision_for(precision, place.device)
        # The initial weights depend on the seed alone, in every process.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            self.method = build_method(recipe)
        for network in (self.method.online, self.method.target):
            set_momentum(network, recipe.batch_norm_momentum)
            network.to(place.device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if start is not None:
            start.fill(self.online, self.target)
        self.optimiser = optimiser_for(self.online, recipe)
        self.step, self.crops, self.seconds = 0, 0, 0.0
        self.measured = precision == "auto"
        self.identity = {
            "recipe": recipe.to_dict(),
            "manifest_sha256": cache.info.get("manifest_sha256", ""),
            "start": None if start is None else start.facts(),
        }
        if (folder / STATE_FILE).exists():
            self._resume()
        self.trained: nn.Module = self.online
        if place.world_size > 1:
            if place.device.type == "cuda":
                # The networks contain their batch norms, and so stay the same objects.
                nn.SyncBatchNorm.convert_sync_batchnorm(self.online)
                nn.SyncBatchNorm.convert_sync_batchnorm(self.target)
            self.trained = DistributedDataParallel(self.online)

    @property
    def online(self) -> nn.Module:
        """The network that is trained by gradients."""
        return self.method.online

    @property
    def target(self) -> nn.Module:
        """The network that follows it."""
        return self.method.target

    @property
    def batch(self) -> int:
        """Crops in a step, over all devices."""
        return self.recipe.batch_size * self.place.world_size

    def _resume(self) -> None:
        header = read_header(self.folder)
        if changed := differences(header["recipe"], self.identity["recipe"]):
            raise ValueError(f"{self.folder}: holds a run with another recipe ({changed}); choose another folder")
        if header["manifest_sha256"] != self.identity["manifest_sha256"]:
            raise ValueError(f"{self.folder}: holds a run with another manifest; choose another folder")
        if self.measured and "precision" in header:
            # A run keeps the precision that was measured when it began, so that it continues exactly.
            self.autocast_dtype = precision_for(header["precision"], self.place.device)
        wanted, found = ((each.get("start") or {}) for each in (self.identity, header))
        if wanted.get("fingerprint") != found.get("fingerprint"):
            began, asked = (each.get("model", "random weights") for each in (found, wanted))
            raise ValueError(f"{self.folder}: holds a run that began with {began}, not {asked}; choose another folder")
        self._check_audio(header["cache"])
        load_network(self.folder, self.online, "online")
        load_network(self.folder, self.target, "target")
        load_optimiser(self.folder, self.optimiser, self.online)
        self.step, self.seconds = int(header["step"]), float(header["seconds"])
        # States of version 0.3.0 lack the crops. This is their number on one device.
        self.crops = int(header.get("crops", self.step * self.recipe.batch_size))

    def _check_audio(self, before: dict[str, Any]) -> None:
        """Refuse a cache of other audio, such as one that was built anew after files had changed.

        Args:
            before: facts of the cache that the run has trained on.
        """
        now = self.cache.info
        # A run that began with a network has the network's statistics. Its audio has others, which older states lack.
        known = "own_mean" in before and "own_mean" in now
        mean, std = ("own_mean", "own_std") if known else ("mean", "std")
        moved = (abs(before.get(name, 0.0) - now.get(name, 0.0)) for name in (mean, std))
        if before.get("rows") != now.get("rows") or max(moved) > _TOLERANCE:
            had, has = (
                f"{facts.get('rows')} rows, mean {facts.get(mean):.2f}, deviation {facts.get(std):.2f}"
                for facts in (before, now)
            )
            raise ValueError(f"{self.folder}: holds a run with other audio ({had}; got {has}); choose another folder")

    def compile(self, backend: str) -> None:
        """Compile the forward and backward pass of both networks.

        Args:
            backend: backend of ``torch.compile``, for instance ``inductor``; empty to leave them as they are.
        """
        if backend:
            self.trained = torch.compile(self.trained, backend=backend)  # type: ignore[assignment]
            self.target.compile(backend=backend)

    def save(self) -> None:
        """Write the state of the run. Only the first process does so."""
        if self.place.is_first:
            reached = {"step": self.step, "crops": self.crops, "seconds": self.seconds}
            precision = "bfloat16" if self.autocast_dtype else "float32"
            header = {**self.identity, **reached, "precision": precision, "cache": self.cache.info}
            save_state(self.folder, self.online, self.target, self.optimiser, header)

    def rate_at(self, step: int) -> float:
        """The learning rate of a step, counted from 0."""
        share = 1.0 if self.start is None else self.start.share_at(self.recipe, step)
        return share * self.recipe.learning_rate_at(step, self.batch)

    def _autocast(self) -> Any:
        if self.autocast_dtype is None:
            return nullcontext()
        return torch.autocast(self.place.device.type, self.autocast_dtype)

    def train_step(self, crops: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        """Do one optimisation step.

        Args:
            crops: ``(batch, 1, n_mels, time)`` normalised log-mel, or twice as many: those of the second views follow.
            memory: what else the method needs: for BYOL ``(n_past, 1, n_mels, time)`` past crops.

        Returns:
            The loss, and the embeddings of the crops whose standard deviation is logged, ``(batch, size)``.
        """
        recipe, device = self.recipe, self.place.device
        generator = torch.Generator(device).manual_seed(step_seed(recipe.seed, self.step, self.place.rank, purpose=1))
        # Dropout takes no generator.
        torch.manual_seed(step_seed(recipe.seed, self.step, self.place.rank, purpose=2))
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate_at(self.step)
        prepared = self.method.prepare(crops, memory, generator, self._autocast)
        self.optimiser.zero_grad()
        with self._autocast():
            output = self.trained(*prepared.inputs)
        loss = prepared.loss(output)
        loss.backward()
        if self.start is not None and self.start.holds_encoder(recipe, self.step):
            # Without a gradient, a parameter stays as it is.
            self.online.get_submodule("encoder").zero_grad()
        self.optimiser.step()
        follow(self.target, self.online, recipe.ema_decay_at(self.step, self.batch))
        self.step += 1
        self.crops += self.batch
        return loss.detach(), output.detach() if prepared.embeddings is None else prepared.embeddings

    def train(
        self,
        minutes: float | None = None,
        save_every_minutes: float = 5.0,
        progress: Callable[[TrainingProgress], None] | None = None,
    ) -> bool:
        """Train until the recipe's last step or until the time is over, then save the state.

        Args:
            minutes: time to spend now, in minutes. None sets no limit. The run can be resumed afterwards.
            save_every_minutes: minutes between two saved states.
            progress: called every few steps, in the first process.

        Returns:
            Whether the run is finished.

        Raises:
            FloatingPointError: if the loss of any process is not finite. The last saved state stays.
        """
        log = RunLog(self.folder, self.step) if self.place.is_first else None
        self.sampler.start(self.step)
        begun = saved = tick = time.perf_counter()
        earlier, tick_crops = self.seconds, self.crops
        while self.step < self.recipe.steps:
            loss, embeddings = self.train_step(*self.sampler.next(self.step))
            if self.step % LOG_EVERY and self.step < self.recipe.steps:
                continue
            now = time.perf_counter()
            self.seconds = earlier + now - begun
            speed = (self.crops - tick_crops) / (now - tick)
            tick, tick_crops = now, self.crops
            value, std = float(loss), embedding_std(embeddings)
            if self.place.agree(not math.isfinite(value)):
                raise FloatingPointError(
                    f"the loss is not finite at step {self.step}: training diverged; a lower learning rate may help"
                )
            if log is not None:
                log.write(
                    step=self.step,
                    crops=self.crops,
                    seconds=self.seconds,
                    loss=value,
                    spread=std,
                    learning_rate=self.rate_at(self.step - 1),
                    ema_decay=self.recipe.ema_decay_at(self.step - 1, self.batch),
                    crops_per_second=speed,
                )
                if progress is not None:
                    progress(TrainingProgress(self.step, self.recipe.steps, value, std, speed))
            if now - saved > save_every_minutes * 60:
                self.save()
                saved = now
            if self.place.agree(minutes is not None and now - begun > minutes * 60):
                break
        self.save()
        self.place.wait()
        return self.step >= self.recipe.steps
