"""What installing and importing the package does, and what it does not."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import subprocess
import sys
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

import byola_hear


def python(code: str, folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder with the checkout's package at hand."""
    environment = {**os.environ, "PYTHONPATH": str(Path(byola_hear.__file__).resolve().parents[1])}
    command = [sys.executable, *options, "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


def test_import_has_no_side_effects(tmp_path: Path) -> None:
    code = """
import os, random, sys, threading, warnings
import numpy, torch  # what they do themselves is theirs
modules, environment = set(sys.modules), dict(os.environ)
def state():
    return (
        random.getstate(), str(numpy.random.get_state()),
        threading.active_count(), warnings.filters[:], sys.excepthook, os.getcwd(), dict(os.environ),
        *state_of_torch(),
    )
def state_of_torch():
    return (
        torch.get_rng_state().tolist(), torch.initial_seed(), torch.get_num_threads(), torch.get_default_dtype(),
        torch.is_grad_enabled(), torch.are_deterministic_algorithms_enabled(), sys.path[:],
    )
before = state()
import byola_hear
assert state() == before
heavy = set("torchaudio librosa scipy pandas pyarrow sklearn matplotlib tqdm click benchmark tensorflow".split())
new = {name.partition(".")[0] for name in set(sys.modules) - modules}
assert not new & heavy, new & heavy
# Names are imported when they are used.
before = state_of_torch()
assert all(callable(getattr(byola_hear, name)) for name in byola_hear.__all__ if name != "__version__")
assert state_of_torch() == before
assert not {"torchaudio", "librosa", "tensorflow", "pandas"} & set(sys.modules)
"""
    done = python(code, tmp_path, "-W", "error")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_public_names_are_the_hear_api_the_models_the_tables_and_their_errors() -> None:
    names = {
        "load_model",
        "get_scene_embeddings",
        "get_timestamp_embeddings",
        "list_models",
        "describe_model",
        "embed",
        "finetune",
        "predict",
        "read_table",
        "search",
        "Clip",
    }
    errors = {"AudioFileError", "CheckpointError", "ClassifierError", "ClusterError", "HubError", "TableError"}
    assert set(byola_hear.__all__) == names | errors | {"__version__"}
    assert all(callable(getattr(byola_hear, name)) for name in names)
    assert all(issubclass(getattr(byola_hear, name), Exception) for name in errors)


def test_version_is_the_same_everywhere(repository: Path) -> None:
    version = byola_hear.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+", version)
    assert re.findall(r"^version: (.+)$", (repository / "CITATION.cff").read_text(), re.M)[:1] == [version]
    assert releases(repository)[0] == version
    try:
        installed = metadata.version("byola-hear")
    except metadata.PackageNotFoundError:
        return  # Running from a plain checkout.
    assert installed == version, "the installed metadata is stale: pip install again"


def releases(repository: Path) -> list[str]:
    """The versions in CHANGELOG.md, newest first."""
    changelog = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    return re.findall(r"^## \[(\d+\.\d+\.\d+)\] - \d{4}-\d\d-\d\d$", changelog, re.M)


def test_changelog_keeps_its_form(repository: Path) -> None:
    lines = (repository / "CHANGELOG.md").read_text(encoding="utf-8").splitlines()
    headings = [line for line in lines if line.startswith("## ")]
    assert headings[0] == "## [Unreleased]"
    versions = [tuple(map(int, version.split("."))) for version in releases(repository)]
    assert len(versions) == len(headings) - 1, "a version's heading is ## [1.2.3] - YYYY-MM-DD"
    assert versions == sorted(set(versions), reverse=True)
    sections = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}
    assert {line.removeprefix("### ") for line in lines if line.startswith("### ")} <= sections
    # The preamble apart, a line is a heading or an item: none continues on the next line. A long section has a heading
    # for each part of the package.
    body = lines[lines.index(headings[0]) :]
    assert not [line for line in body if line and not line.startswith(("## ", "### ", "#### ", "- "))]


