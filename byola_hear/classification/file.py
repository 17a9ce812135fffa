"""Classifiers as files: safetensors, with everything but the arrays as JSON in the header.

Reading runs no code from the file. A file has the tensors ``weight``, ``bias``, ``centre``, ``low`` and ``high`` of a
:class:`~byola_hear.classification.classifier.Classifier`, all float32, and the metadata entry
``byola_hear_classifier``.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import safetensors
import safetensors.numpy

from byola_hear.classification.classifier import Classifier, Network, Operating
from byola_hear.utils.files import readable, write_file
from byola_hear.utils.text import one_line

#: Name of the metadata entry that marks a classifier.
FORMAT = "byola_hear_classifier"
#: Version that is written; raised whenever older readers cannot use the file.
FORMAT_VERSION = 1
#: Longest header that is read, bytes.
MAX_HEADER_BYTES = 64 * 1024 * 1024
_TENSORS = ("weight", "bias", "centre", "low", "high")


class ClassifierError(ValueError):
    """A classifier cannot be used. The message names the file and the reason."""


def save_classifier(path: str | os.PathLike[str], classifier: Classifier) -> None:
    """Write a classifier. If anything fails, nothing is written and an existing file stays as it was.

    Args:
        path: the file; an existing one is replaced.
        classifier: the classifier.

    Raises:
        FileNotFoundError: if the folder does not exist.
        ValueError: if what it says about itself is not JSON.
    """
    header = {
        "format_version": FORMAT_VERSION,
        "classes": classifier.classes,
        "operating": [[each.best_f1, each.points] for each in classifier.operating],
        "method": classifier.method,
        "window": classifier.window,
        "hop": classifier.hop,
        "network": asdict(classifier.network),
        "about": classifier.about,
    }
    tensors = {name: getattr(classifier, name) for name in _TENSORS}
    content = safetensors.numpy.save(tensors, {FORMAT: json.dumps(header, sort_keys=True, allow_nan=False)})
    write_file(Path(path), content)


def load_classifier(path: str | os.PathLike[str]) -> Classifier:
    """Read and verify a classifier.

    Args:
        path: a file that ``byola-hear learn`` or :func:`save_classifier` wrote.

    Returns:
        The classifier.

    Raises:
        ClassifierError: if the file is not a classifier or is damaged.
        FileNotFoundError: if there is no such file.
    """
    path = Path(path)
    with readable(path, "classifier"):
        content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    if len(content) < 10 or length > min(len(content) - 8, MAX_HEADER_BYTES) or content[8:9] != b"{":
        raise ClassifierError(f"{path}: not a classifier: not a safetensors file, or truncated")
    try:
        metadata = json.loads(content[8 : 8 + length]).get("__metadata__")
        text = metadata.get(FORMAT) if isinstance(metadata, dict) else None
        if not isinstance(text, str):
            hint = (
                "; it is a network, which `byola-hear learn --model` takes" if "byola_hear" in (metadata or {}) else ""
            )
            raise ClassifierError(
                f"{path}: not a classifier: a safetensors file without {FORMAT!r} in its header{hint}"
            )
        header = json.loads(text)
        if header["format_version"] != FORMAT_VERSION:
            raise ClassifierError(
                f"{path}: expected classifier format version {FORMAT_VERSION}, got {header['format_version']!r}"
            )
        tensors = safetensors.numpy.load(content)
        if set(tensors) != set(_TENSORS):
            raise ClassifierError(f"{path}: expected the tensors {', '.join(_TENSORS)}, got {', '.join(tensors)}")
        classifier = _assembled(header, tensors)
        return replace(classifier, network=_found(classifier.network, path.parent))
    except ClassifierError:
        raise
    except (
        safetensors.SafetensorError,
        *(ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError),
    ) as error:
        raise ClassifierError(f"{path}: damaged classifier ({one_line(error)[:200]})") from error


def _found(network: Network, folder: Path) -> Network:
    """The network, with the path of its checkpoint if that lies next to the classifier, as after fine-tuning."""
    checkpoint = folder / network.source
    if checkpoint.suffix != ".safetensors" or not checkpoint.is_file():
        return network
    return replace(network, source=str(checkpoint))


def _assembled(header: dict[str, Any], tensors: dict[str, Any]) -> Classifier:
    operating = tuple(
        Operating(float(best), tuple((float(precision), float(threshold)) for precision, threshold in points))
        for best, points in header["operating"]
    )
    network = Network(**header["network"])
    if not isinstance(network.size, int) or not all(
        isinstance(text, str) for text in (network.source, network.label, network.fingerprint)
    ):
        raise ValueError(f"unusable description of the network: {header['network']}")
    return Classifier(
        classes=tuple(header["classes"]),
        operating=operating,
        method=header["method"],
        window=float(header["window"]),
        hop=float(header["hop"]),
        network=network,
        about=dict(header["about"]),
        **tensors,
    )
