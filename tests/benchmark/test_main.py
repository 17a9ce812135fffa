"""The command line of the benchmark as a whole."""

from __future__ import annotations

import io
import os

import click
import pytest

from benchmark.__main__ import COMMANDS, commands, main, run


@pytest.mark.parametrize(
    ("encoding", "name", "printed"),
    [("utf-8", b"\xff", b"\xff"), ("cp1252", "日é".encode(), b"\\u65e5\xe9")],
)
def test_a_name_in_any_encoding_is_printed(
    monkeypatch: pytest.MonkeyPatch, encoding: str, name: bytes, printed: bytes
) -> None:
    shown = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr("sys.stdout", shown)
    command = click.Command("show", callback=click.echo, params=[click.Argument(["message"])])
    with pytest.raises(SystemExit) as ended:
        run(command, [os.fsdecode(name)], "show")
    assert not ended.value.code
    shown.flush()
    assert shown.buffer.getvalue() == printed + b"\n"


def test_a_command_is_called_what_its_results_say() -> None:
    command = commands.get_command(click.Context(commands), "collection")
    assert command is not None and command.name == "collection"


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([])
    lines = capsys.readouterr().out.splitlines()
    assert commands.list_commands(click.Context(commands)) == sorted(COMMANDS)
    assert [name for name in COMMANDS if not any(line.startswith(f"  {name} ") for line in lines)] == []
