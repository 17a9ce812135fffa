from __future__ import annotations

import gzip
import io
import lzma
import os
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from byola_hear.pretraining.data.collect import build_manifest
from byola_hear.pretraining.data.tars import unpack_tar
from tests.pretraining.corpora.samples import noise, tar_of, wav


@pytest.mark.parametrize("press", [gzip.compress, lzma.compress])
@pytest.mark.parametrize("kept", [0.02, 0.5])
def test_truncated_tar_is_an_error_that_names_it(tmp_path: Path, press: Callable[[bytes], bytes], kept: float) -> None:
    content = press(tar_of({"a.wav": wav(noise(1.0))}))
    (tmp_path / "cut.tar").write_bytes(content[: round(kept * len(content))])
    with pytest.raises(ValueError, match=r"cut\.tar: expected a tar or zip, could not read it"):
        build_manifest([tmp_path / "cut.tar"], tmp_path / "m.csv")


def test_a_tar_that_was_replaced_is_unpacked_afresh(tmp_path: Path) -> None:
    tar, folder = tmp_path / "set.tar", tmp_path / "to"
    tar.write_bytes(tar_of({"a": b"first", "b": b"x"}))
    unpack_tar(tar, folder)
    (folder / "a").write_bytes(b"kept!")
    (folder / "b").unlink()
    unpack_tar(tar, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a": b"kept!", "b": b"x"}
    tar.write_bytes(tar_of({"a": b"other", "c": b"more"}))
    os.utime(tar, ns=(0, 0))
    unpack_tar(tar, folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {"a": b"other", "c": b"more"}


def test_member_with_a_long_name_is_unpacked(tmp_path: Path) -> None:
    name = "a" * 250 + ".wav"
    (tmp_path / "set.tar").write_bytes(tar_of({name: b"x"}))
    unpack_tar(tmp_path / "set.tar", tmp_path / "to")
    assert (tmp_path / "to" / name).read_bytes() == b"x"


def test_member_with_too_long_a_name_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "set.tar").write_bytes(tar_of({"a" * 300 + ".wav": b"x"}))
    with pytest.raises(ValueError, match=r"set\.tar: .*aaa.* could not be written: File name too long"):
        unpack_tar(tmp_path / "set.tar", tmp_path / "to")


@pytest.mark.parametrize("name", ["../outside.wav", "/outside.wav", "a/../../outside.wav"])
def test_member_that_leads_outside_is_refused(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        info = tarfile.TarInfo(name)
        info.size = 1
        tar.addfile(info, io.BytesIO(b"x"))
    with pytest.raises(ValueError, match="outside"):
        unpack_tar(tmp_path / "bad.tar", tmp_path / "to")
    assert not (tmp_path / "outside.wav").exists()
