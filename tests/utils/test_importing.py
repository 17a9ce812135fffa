"""Modules are imported without collections of garbage, and leave the collector as it was."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from byola_hear.utils.importing import imported_at_once


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A module that notes how often garbage was collected while it made many objects."""
    name = "module_of_many_objects"
    code = "import gc\nbefore = gc.get_stats()\nmany = [[] for _ in range(100_000)]\nafter = gc.get_stats()\n"
    (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    yield name
    sys.modules.pop(name, None)
    gc.unfreeze()


@pytest.mark.parametrize("collects", [True, False])
def test_no_collection_while_a_module_is_imported(module: str, collects: bool) -> None:
    try:
        if not collects:
            gc.disable()
        imported = imported_at_once(module)
        assert imported.before == imported.after
        assert gc.isenabled() == collects
        assert gc.get_freeze_count() >= len(imported.many)
        assert imported_at_once(module) is imported
    finally:
        gc.enable()


def test_an_error_of_a_module_leaves_the_collector_on() -> None:
    with pytest.raises(ModuleNotFoundError):
        imported_at_once("no_module_of_this_name")
    assert gc.isenabled()
