"""What the training sets of the networks share with evaluation sets, as a paragraph of each card.

``python -m byola_hear.pretraining corpora overlap`` finds the shared Freesound clips by the credits of packages and
writes ``benchmark/results/overlap.csv``. The manifests in ``weights/manifests`` say which sounds a network was trained
on.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from benchmark.reporting.run_differences import began_with
from byola_hear import describe_model, list_models
from byola_hear.models.zoo import zoo_folder
from byola_hear.pretraining.corpora.catalogue.shared_clips import SHARED

#: Number of clips of each evaluation set. Those of ESC-10 are clips of ESC-50.
SIZES = {"ESC-50": 2000, "FSD50K": 51197, "UrbanSound8K": 8732, "FSDnoisy18k": 18532}
ESC10_SIZE = 400


def shared_training_clips(rows: Iterable[Mapping[str, str]]) -> tuple[Counter[str], float]:
    """Find the clips of a manifest that were made of clips of evaluation sets, or may have been.

    Args:
        rows: rows of a manifest, with ``path``, ``source`` and ``duration_s``.

    Returns:
        Number of clips by corpus, and their length in seconds.
    """
    counts: Counter[str] = Counter()
    seconds = 0.0
    for row in rows:
        corpus = row["source"].partition("=")[0]
        # The path contains the name of the sound after the folder of the corpus, and the ending of the decoded file.
        sound = row["path"].partition(f"/{corpus}/")[2].removesuffix(".flac")
        if corpus in SHARED and SHARED[corpus].includes(sound):
            counts[corpus] += 1
            seconds += float(row["duration_s"])
    return counts, seconds


@cache
def _read(manifest: Path, written: int) -> tuple[Counter[str], float]:
    """:func:`shared_training_clips` of a file, whose rows are as they were at a time: several cards ask for it."""
    with gzip.open(manifest, "rt", encoding="utf-8", newline="") as file:
        return shared_training_clips(csv.DictReader(file))


def overlap_page(table: Path) -> str:
    """Write what the training set of each of the package's networks shares with evaluation sets, as a list.

    Earlier versions, from which networks of the package learnt, have manifests that are named ``NAME-VERSION.csv.gz``.

    Args:
        table: table of the command ``corpora overlap``.

    Returns:
        Markdown.
    """
    texts = {f"`{name}`": network_overlap(name, None, table) for name in list_models()}
    for path in sorted((zoo_folder() / "manifests").glob("*.csv.gz")):
        name, _, version = path.name.removesuffix(".csv.gz").rpartition("-")
        if name in list_models() and version[:1].isdigit():
            texts[_shown(f"{name} {version}")] = overlap_text(path, table)
    return "".join(f"- {name}: {text}\n" for name, text in texts.items())


def network_overlap(name: str, folder: Path | None, table: Path) -> str:
    """Write what a network's training set, and those of the networks that it learnt from, share with evaluation sets.

    Args:
        name: name of the network.
        folder: the zoo; the package's own if None. The networks that it learnt from are looked for in the package's.
        table: table of the command ``corpora overlap``.

    Returns:
        Markdown; empty if the manifests or the table are missing.

    Raises:
        ValueError: if the manifest in the zoo is not that of the network's training set.
    """
    training = describe_model(name, folder)["training"]
    manifest = (folder or zoo_folder()) / "manifests" / f"{name}.csv.gz"
    _check_manifest(manifest, name, training)
    shared = {
        earlier: text
        for earlier, text in _learnt_from(training).items()
        if "made of Freesound" in overlap_text(_manifest_of(earlier), table)
    }
    where = "its card" if set(shared) <= set(list_models()) else "`benchmark/results/overlap.md`"
    inherited = f"Some are known to be in that of {', and of '.join(shared.values())}: see {where}." if shared else ""
    return " ".join(filter(None, [overlap_text(manifest, table), inherited]))


def _check_manifest(path: Path, name: str, training: Mapping[str, Any]) -> None:
    """A manifest of another version would give a card the overlaps of another training set."""
    if not path.is_file():
        return
    with gzip.open(path) as file:
        found = hashlib.sha256(file.read()).hexdigest()
    if found != (expected := training["manifest_sha256"]):
        raise ValueError(f"expected the manifest that {name} was trained on in {path}, SHA-256 {expected}, got {found}")


def _learnt_from(training: Mapping[str, Any]) -> dict[str, str]:
    """The teachers of a network and the one it began with, then those of theirs: by name, what each is to it.

    A name has a version if the package has another version of the network now.
    """
    teachers, start = _teachers_and_start(training)
    found = {name: f"the teacher {_shown(name)}" for name in teachers}
    if start:
        found[start] = f"{found.get(start, _shown(start))}, with whose weights it began"
    for name in [name for name in found if name in list_models()]:
        what = f"the teacher {_shown(name)}" if name in teachers else _shown(name)
        before, beginning = _teachers_and_start(describe_model(name)["training"])
        for each in before:
            found.setdefault(each, f"{_shown(each)}, which taught {what}")
        if beginning:
            found.setdefault(beginning, f"{_shown(beginning)}, with whose weights {what} began")
    return found


def _teachers_and_start(training: Mapping[str, Any]) -> tuple[list[str], str]:
    """A network's teachers, without the kinds of sound that they taught, and the network that it began with."""
    facts = training["recipe"].get("teachers", {})
    start = training.get("began_with", {})
    teachers = [
        began_with(training) if "fingerprint" in fact and fact["fingerprint"] == start.get("fingerprint") else name
        for name, fact in facts.items()
    ]
    return [_without_version(name.partition("@")[0]) for name in teachers], _without_version(began_with(training))


