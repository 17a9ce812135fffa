"""A model's files in the Hugging Face Hub's layout: find or download them, write them into a folder, upload them.

A model's folder or repository contains ``model.safetensors``, a checkpoint of this package with everything about the
model in its header; ``config.json``, the same configuration for tools that expect it there; ``README.md``, the model
card; and, for short vectors, ``directions.safetensors``. Reading uses the checkpoint and the directions alone and runs
no code from them.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import torch

from byola_hear.models.card import card_text, model_facts, sources_table
from byola_hear.models.checkpoint import Saved, save_checkpoint
from byola_hear.models.directions import Directions, save_directions
from byola_hear.utils.files import write_file
from byola_hear.utils.optional import advice
from byola_hear.utils.text import one_line

#: Names of the files in a folder or repository, as the Hub expects them.
CHECKPOINT, CONFIG, CARD = "model.safetensors", "config.json", "README.md"
DIRECTIONS = "directions.safetensors"
#: Licences that the Hub knows, by their SPDX names in lower case. Others appear as "other" with their name.
HUB_LICENCES = frozenset(
    """apache-2.0 mit cc0-1.0 cc-by-2.0 cc-by-3.0 cc-by-4.0 cc-by-sa-3.0 cc-by-sa-4.0 cc-by-nc-3.0 cc-by-nc-4.0
    cc-by-nd-4.0 cc-by-nc-sa-4.0 cc-by-nc-nd-4.0 bsd-2-clause bsd-3-clause isc mpl-2.0 unlicense""".split()  # noqa: SIM905
)
#: ``organisation/name``, optionally with ``@revision``.
_REPOSITORY = re.compile(r"(?P<name>\w[\w.-]*/\w[\w.-]*)(?:@(?P<revision>[\w./-]+))?")

_Result = TypeVar("_Result")


class HubError(OSError):
    """A model cannot be downloaded from the Hub or uploaded. The message names the repository and the reason."""


def save_pretrained(
    model: Saved, folder: str | os.PathLike[str], *, card: str | None = None, dtype: torch.dtype = torch.float16
) -> str:
    """Write a model's checkpoint, configuration and card into a folder.

    Directions are written, too, if the model has some, because it was loaded for short vectors. In the file they are
    those of the weights as stored, which ``dtype`` rounds.

    Args:
        model: the model; ``config.training`` goes into the card.
        folder: the folder; created if it does not exist. Other files in it stay.
        card: Markdown below the card's front matter; written from the configuration if None.
        dtype: dtype of the matrices and kernels in the file.

    Returns:
        The checkpoint's SHA-256 in hexadecimal, for ``from_pretrained(..., sha256=...)``.

    Raises:
        FileExistsError: if a ``README.md`` that is no card is in the folder; nothing is written.
        ValueError: if a weight is not finite in ``dtype``.
        OSError: if the folder cannot be written.
    """
    folder = Path(folder)
    readme = folder / CARD
    if readme.is_file() and readme.read_bytes().strip() and not readme.read_bytes().startswith(b"---"):
        raise FileExistsError(f"{readme} exists and is no card of a model, and would be lost; choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    sha256 = save_checkpoint(folder / CHECKPOINT, model, dtype)
    config = json.dumps(model.config.to_dict(), indent=2, sort_keys=True, allow_nan=False)
    for name, text in ((CONFIG, config + "\n"), (CARD, model_card(model, sha256, card))):
        write_file(folder / name, text)
    directions_of = getattr(model, "directions_of_checkpoint", None)
    directions = None if directions_of is None else directions_of(folder / CHECKPOINT)
    if isinstance(directions, Directions):
        save_directions(folder / DIRECTIONS, directions)
    return sha256


def located(
    source: str | os.PathLike[str],
    *,
    revision: str | None = None,
    token: str | None = None,
    local_files_only: bool = False,
    file: str = CHECKPOINT,
) -> Path:
    """Find a model's checkpoint in a folder, or download it from the Hub into its cache.

    Args:
        source: a folder that :func:`save_pretrained` wrote, or a repository: ``"organisation/name"``, or with a
            revision ``"organisation/name@v1"``. A folder of that name wins.
        revision: branch, tag or commit of the repository; its main branch if None.
        token: access token for a private repository; that of the Hub's own login if None.
        local_files_only: use the cache alone, without a request to the Hub.
        file: name of another file to find there.

    Returns:
        Path of the file. In a folder, it is not checked that the file exists.

    Raises:
        ValueError: if ``source`` is neither a folder nor a repository, or there are two revisions.
        HubError: if the repository is not available, or the ``huggingface_hub`` package is missing.
    """
    text = os.fspath(source)
    if text and Path(text).is_dir():
        if revision is not None:
            raise ValueError(f"expected no revision for the folder {text}, got {revision!r}")
        return Path(text) / file
    if text and Path(text).is_file():
        raise ValueError(f"expected a folder or a repository, got the file {text}; load_model takes files")
    matched = _REPOSITORY.fullmatch(text)
    if matched is None:
        raise ValueError(f"expected a folder that exists or a repository organisation/name on the Hub, got {text!r}")
    if revision is not None and matched["revision"] is not None:
        raise ValueError(f"expected one revision, got {matched['revision']!r} in {text!r} and {revision!r}")
    name, revision = matched["name"], matched["revision"] or revision
    path: str = _asked(
        f"cannot download {file} of {name}" + (f" at revision {revision}" if revision else ""),
        lambda: _library().hf_hub_download(
            name, file, revision=revision, token=token, local_files_only=local_files_only
        ),
    )
    return Path(path)


def push_to_hub(
    model: Saved,
    repository: str,
    *,
    revision: str | None = None,
    private: bool | None = None,
    token: str | None = None,
    message: str | None = None,
    card: str | None = None,
    dtype: torch.dtype = torch.float16,
) -> str:
    """Upload a model to the Hub: checkpoint, configuration and card in one commit.

    Args:
        model: the model.
        repository: ``"organisation/name"``; created if it does not exist.
        revision: the branch; the main branch if None.
        private: whether a new repository is private; the organisation's default if None.
        token: access token with the right to write; that of the Hub's own login if None.
        message: the commit's message; the model's name and version if None.
        card: as in :func:`save_pretrained`.
        dtype: dtype of the matrices and kernels in the file.

    Returns:
        The commit's hash, a revision that never changes.

    Raises:
        ValueError: if ``repository`` is not ``"organisation/name"``, or a weight is not finite in ``dtype``.
        HubError: if the Hub refuses or cannot be reached, or the ``huggingface_hub`` package is missing.

    Example:
        >>> commit = push_to_hub(model, "organisation/name", private=True)  # doctest: +SKIP
    """
    matched = _REPOSITORY.fullmatch(repository)
    if matched is None or matched["revision"] is not None:
        raise ValueError(f"expected a repository organisation/name on the Hub, got {repository!r}")
    api = _library().HfApi(token=token)
    message = message or f"{model.config.name} {model.config.version}"
    with tempfile.TemporaryDirectory() as folder:
        save_pretrained(model, folder, card=card, dtype=dtype)

        def upload() -> Any:
            api.create_repo(repository, private=private, exist_ok=True)
            return api.upload_folder(repo_id=repository, folder_path=folder, revision=revision, commit_message=message)

        return str(_asked(f"cannot upload {model.config.name} to {repository}", upload).oid)


def model_card(model: Saved, sha256: str, body: str | None = None) -> str:
    """Write a model's card: the front matter for the Hub, then the facts of the configuration.

    Args:
        model: the model.
        sha256: SHA-256 of its checkpoint, hexadecimal.
        body: Markdown in place of the facts.

    Returns:
        Markdown.
    """
    config = model.config
    licence = config.licence.lower()
    known = licence in HUB_LICENCES
    front = {
        "license": licence if known else "other",
        **({} if known else {"license_name": re.sub(r"[^a-z0-9.-]+", "-", licence)}),
        "library_name": "byola-hear",
        "pipeline_tag": "feature-extraction",
        "tags": ["audio", "audio-embeddings", "self-supervised", "byol-a", "hear"],
    }
    # JSON strings and lists are valid YAML, whatever they contain.
    matter = "".join(f"{key}: {json.dumps(value)}\n" for key, value in front.items())
    if body is None:
        parameters = sum(values.numel() for values in model.encoder.parameters())
        body = card_text(
            config.name,
            "A BYOL for Audio network, which turns sounds of any kind and length into embeddings.",
            model_facts(config, parameters, sha256),
            {"Use": _use(config.encoder.feature_size, sha256), "Training": sources_table(config.training)},
        )
    return f"---\n{matter}---\n\n{body}"


def _use(size: int, sha256: str) -> str:
    return f"""```python
from byola_hear import get_scene_embeddings
from byola_hear.hub import from_pretrained

model = from_pretrained("…", sha256="{sha256}")  # this repository, or a local copy of it
embeddings = get_scene_embeddings(audio, model)  # (n_sounds, {size})
```"""


def _library() -> Any:
    try:
        import huggingface_hub
    except Exception as error:
        needed = advice(error, "huggingface_hub", "the huggingface_hub package", "hub")
        raise HubError(f"the Hub needs {needed}") from error
    return huggingface_hub


def _asked(what: str, ask: Callable[[], _Result]) -> _Result:
    """Ask the Hub, and turn every failure into a HubError: the library's errors have no common class."""
    try:
        return ask()
    except HubError:
        raise
    except Exception as error:
        raise HubError(f"{what}: {one_line(error)}") from error
