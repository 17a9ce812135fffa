"""States of trainings: what is read is no longer tied to the file."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import torch

from byola_hear.training.state_file import read_tensors, write_state


def test_tensors_that_were_read_do_not_hold_the_file(tmp_path: Path) -> None:
    path = tmp_path / "state.safetensors"
    values = torch.arange(1.0, 100_001.0)
    write_state(path, {"a.values": values, "b.values": -values}, {})
    read = read_tensors(path, "a.")
    # Windows refuses to replace a file that is mapped into memory; elsewhere, what is mapped changes with the file.
    with open(path, "r+b") as file:
        file.write(bytes(path.stat().st_size))
    assert list(read) == ["values"] and torch.equal(read["values"], values)


def test_a_state_is_on_the_disk_before_it_takes_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # After a power failure, a name may stand for an empty file otherwise.
    order: list[str] = []
    flush, replace = os.fsync, os.replace

    def noted_flush(file: int) -> None:
        order.append("flushed")
        flush(file)

    def noted_replace(source: Path, target: Path) -> None:
        order.append("named")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", noted_flush)
    monkeypatch.setattr(os, "replace", noted_replace)
    write_state(tmp_path / "state.safetensors", {"a": torch.zeros(3)}, {})
    assert order == ["flushed", "named"]