def _without_version(model: str) -> str:
    """``both 0.2.0`` as ``both`` if that is the package's version, or the package does not know the name."""
    name, _, version = model.partition(" ")
    current = not version or name not in list_models() or describe_model(name)["version"] == version
    return name if current else model


def _shown(name: str) -> str:
    """``both 0.2.0`` in Markdown: the name as code."""
    plain, _, version = name.partition(" ")
    return f"`{plain}` {version}".rstrip()


def _manifest_of(name: str) -> Path:
    return zoo_folder() / "manifests" / f"{name.replace(' ', '-')}.csv.gz"


def overlap_text(manifest: Path, table: Path) -> str:
    """Write the paragraph on what a training set shares with evaluation sets.

    Args:
        manifest: manifest of the training set, compressed with gzip.
        table: table of the command ``corpora overlap``.

    Returns:
        Markdown; empty if one of the files is missing.
    """
    if not (manifest.is_file() and table.is_file()):
        return ""
    counts, seconds = _read(manifest, manifest.stat().st_mtime_ns)
    if not counts:
        return "No clip of ESC-50, FSD50K, UrbanSound8K or FSDnoisy18k is known to be in the training set."
    with open(table, encoding="utf-8", newline="") as file:
        shared = [row for row in csv.DictReader(file) if row["corpus"] in counts]
    in_sets = {title: sum({row["freesound_id"]: int(row[title]) for row in shared}.values()) for title in SIZES}
    parts = [f"{n} of the {SIZES[title]} clips of {title}" for title, n in in_sets.items() if n]
    esc = in_sets["ESC-50"]
    bound = (
        f" This can amount to at most {100 * esc / SIZES['ESC-50']:.2f} points of accuracy on ESC-50 and "
        f"{100 * min(esc, ESC10_SIZE) / ESC10_SIZE:.1f} on ESC-10, if every one of these clips were classified "
        "correctly for this reason alone."
        if esc
        else ""
    )
    corpora = ", ".join(sorted(counts))
    what = f"{sum(counts.values())} clips of the training set ({seconds / 60:.1f} minutes, from {corpora})"
    return (
        f"{what} were, or may have been, made of Freesound recordings that are also in evaluation sets: "
        f"{', '.join(parts)} come from such recordings. No labels were used.{bound} "
        "`corpora build` now leaves such clips out."
    )