def requirements(repository: Path) -> list[str]:
    """Everything that setup.cfg asks for, also for extras, without what an extra takes from others."""
    config = configparser.ConfigParser()
    config.read(repository / "setup.cfg", encoding="utf-8")
    groups = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    lines = [line.strip() for group in groups for line in group.splitlines()]
    return [line for line in lines if line and not line.startswith("byola-hear[")]


def test_every_requirement_has_one_lower_bound(repository: Path) -> None:
    bounds: dict[str, set[str]] = {}
    for line in requirements(repository):
        bound = re.match(r"([\w.-]+)(?:\[\w+\])?>=([\w.]+)(?:;|$)", line.replace(" ", ""))
        assert bound, line
        name, version = bound.groups()
        bounds.setdefault(name, set()).add(version)
    assert not {name: versions for name, versions in bounds.items() if len(versions) > 1}
    text = (repository / "constraints-lowest.txt").read_text(encoding="utf-8")
    tested = dict(re.findall(r"^([\w.-]+)==([\w.]+)$", text, re.M))
    assert tested.keys() <= bounds.keys()
    assert {name: {version} for name, version in tested.items()} == {name: bounds[name] for name in tested}


def test_requirements_have_no_upper_bound(repository: Path) -> None:
    config = configparser.ConfigParser()
    config.read(repository / "setup.cfg", encoding="utf-8")
    required = config["options"]["install_requires"].split()
    assert {re.split(r"[^\w.-]", line)[0] for line in required} == {
        "torch",
        "numpy",
        "soundfile",
        "soxr",
        "safetensors",
        "click",
        "pandas",
        "pyarrow",
        "tqdm",
    }
    lines = [*required, *"\n".join(config["options.extras_require"].values()).splitlines()]
    assert not [line for line in lines if re.search(r"==|<|~=", line.partition(";")[0])]


def test_packages_are_all_named(repository: Path) -> None:
    config = configparser.ConfigParser()
    config.read(repository / "setup.cfg", encoding="utf-8")
    found = {
        ".".join(path.parent.relative_to(repository).parts) for path in (repository / "byola_hear").rglob("__init__.py")
    }
    assert set(config["options"]["packages"].split()) == found | {"byola_hear.weights"}


