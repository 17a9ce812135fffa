"""A module that can't be imported is named with the reason, and one that is missing with how to install it."""

from __future__ import annotations

from pathlib import Path

import pytest

from byola_hear.utils.optional import lack

HOW = "pixie-learn: pip install 'byola-hear[pixies]'"


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [
        ("pixies_that_work", "", None),
        ("pixies_that_are_missing", None, HOW),
        (
            "pixies_that_refuse",
            "raise ImportError('Numba needs NumPy 2.2 or less.\\n Got NumPy 2.4.')",
            f"{HOW}; what is installed can't be imported: Numba needs NumPy 2.2 or less. Got NumPy 2.4.",
        ),
        (
            "pixies_that_lack_another",
            "import module_that_is_missing",
            f"{HOW}; what is installed can't be imported: No module named 'module_that_is_missing'",
        ),
        (
            "pixies_that_are_old",
            "import math; math.no_such_name",
            f"{HOW}; what is installed can't be imported: module 'math' has no attribute 'no_such_name'",
        ),
    ],
)
def test_what_stops_a_module_from_being_imported(
    name: str, code: str | None, expected: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if code is not None:
        (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    assert lack(name, "pixie-learn", "pixies") == expected
