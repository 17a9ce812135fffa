"""Repair HEAR's tools of 2021 when they are imported, so that their own commands run on today's Python.

``python -m benchmark.hear_tools install`` copies this file into an environment as ``hear_tools_hook.py``, with a
``.pth`` file that calls :func:`install` whenever Python starts there. It puts one finder on ``sys.meta_path``, which
ignores all modules except those of heareval, hearvalidator and dcase_util. :data:`STAND_INS` and :data:`AFTER_IMPORT`
list the repairs. Nothing changes on disk, and other packages never see a stand-in, because none is in ``sys.modules``.

With ``python -v`` or ``HEAR_TOOLS_VERBOSE=1`` it reports what it does on standard error. ``HEAR_TOOLS_FAST=1`` leaves
out work that affects no score: Lightning's progress bar, and searching all events of a task for each of its files.
"""

from __future__ import annotations

import sys

# Every program of the environment imports this file, so it imports nothing: typing alone would take longer.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    from collections.abc import Callable, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

PACKAGES = ("heareval", "hearvalidator", "dcase_util")

#: Modules that import a package which may be missing and of which they use almost nothing.
STAND_INS = {
    # For torch models, half a gigabyte of TensorFlow would serve one isinstance().
    "heareval.embeddings.runner": "tensorflow",
    "heareval.embeddings.task_embeddings": "tensorflow",
    "hearvalidator.validate": "tensorflow",
    # setuptools has no pkg_resources since version 82. sed_eval, which scores event tasks, requires dcase_util.
    "dcase_util.utils.utils": "pkg_resources",
    "dcase_util.utils.examples": "pkg_resources",
}


def say(text: str) -> None:
    """Print a line on standard error if Python is verbose (``-v``) or ``HEAR_TOOLS_VERBOSE`` is set."""
    import os

    if sys.flags.verbose or os.environ.get("HEAR_TOOLS_VERBOSE", "0") not in ("", "0"):
        print(f"hear_tools: {text}", file=sys.stderr)


def fast() -> bool:
    """Whether ``HEAR_TOOLS_FAST`` is set, to leave out work that affects no score."""
    import os

    return os.environ.get("HEAR_TOOLS_FAST", "0") not in ("", "0")


def stand_in(name: str) -> ModuleType:
    """A module with the few names that HEAR's tools use of ``tensorflow`` or ``pkg_resources``.

    Args:
        name: the missing package.

    Returns:
        A new module that is not in ``sys.modules``. Other attributes raise an error that explains what it is.
    """
    from types import ModuleType, SimpleNamespace

    def missing(attribute: str) -> Any:
        raise AttributeError(f"{name} is not installed, and the module that replaces it here has no {attribute!r}")

    module: Any = ModuleType(name, f"Replaces {name}, which is not installed.")
    module.__getattr__ = missing
    if name == "tensorflow":

        def is_gpu_available(cuda_only: bool = False, min_cuda_compute_capability: Any = None) -> bool:
            import torch

            return torch.cuda.is_available()

        module.Module = type("Module", (), {})
        module.test = SimpleNamespace(is_gpu_available=is_gpu_available)
    else:

        def resource_filename(package: str, resource: str) -> str:
            from importlib.util import find_spec
            from pathlib import Path

            spec = find_spec(package)
            if spec is None or spec.origin is None:
                raise ModuleNotFoundError(f"No module named {package!r}", name=package)
            return str(Path(spec.origin).parent / resource)

        module.resource_filename = resource_filename
    return module


def with_stand_in(source: bytes | str, package: str) -> ast.Module:
    """Parse a module's source and let its ``import package`` use the stand-in if the package is missing.

    Args:
        source: the module's source.
        package: the package that it imports at its top level.

    Returns:
        The syntax tree with the line numbers of the source.
    """
    import ast

    tree = ast.parse(source)
    for place, node in enumerate(tree.body):
        if not (isinstance(node, ast.Import) and [alias.name for alias in node.names] == [package]):
            continue
        bound = node.names[0].asname or package
        fallback = ast.parse(
            f"try:\n"
            f"    import {package} as {bound}\n"
            f"except ModuleNotFoundError as error:\n"
            f"    if error.name != {package!r}:\n"
            f"        raise\n"
            f"    from importlib import import_module\n"
            f"    {bound} = import_module({__name__!r}).stand_in({package!r})\n"
            f"    import_module({__name__!r}).say({package!r} + ': stand-in for ' + __name__)\n"
        ).body[0]
        for part in ast.walk(fallback):
            ast.copy_location(part, node)
        tree.body[place] = fallback
    return tree


