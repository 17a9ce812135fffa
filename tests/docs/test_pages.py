"""The documentation's code runs, its commands exist, and every result has a page."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

import byola_hear
from benchmark.__main__ import commands as benchmark_commands
from byola_hear.cli.main import commands
from byola_hear.models.encoders import registry
from byola_hear.pretraining.cli import commands as pretraining_commands

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = sorted(path for path in DOCS.rglob("*.md") if "examples" not in path.relative_to(DOCS).parts)
PROGRAMS = {
    "byola-hear": commands,
    "python -m benchmark": benchmark_commands,
    "python -m byola_hear.pretraining": pretraining_commands,
}


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of a language; what can't run here is a ``code-block`` and not among them."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def name_of(page: Path) -> str:
    return page.relative_to(DOCS).as_posix()


WITH_PYTHON = [page for page in PAGES if blocks(page, "python")]
WITH_SHELL = [page for page in PAGES if blocks(page, "sh")]


def command_lines(page: Path) -> list[str]:
    """The lines of a page's shell blocks that call one of the programs."""
    lines = []
    for block in blocks(page, "sh"):
        variables = dict(re.findall(r'^(\w+)="([^"]*)"$', block, re.MULTILINE))
        for name, value in variables.items():
            block = block.replace(f"${name} ", f"{value} ")
        for line in block.replace("\\\n", " ").splitlines():
            command = line.rpartition("|")[2].strip()
            if command.startswith(tuple(f"{name} " for name in PROGRAMS)):
                lines.append(command)
    return lines


def parsed(program: click.Command, words: list[str]) -> None:
    """Parse a command's words, down to its sub-commands; values of options are not looked at.

    Raises:
        click.UsageError: if there is no such command, option or argument.
    """
    # A command inherits settings from the program's context, and keeps its help option from the first time on.
    context = click.Context(program, **program.context_settings)
    while isinstance(program, click.Group) and words and not words[0].startswith("-"):
        name, found, words = program.resolve_command(context, words)
        assert found is not None, name
        program = found
        context = click.Context(program, parent=context, **program.context_settings)
    _, rest, _ = program.make_parser(context).parse_args(args=list(words))
    assert not rest, f"left over: {rest}"


@pytest.fixture
def checkout(repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with the clips where the pages have them, which may be written to."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "data").symlink_to(repository / "tests" / "data")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("page", WITH_PYTHON, ids=name_of)
def test_python_runs(page: Path, checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of a page's blocks, one after the other."""
    monkeypatch.setattr(registry, "KINDS", dict(registry.KINDS))  # a page adds a kind of encoder
    if not byola_hear.list_models():
        pytest.skip("no networks in weights/")
    if "sklearn" in page.read_text(encoding="utf-8"):
        pytest.importorskip("sklearn")
    given: dict[str, Any] = {"__name__": "page"}
    exec(compile("\n".join(blocks(page, "python")), name_of(page), "exec", dont_inherit=True), given)


@pytest.mark.parametrize("page", WITH_SHELL, ids=name_of)
def test_commands_exist(page: Path) -> None:
    for line in command_lines(page):
        program = next(name for name in PROGRAMS if line.startswith(f"{name} "))
        parsed(PROGRAMS[program], shlex.split(line.removeprefix(program), comments=True))


def test_every_command_is_on_a_page() -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    for program, group in PROGRAMS.items():
        for name in group.list_commands(click.Context(group)):
            if program == "python -m benchmark":
                assert f"`{name}`" in text, f"{program} {name}"
            else:
                assert re.search(rf"(byola-hear|pretraining|`|\$run) ?{name}\b", text), f"{program} {name}"


def with_help(program: click.Command, context: click.Context) -> Iterator[tuple[click.Command, str]]:
    """A command and its sub-commands with their help, on one line each."""
    yield program, " ".join(program.get_help(context).split())
    if isinstance(program, click.Group):
        for name in program.list_commands(context):
            found = program.get_command(context, name)
            assert found is not None
            yield from with_help(found, click.Context(found, parent=context, **found.context_settings))


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_names_options_that_exist(name: str) -> None:
    """A default that depends on an option is of a command that has this option; a range without ends is not shown."""
    program = PROGRAMS[name]
    for command, text in with_help(program, click.Context(program, **program.context_settings)):
        own = {option for parameter in command.params for option in parameter.opts}
        assert set(re.findall(r"with (--[a-z-]+)", text)) <= own, command.name
        assert "None]" not in text, command.name


def test_targets_of_make_exist(repository: Path) -> None:
    makefile = (repository / "Makefile").read_text(encoding="utf-8")
    for page in [*PAGES, repository / "README.md", repository / "CONTRIBUTING.md"]:
        for target in re.findall(r"(?:`|^)make ([a-z-]+)", page.read_text(encoding="utf-8"), re.MULTILINE):
            assert re.search(rf"^(?:[a-z-]+ )*{target}(?: [a-z-]+)*:", makefile, re.MULTILINE), (
                f"{page.name}: make {target}"
            )


def test_named_files_and_folders_exist(repository: Path) -> None:
    """Paths from the top of the repository, in backticks; those with a name to fill in are in capitals there."""
    named = re.compile(r"(?<!})`((?:byola_hear|benchmark|docs|examples|tests|weights)/[\w./-]+)`")
    for page in [*PAGES, repository / "README.md", repository / "CONTRIBUTING.md", repository / "SECURITY.md"]:
        for path in named.findall(page.read_text(encoding="utf-8")):
            assert (repository / path).exists() or re.search(r"NAME|SUITE", path), f"{page.name}: {path}"


def test_every_result_has_a_page(repository: Path) -> None:
    results = {path.name for path in (repository / "benchmark" / "results").glob("*.md")}
    own = {name for name in results if not name.endswith(("_findings.md", "_short.md"))}
    included = set(re.findall(r"benchmark/results/([\w-]+\.md)", "\n".join(page.read_text() for page in PAGES)))
    assert own <= included, own - included


def test_every_network_has_a_page() -> None:
    for name in byola_hear.list_models():
        assert f"weights/byola-{name}.md" in (DOCS / "models" / f"{name}.md").read_text(encoding="utf-8")
