"""Where numbers come from: commit, versions, machine and time. Every result file has it."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

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
            done = subprocess.run(
                ["git", *arguments], cwd=Path(__file__).parents[1], capture_output=True, text=True, timeout=30
            )
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