def mend_gpu_name(module: Any) -> None:
    """heareval.gpu_max_mem decodes the GPU's name, which pynvml returns as str since version 11.5."""
    original = getattr(module, "nvmlDeviceGetName", None)
    if original is None:
        return  # No GPU, so heareval did not import pynvml.

    def name_in_bytes(handle: Any) -> bytes:
        name = original(handle)
        return name.encode() if isinstance(name, str) else name

    module.nvmlDeviceGetName = name_in_bytes
    say("heareval.gpu_max_mem: the GPU's name as bytes")


def mend_predictions(module: Any) -> None:
    """heareval.predictions.task_predictions: its Trainer, hooks at the end of an epoch, and its own checkpoints."""
    from types import ModuleType

    lightning = module.pl
    # A copy of the module for heareval alone: Lightning itself stays as it is.
    own: Any = ModuleType(lightning.__name__)
    own.__dict__.update(lightning.__dict__)
    own.Trainer = trainer_for_heareval(lightning.Trainer)
    module.pl = own
    for name in ("task_predictions_train", "task_predictions_test"):
        setattr(module, name, reading_own_checkpoints(getattr(module, name)))
    collected = not hasattr(lightning.LightningModule, "validation_epoch_end")
    if collected:
        # Lightning 2 refuses models with *_epoch_end(outputs).
        collect_outputs(module.AbstractPredictionModel, "validation", "val")
        collect_outputs(module.AbstractPredictionModel, "test", "test")
    say(
        f"heareval.predictions.task_predictions: repaired for Lightning {lightning.__version__}: Trainer(gpus=), "
        f"fit_loop.current_epoch, its own checkpoints{', *_epoch_end' if collected else ''}"
    )


def trainer_for_heareval(base: Any) -> Any:
    """Lightning's Trainer with its interface of 2021: ``gpus=``, and an ``fit_loop.current_epoch`` that can be set.

    Args:
        base: the installed Lightning's Trainer.

    Returns:
        A subclass of it.
    """

    def current_epoch(loop: Any) -> int:
        return loop.epoch_progress.current.completed

    def set_current_epoch(loop: Any, epoch: int) -> None:
        loop.epoch_progress.current.completed = epoch

    class Trainer(base):
        def __init__(self, *args: Any, gpus: Any = None, **options: Any) -> None:
            if fast():
                options.setdefault("enable_progress_bar", False)
            super().__init__(*args, accelerator="gpu" if gpus else "cpu", devices=gpus or 1, **options)
            # heareval sets the epoch with the best validation score, to find its postprocessing for the test. Without
            # this property it would not set the real epoch, and every event task would fail with a KeyError.
            loop_type = type(self.fit_loop)
            epoch = {"current_epoch": property(current_epoch, set_current_epoch)}
            self.fit_loop.__class__ = type(loop_type.__name__, (loop_type,), epoch)

    return Trainer


def mend_score(module: Any) -> None:
    """heareval.score: index sed_eval's lists of events by file if ``HEAR_TOOLS_FAST`` is set.

    heareval filters the list of all events for each file, and dcase_util searches all of them every time, which takes
    longer than the training for a few hundred files. The resulting events are the same.
    """
    if not fast():
        return
    event_container = module.SoundEventScore.sed_eval_event_container

    def indexed(events: Any) -> Any:
        container = event_container(events)
        of_file: dict[Any, list[Any]] = {}
        for item in container:
            of_file.setdefault(item["filename"], []).append(item)
        look_through = container.filter

        def of_one_file(filename: Any = None, **others: Any) -> Any:
            if others or not isinstance(filename, str):
                return look_through(filename=filename, **others)
            return type(container)(of_file.get(filename, []))

        container.filter = of_one_file
        return container

    module.SoundEventScore.sed_eval_event_container = staticmethod(indexed)
    say("heareval.score: events are indexed by file")


