"""What all tests share."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest


def pytest_configure(config: pytest.Config) -> None:
    """Settings of the processes that run tests; the one that deals tests out to them imports nothing large."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        return
    import torch
    from hypothesis import settings

    # An example's time says more about what else the machine is doing than about the code. Where slow tests are left
    # out, a property is tried on fewer examples, too.
    n_examples = 30 if config.getoption("markexpr") == "not slow" else 100
    settings.register_profile("byola_hear", deadline=None, max_examples=n_examples)
    settings.load_profile("byola_hear")

    # Networks in tests are small: on a busy machine torch's threads spend their time waiting for each other.
    torch.set_num_threads(1)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Zarr's version 3 needs Python 3.11, the package itself does not."""
    if find_spec("zarr") is None:
        for item in items:
            if ".zarr" in item.name:
                item.add_marker(pytest.mark.skip(reason="zarr is not installed"))


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def clips_folder(repository: Path) -> Path:
    """A few short real clips of every form: speech, music, ambience; 8 to 96 kHz; mono and stereo."""
    return repository / "tests" / "data"
