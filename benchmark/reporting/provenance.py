"""Where numbers come from: command, commit, versions, machine, time and data. Every result file and page has it."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping
from datetime import datetime, timezone
from importlib import metadata
from typing import Any

from benchmark import CHECKOUT

#: Distributions whose versions can change a result.
DISTRIBUTIONS = ("torch", "numpy", "scipy", "scikit-learn", "librosa", "soundfile", "soxr", "torchaudio")


def hardware() -> str:
    """Operating system, processor and number of cores, as a line."""
    processor = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            processor = next(
                (line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), processor
            )
    except OSError:
        pass
    return f"{platform.system()} {platform.machine()}, {processor}, {os.cpu_count()} cores"


def commit() -> str | None:
    """The checkout's commit, with ``+`` if tracked files differ from it; None outside a git checkout."""

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], cwd=CHECKOUT, capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.TimeoutExpired):
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    head = git("rev-parse", "HEAD")
    return head and head + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")


def provenance() -> dict[str, Any]:
    """Commit, time, versions and hardware, as JSON values."""
    versions = {}
    for name in DISTRIBUTIONS:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    import byola_hear

    return {
        "commit": commit(),
        "time": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "versions": {"byola_hear": byola_hear.__version__, **versions},
        "hardware": hardware(),
    }


def measured_with(about: Mapping[str, Any]) -> str:
    """Say in Markdown how numbers were measured: the command, the commit, the day, the machine and the data.

    Args:
        about: :func:`provenance`, if known with ``command``, and with ``audio``: SHA-256 by name of the data.

    Example:
        >>> about = {"commit": "0123456789abcdef", "time": "2026-01-02T03:04", "hardware": "a machine"}
        >>> measured_with({"command": "python -m benchmark regression", **about})
        'Measured by `python -m benchmark regression` at commit 0123456789 on 2026-01-02, a machine.'
        >>> measured_with({"audio": {"esc50": "c27a25f9a3136f9c"}, **about})
        'Measured at commit 0123456789 on 2026-01-02, a machine. Data, by SHA-256: esc50 c27a25f9a3.'
    """
    command = f" by `{about['command']}`" if about.get("command") else ""
    commit = (about["commit"] or "none")[:10]
    line = f"Measured{command} at commit {commit} on {about['time'][:10]}, {about['hardware']}."
    audio = about.get("audio")
    if isinstance(audio, Mapping) and audio:
        line += f" Data, by SHA-256: {', '.join(f'{name} {digest[:10]}' for name, digest in audio.items())}."
    return line


def completed_with(about: Mapping[str, Any], what: str) -> str:
    """Say in Markdown how numbers were measured that were added to a table.

    Args:
        about: :func:`provenance`.
        what: the numbers.

    Example:
        >>> about = {"commit": "0123456789abcdef", "time": "2026-01-02T03:04", "hardware": "a machine"}
        >>> completed_with(about, "emotion of all models")
        'Completed at commit 0123456789 on 2026-01-02, a machine: emotion of all models.'
    """
    where = {key: about[key] for key in ("commit", "time", "hardware")}
    return f"{measured_with(where).replace('Measured', 'Completed', 1).removesuffix('.')}: {what}."
