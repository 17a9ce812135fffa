"""Models of the transformers library, from a folder or through its cache from a hub."""

from __future__ import annotations

import importlib.util
import json
import logging
import sys
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from safetensors import SafetensorError

from benchmark.baselines.contract import Unavailable, need_package

_Result = TypeVar("_Result")


def import_torchaudio_without_extension() -> None:
    """Let torchaudio be imported where its compiled part refuses to load, as it wants a GPU's libraries."""
    if "torchaudio" not in sys.modules and importlib.util.find_spec("torchaudio") is not None:
        stand_in = types.ModuleType("torchaudio._extension")
        vars(stand_in).update(_IS_TORCHAUDIO_EXT_AVAILABLE=False, fail_if_no_align=lambda function: function)
        # Before 2.9, torchaudio also asks for SoX.
        stand_in.lazy_import_sox_ext = lambda: types.SimpleNamespace(is_available=lambda: False)  # type: ignore[attr-defined]
        sys.modules["torchaudio._extension"] = stand_in


def need_transformers() -> str:
    """Make sure that transformers can be imported; returns its version.

    Raises:
        Unavailable: if it is not installed.
    """
    version = need_package("transformers", "pip install transformers")
    # A torchaudio that was built for a GPU breaks the import of some of its models on a CPU.
    import_torchaudio_without_extension()
    return version


@contextmanager
def quietly() -> Iterator[None]:
    """Keep transformers' reports and bars, and the hub's on each attempt, from the terminal: what matters of them is
    an error here."""
    from transformers.utils import logging as reports

    verbosity, bars, hub = (
        reports.get_verbosity(),
        reports.is_progress_bar_enabled(),
        logging.getLogger("huggingface_hub"),
    )
    level = hub.level
    reports.set_verbosity_error()
    reports.disable_progress_bar()
    hub.setLevel(logging.ERROR)
    try:
        yield
    finally:
        reports.set_verbosity(verbosity)
        hub.setLevel(level)
        if bars:
            reports.enable_progress_bar()


def settings_of(config: Any) -> str:
    """A model's settings as text for its identity: some change the embeddings and not the weights.

    Args:
        config: a ``PretrainedConfig`` of transformers.
    """
    told = {key: value for key, value in config.to_dict().items() if key != "_name_or_path"}  # its place does not
    return json.dumps(told, sort_keys=True, default=str)


def from_folder_or_hub(name: str, load: Callable[[str], _Result]) -> _Result:
    """What ``load`` gives for a folder or a hub's name.

    Raises:
        ValueError: if it is there but can't be used: another model, or damaged.
        FileNotFoundError: if it is a path that is not there.
        Unavailable: if it is a hub's name and can't be had.
    """
    folder = Path(name)
    if not folder.is_dir() and (folder.is_absolute() or name.startswith((".", "~")) or name.count("/") != 1):
        raise FileNotFoundError(f"expected a folder of a transformers model or a name organisation/model, got {name!r}")
    try:
        with quietly():
            return load(name)
    except (OSError, ValueError, SafetensorError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:200]
        if folder.is_dir() or not isinstance(error, OSError):
            where = "the folder of " if folder.is_dir() else ""
            raise ValueError(f"{name}: expected {where}a transformers model that can be used: {reason}") from error
        raise Unavailable(
            f"needs the weights {name}, which can't be fetched here: run it once where huggingface.co can be reached, "
            f"or download huggingface.co/{name} and name its folder"
        ) from error
