"""Models on the Hugging Face Hub, and in folders of its layout, which need neither the Hub nor its library.

What a folder or a repository holds, :mod:`byola_hear.models.hub_files` says.
"""

from __future__ import annotations

import os

from byola_hear.models.hub_files import HubError, push_to_hub, save_pretrained
from byola_hear.models.model import ByolaModel

__all__ = ["HubError", "from_pretrained", "push_to_hub", "save_pretrained"]


def from_pretrained(
    source: str | os.PathLike[str],
    *,
    revision: str | None = None,
    sha256: str | None = None,
    token: str | None = None,
    local_files_only: bool = False,
) -> ByolaModel:
    """Read a model from a folder, or from the Hub through its cache.

    Args:
        source: a folder that :func:`save_pretrained` wrote, or a repository: ``"organisation/name"``, also with the
            revision, ``"organisation/name@v1"``. A folder of that name wins.
        revision: the repository's branch, tag or commit; its main branch if None. Only a commit never changes.
        sha256: hexadecimal, of the checkpoint; whatever has another is refused.
        token: for a private repository; that of the Hub's own login if None.
        local_files_only: take the repository from the cache alone, without asking the Hub.

    Returns:
        The model: float32, on the CPU, in evaluation mode.

    Raises:
        ValueError: if ``source`` is neither, or two revisions are given, or (``CheckpointError``) the checkpoint
            can't be used or has another hash.
        FileNotFoundError: if the folder holds no checkpoint.
        HubError: if the repository can't be had, or the ``huggingface_hub`` package is missing.
    """
    return ByolaModel.from_pretrained(
        source, revision=revision, sha256=sha256, token=token, local_files_only=local_files_only
    )
