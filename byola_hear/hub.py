"""Models on the Hugging Face Hub, and in folders of the same layout, which need neither the Hub nor its library.

:mod:`byola_hear.models.hub_files` describes the files of a folder or repository.
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
    dimensions: int | None = None,
) -> ByolaModel:
    """Read a model from a folder, or from the Hub through its cache.

    Args:
        source: a folder that :func:`save_pretrained` wrote, or a repository: ``"organisation/name"``, or with a
            revision ``"organisation/name@v1"``. A folder of that name wins.
        revision: branch, tag or commit of the repository; its main branch if None. Only a commit never changes.
        sha256: SHA-256 of the checkpoint, hexadecimal; a file with another hash is refused.
        token: access token for a private repository; that of the Hub's own login if None.
        local_files_only: use the cache alone, without a request to the Hub.
        dimensions: length of short vectors, as in :func:`byola_hear.load_model`; None for whole embeddings.

    Returns:
        The model: float32, on the CPU, in evaluation mode.

    Raises:
        ValueError: if ``source`` is neither a folder nor a repository, or there are two revisions, or
            (:class:`byola_hear.CheckpointError`) the checkpoint cannot be used or has another hash, or there are
            fewer directions.
        FileNotFoundError: if the folder contains no checkpoint, or no directions for short vectors.
        HubError: if the repository is not available, or the ``huggingface_hub`` package is missing.

    Example:
        >>> model = from_pretrained("organisation/name", revision="v1")  # doctest: +SKIP
    """
    return ByolaModel.from_pretrained(
        source,
        revision=revision,
        sha256=sha256,
        token=token,
        local_files_only=local_files_only,
        dimensions=dimensions,
    )
