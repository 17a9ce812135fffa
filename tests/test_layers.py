"""The order of the wings: a module imports from its own wing and from wings below it, never from above."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

#: Top to bottom; the wings of one line don't import each other.
LAYERS = {
    "byola_hear": (
        ("__main__",),
        ("pretraining",),
        ("cli",),
        ("sklearn", "query", "finetuning", "leaderboards"),
        ("dataframe",),
        ("ray", "classification"),
        ("tables",),
        ("onnx", "extraction", "hear", "hub", "training"),
        ("models", "analysis", "labels"),
        ("audio",),
        ("utils",),
    ),
    "benchmark": (
        ("__main__",),
        ("evaluation", "studies"),
        ("comparison", "speed", "faults"),
        ("probes",),
        ("reporting",),
        ("models",),
        ("tasks", "baselines", "hear_tools"),
        ("datasets",),
    ),
}


@cache
def _imports(path: Path) -> list[tuple[int, str]]:
    """Line and dotted name of everything that a file imports, inside functions and under TYPE_CHECKING too."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            found += [(node.lineno, f"{node.module}.{alias.name}") for alias in node.names]
    return found


def _breaches(folder: Path, package: str) -> Iterator[str]:
    heights = {wing: height for height, wings in enumerate(LAYERS[package]) for wing in wings}
    for path in sorted(folder.rglob("*.py")):
        wing = path.relative_to(folder).parts[0].removesuffix(".py")
        if wing == "__init__":  # the public names, imported when they are used
            continue
        assert wing in heights, f"{path}: LAYERS does not name the wing {wing}"
        for line, name in _imports(path):
            other = name.split(".")[1] if name.startswith(f"{package}.") else ""
            if other in heights and other != wing and heights[other] <= heights[wing]:
                yield f"{path.relative_to(folder.parent)}:{line} imports {name}"


@pytest.mark.parametrize("package", LAYERS)
def test_wings_import_downwards_only(repository: Path, package: str) -> None:
    assert list(_breaches(repository / package, package)) == []


def test_the_package_does_not_import_the_benchmark(repository: Path) -> None:
    importing = {
        str(path)
        for path in (repository / "byola_hear").rglob("*.py")
        for _, name in _imports(path)
        if name.partition(".")[0] in ("benchmark", "tests")
    }
    assert importing == set()


def test_modules_can_be_imported_on_every_system(repository: Path) -> None:
    # pytest collects nothing at all if one of them can't.
    texts = {
        path: path.read_text(encoding="utf-8")
        for package in (*LAYERS, "tests")
        for path in (repository / package).rglob("*.py")
    }
    importing = {
        f"{path}:{node.lineno}"
        for path, text in texts.items()
        if re.search(r"^import\b.*\b(fcntl|pwd|resource)\b", text, re.MULTILINE)  # to parse all files takes seconds
        for node in ast.parse(text).body
        if isinstance(node, ast.Import) and {alias.name for alias in node.names} & {"fcntl", "pwd", "resource"}
    }
    assert importing == set()


def test_a_breach_is_found(tmp_path: Path) -> None:
    for name, code in {"audio/__init__.py": "", "audio/reading.py": "from byola_hear.models import zoo\n"}.items():
        (tmp_path / "byola_hear" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "byola_hear" / name).write_text(code)
    (found,) = _breaches(tmp_path / "byola_hear", "byola_hear")
    assert found.endswith("reading.py:1 imports byola_hear.models.zoo")


def _modules(folder: Path) -> dict[str, Path]:
    """Files of a package by dotted name."""
    files = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        files[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return files


@pytest.mark.parametrize("package", LAYERS)
def test_no_modules_import_each_other(repository: Path, package: str) -> None:
    files = _modules(repository / package)
    graph = {}
    for module, path in files.items():
        # "a.b.c" is the module a.b.c, or the name c in the module a.b.
        names = {name if name in files else name.rpartition(".")[0] for _, name in _imports(path)}
        graph[module] = {name for name in names if name in files and name not in (module, package)}
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle
