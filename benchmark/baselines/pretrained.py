"""Models of the transformers library, from a folder or from the Hub through its cache."""

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

from benchmark.baselines.weights import Unavailable, need_package

_Result = TypeVar("_Result")


def import_torchaudio_without_extension() -> None:
    """Import torchaudio without its compiled extension, which can't be loaded if it needs a GPU's libraries."""
    if "torchaudio" not in sys.modules and importlib.util.find_spec("torchaudio") is not None:
        stand_in = types.ModuleType("torchaudio._extension")
        vars(stand_in).update(_IS_TORCHAUDIO_EXT_AVAILABLE=False, fail_if_no_align=lambda function: function)
        # Before version 2.9, torchaudio also imports SoX.
        stand_in.lazy_import_sox_ext = lambda: types.SimpleNamespace(is_available=lambda: False)  # type: ignore[attr-defined]
        sys.modules["torchaudio._extension"] = stand_in


def need_transformers() -> str:
    """Check that transformers is installed and can be imported; returns its version.

    Raises:
        Unavailable: if it is not installed.
    """
    version = need_package("transformers", "pip install transformers")
    # On a CPU, a torchaudio that was built for a GPU breaks the import of some models.
    import_torchaudio_without_extension()
    return version


@contextmanager
def quietly() -> Iterator[None]:
    """Hide the reports and progress bars of transformers, and the Hub's messages about each attempt; errors are raised
    instead.
    """
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
    """A model's settings as text for its identity, because some of them change the embeddings but not the weights.

    Args:
        config: a ``PretrainedConfig`` of transformers.
    """
    settings = {key: value for key, value in config.to_dict().items() if key != "_name_or_path"}
    return json.dumps(settings, sort_keys=True, default=str)


def from_folder_or_hub(name: str, load: Callable[[str], _Result]) -> _Result:
    """Load a model from a folder or from the Hub.

    Args:
        name: path of a folder, or the model's name on the Hub.
        load: loads the model, given ``name``.

    Raises:
        ValueError: if it is another model, or damaged.
        FileNotFoundError: if it is a path that does not exist.
        Unavailable: if it can't be downloaded from the Hub.
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
            raise ValueError(f"{name}: expected {where}a suitable transformers model: {reason}") from error
        raise Unavailable(
            f"needs the weights {name}, which can't be downloaded here: run it once with access to huggingface.co, or "
            f"download huggingface.co/{name} and name its folder"
        ) from error