@pytest.fixture(scope="module")
def wheel(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network from a copy of what it is made of."""
    setuptools = pytest.importorskip("setuptools", reason="setuptools, which builds the wheel, is not installed")
    if int(setuptools.__version__.partition(".")[0]) < 77:
        pytest.skip(f"setuptools 77.0.3 or later builds the wheel, {setuptools.__version__} is installed")
    source = tmp_path_factory.mktemp("source")
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE", "MANIFEST.in"):
        shutil.copy(repository / name, source)
    for name in ("byola_hear", "weights", "benchmark", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(repository / name, source / name, ignore=ignored, copy_function=link_or_copy)
    # Networks hardly become smaller, and to compress them takes seconds.
    settings = {"--build-option": ["--compression=stored"]}
    build = f"from setuptools import build_meta; print(build_meta.build_wheel('dist', {settings!r}))"
    done = subprocess.run([sys.executable, "-c", build], cwd=source, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return source / "dist" / done.stdout.split()[-1]


def link_or_copy(source: str, target: str) -> None:
    """The networks are large: a second name for a file is enough, where the file system has such."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)


def test_wheel_holds_the_package_and_the_networks(wheel: Path, repository: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        (information,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        (scripts,) = (name for name in archive.namelist() if name.endswith(".dist-info/entry_points.txt"))
        described, entry_points = archive.read(information).decode(), archive.read(scripts).decode()
    code = {
        path.relative_to(repository).as_posix()
        for path in (repository / "byola_hear").rglob("*.py")
        if "__pycache__" not in path.parts
    }
    kinds = (".py", ".csv", ".safetensors", ".json", ".md", ".png")
    networks = {
        f"byola_hear/weights/{path.name}" for path in (repository / "weights").iterdir() if path.suffix in kinds
    }
    pages = {
        f"byola_hear/{folder}/page.{kind}"
        for folder in ("analysis/map", "analysis/review", "classification/report")
        for kind in ("css", "html", "js")
    }
    shared = repository / "byola_hear" / "analysis" / "listening"
    pages |= {path.relative_to(repository).as_posix() for path in shared.iterdir() if path.suffix in (".css", ".js")}
    assert names == code | networks | pages | {"byola_hear/py.typed"}
    assert "byola-hear = byola_hear.cli.main:main" in entry_points
    assert f"\nVersion: {byola_hear.__version__}\n" in described
    assert "\nLicense-Expression: Apache-2.0\n" in described
    assert "\nRequires-Python: >=3.10\n" in described


def test_wheel_is_small_enough_for_pypi(wheel: Path) -> None:
    assert wheel.stat().st_size < 100 * 2**20


def test_source_archive_holds_what_is_tracked(wheel: Path, repository: Path) -> None:
    listed = ["git", "ls-files", "byola_hear", "weights", "benchmark", "tests"]
    done = subprocess.run(listed, cwd=repository, capture_output=True, text=True)
    if done.returncode:
        pytest.skip("not a checkout")
    sources = wheel.parents[1] / "byola_hear.egg-info" / "SOURCES.txt"
    tracked = {file for file in done.stdout.splitlines() if (repository / file).is_file()}
    candidates = {file for file in tracked if file.startswith("weights/candidates/")}  # in checkouts only
    assert tracked - set(sources.read_text().splitlines()) == candidates


def test_installed_wheel_finds_its_networks(wheel: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "site")
    code = f"""
import sys
sys.path.insert(0, {str(tmp_path / "site")!r})
import byola_hear
from byola_hear.models.zoo import zoo_folder
assert byola_hear.__file__.startswith({str(tmp_path)!r}), byola_hear.__file__
print(zoo_folder(), *byola_hear.list_models())
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    folder, *names = done.stdout.split()
    assert Path(folder) == tmp_path / "site" / "byola_hear" / "weights"
    assert names == byola_hear.list_models()


@pytest.mark.skipif(os.name != "posix" or shutil.which("make") is None, reason="make is not installed")
def test_make_installs_one_thing_at_a_time(repository: Path, tmp_path: Path) -> None:
    """Also with `make -j`, or where MAKEFLAGS says so, and in a folder whose name has a space."""
    here = tmp_path / "a checkout"
    for name in ("setup.cfg", "pyproject.toml", "constraints.txt", "byola_hear/__init__.py"):
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).touch()
    for name in ("requirements-hear.txt", "hear_tools/hook.py", "hear_tools/__main__.py"):
        (here / "benchmark" / name).parent.mkdir(parents=True, exist_ok=True)
        (here / "benchmark" / name).touch()
    stub = here / "env/bin/python"
    stub.parent.mkdir(parents=True)
    stub.write_text("#!/bin/sh\nmkdir busy || echo two at a time >> trouble\nsleep 0.1\nrmdir busy\n")
    stub.chmod(0o755)
    shutil.copy(repository / "Makefile", here)
    command = ["make", "-j4", "docs", "VENV=env", f"PYTHON={sys.executable}"]
    done = subprocess.run(command, cwd=here, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (here / "env/.docs").exists() and not (here / "trouble").exists()


@pytest.mark.skipif(os.name != "posix" or shutil.which("make") is None, reason="make is not installed")
def test_make_clean_removes_what_was_made(repository: Path, tmp_path: Path) -> None:
    """Also the pages of examples: those of an example that has gone would fail `make docs`."""
    for name in (".venv", "build", "x.egg-info", ".mypy_cache", "htmlcov", "docs/examples"):
        (tmp_path / name).mkdir(parents=True)
    for name in (".coverage", "docs/sg_execution_times.rst", "docs/index.md"):
        (tmp_path / name).touch()
    shutil.copy(repository / "Makefile", tmp_path)
    subprocess.run(["make", "clean"], cwd=tmp_path, check=True, capture_output=True)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["Makefile", "docs", "index.md"]