def collect_outputs(model_class: Any, stage: str, short: str) -> None:
    """Adapt a model for Lightning 1 to Lightning 2: collect the outputs of all steps and score them after the epoch.

    Args:
        model_class: heareval's AbstractPredictionModel.
        stage: ``"validation"`` or ``"test"``.
        short: heareval's name of the stage, ``"val"`` or ``"test"``.
    """
    outputs = f"_{stage}_outputs"

    def step(self: Any, batch: Any, batch_idx: int) -> None:
        getattr(self, outputs).append(self._step(batch, batch_idx))

    def start(self: Any) -> None:
        setattr(self, outputs, [])

    def end(self: Any) -> None:
        self._score_epoch_end(short, getattr(self, outputs))
        setattr(self, outputs, [])

    delattr(model_class, f"{stage}_epoch_end")
    setattr(model_class, f"{stage}_step", step)
    setattr(model_class, f"on_{stage}_epoch_start", start)
    setattr(model_class, f"on_{stage}_epoch_end", end)


def reading_own_checkpoints(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let heareval read the checkpoints that it has just written while ``function`` runs.

    They contain classes, which ``torch.load`` refuses by default since torch 2.6. The environment variable does not
    affect calls with an explicit ``weights_only``.
    """
    import os
    from contextlib import contextmanager
    from functools import wraps

    variable = "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD"

    @contextmanager
    def allowed() -> Iterator[None]:
        before = os.environ.get(variable)
        os.environ[variable] = "1"
        try:
            yield
        finally:
            if before is None:
                del os.environ[variable]
            else:
                os.environ[variable] = before

    @wraps(function)
    def wrapped(*args: Any, **options: Any) -> Any:
        with allowed():
            return function(*args, **options)

    return wrapped


#: Repairs that follow the import of a module.
AFTER_IMPORT = {
    "heareval.gpu_max_mem": mend_gpu_name,
    "heareval.score": mend_score,
    "heareval.predictions.task_predictions": mend_predictions,
}


def mended(spec: ModuleSpec) -> ModuleSpec:
    """The spec of a module with a loader that repairs it; the specs of other modules are returned unchanged."""
    from importlib.machinery import SourceFileLoader

    class MendingLoader(SourceFileLoader):
        def get_code(self, fullname: str) -> Any:
            if fullname not in STAND_INS:
                return super().get_code(fullname)
            # Not via __pycache__, where repaired code would outlive an uninstallation.
            tree = with_stand_in(self.get_data(self.path), STAND_INS[fullname])
            return compile(tree, self.path, "exec", dont_inherit=True)

        def exec_module(self, module: ModuleType) -> None:
            super().exec_module(module)
            if module.__name__ in AFTER_IMPORT:
                AFTER_IMPORT[module.__name__](module)

    loader = spec.loader
    if type(loader) is SourceFileLoader and (spec.name in STAND_INS or spec.name in AFTER_IMPORT):
        spec.loader = MendingLoader(loader.name, loader.path)
    return spec


class Finder:
    """Finds HEAR's modules with the other finders, and gives those that need it a loader that repairs them."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The import system's interface of finders."""
        if name.partition(".")[0] not in PACKAGES:
            return None
        for finder in sys.meta_path:
            find = None if _is_ours(finder) else getattr(finder, "find_spec", None)
            spec = find(name, path, target) if find else None
            if spec is not None:
                return mended(spec)
        return None


def _is_ours(finder: object) -> bool:
    """Whether it is a finder of this file, or of its copy in the environment: two would ask each other for ever."""
    kind = type(finder)
    return kind.__name__ == Finder.__name__ and kind.__module__ in ("benchmark.hear_tools.hook", "hear_tools_hook")


def install() -> None:
    """Put the finder first on ``sys.meta_path``, unless it, or that of a copy of this file, is there."""
    if not any(map(_is_ours, sys.meta_path)):
        sys.meta_path.insert(0, Finder())
