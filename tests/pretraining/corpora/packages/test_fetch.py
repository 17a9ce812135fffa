from __future__ import annotations

import lzma
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from byola_hear.pretraining.corpora.packages.deb import control_fields
from byola_hear.pretraining.corpora.packages.fetch import FetchError, PackageOrigin, fetch, fetched
from byola_hear.pretraining.corpora.packages.mirror import MirrorError, read_index
from byola_hear.utils.download import Missing
from tests.pretraining.corpora.samples import Mirror, deb_of, running_mirror

CONTENT = bytes(range(256)) * 40


@pytest.fixture
def mirror(monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """A mirror with two packages, without pauses between attempts."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with running_mirror() as running:
        running.add_packages({name: deb_of(name, {"./usr/a.wav": CONTENT}) for name in ("a-data", "a-data-more")})
        yield running


def from_mirror(mirror: Mirror) -> PackageOrigin:
    return PackageOrigin("mirror", mirror.address)


def package_path(mirror: Mirror, name: str) -> str:
    return next(path for path in mirror.files if path.endswith(f"/{name}_2.0-3_all.deb"))


def test_package_is_downloaded_once(mirror: Mirror, tmp_path: Path) -> None:
    path = fetch("a-data", tmp_path, from_mirror(mirror))
    assert control_fields(path)["Package"] == "a-data"
    assert fetched("a-data", tmp_path) == path
    before = len(mirror.asked)
    assert fetch("a-data", tmp_path, from_mirror(mirror)) == path
    assert len(mirror.asked) == before


def test_index_is_downloaded_once(mirror: Mirror, tmp_path: Path) -> None:
    fetch("a-data", tmp_path, from_mirror(mirror))
    fetch("a-data-more", tmp_path, from_mirror(mirror))
    assert sum(path.endswith("Packages.xz") for path, _ in mirror.asked) == 1


def test_several_threads_download_the_index_once(mirror: Mirror, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: read_index(mirror.address, "bookworm", tmp_path), range(8)))
    assert all(sorted(index) == ["a-data", "a-data-more"] for index in found)
    assert len(mirror.asked) == 1


def test_package_replaced_on_the_mirror_is_found(mirror: Mirror, tmp_path: Path) -> None:
    fetch("a-data", tmp_path, from_mirror(mirror))
    old = package_path(mirror, "a-data-more")
    new = old.replace("_2.0-3_", "_2.0-4_")
    mirror.files[new] = mirror.files.pop(old)
    (index,) = (path for path in mirror.files if path.endswith("Packages.xz"))
    mirror.files[index] = lzma.compress(lzma.decompress(mirror.files[index]).replace(old.encode(), new.encode()))
    assert fetch("a-data-more", tmp_path, from_mirror(mirror)).name == new.rpartition("/")[2]


def test_broken_connection_is_continued(mirror: Mirror, tmp_path: Path) -> None:
    path = package_path(mirror, "a-data")
    mirror.breaks[path] = 300
    assert fetch("a-data", tmp_path, from_mirror(mirror)).read_bytes() == mirror.files[path]
    assert [wanted for asked, wanted in mirror.asked if asked == path] == [None, "bytes=300-"]


def test_interrupted_download_is_continued_by_the_next_call(mirror: Mirror, tmp_path: Path) -> None:
    path = package_path(mirror, "a-data")
    name = path.rpartition("/")[2]
    (tmp_path / f"{name}.part").write_bytes(mirror.files[path][:777])
    assert fetch("a-data", tmp_path, from_mirror(mirror)).read_bytes() == mirror.files[path]
    assert (path, "bytes=777-") in mirror.asked
    assert not list(tmp_path.glob("*.part*"))


@pytest.mark.parametrize("change", [lambda data: data[:-1] + b"?", lambda data: data[:-1]])
def test_content_of_another_hash_is_refused_and_deleted(mirror: Mirror, change: object, tmp_path: Path) -> None:
    path = package_path(mirror, "a-data")
    mirror.files[path] = change(mirror.files[path])  # type: ignore[operator]
    with pytest.raises(FetchError, match=r"a-data.*expected .* (found|offers) "):
        fetch("a-data", tmp_path, from_mirror(mirror))
    assert fetched("a-data", tmp_path) is None
    assert not list(tmp_path.glob("a-data*"))


def test_missing_package_is_named(mirror: Mirror, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"gone-data.*no such package in bookworm"):
        fetch("gone-data", tmp_path, from_mirror(mirror))
    del mirror.files[package_path(mirror, "a-data")]
    with pytest.raises(FetchError, match=r"a-data.*404"):
        fetch("a-data", tmp_path, from_mirror(mirror))


def test_index_that_cannot_be_renewed_is_kept(mirror: Mirror, tmp_path: Path) -> None:
    before = read_index(mirror.address, "bookworm", tmp_path)
    (path,) = (path for path in mirror.files if path.endswith("Packages.xz"))
    del mirror.files[path]
    with pytest.raises(Missing, match="404"):
        read_index(mirror.address, "bookworm", tmp_path, renewed=True)
    assert read_index(mirror.address, "bookworm", tmp_path) == before


def test_damaged_index_is_not_kept(mirror: Mirror, tmp_path: Path) -> None:
    path = next(path for path in mirror.files if path.endswith("Packages.xz"))
    good, mirror.files[path] = mirror.files[path], b"no index"
    with pytest.raises(MirrorError, match="index"):
        read_index(mirror.address, "bookworm", tmp_path)
    mirror.files[path] = good
    assert read_index(mirror.address, "bookworm", tmp_path)["a-data"].version == "1:2.0-3"


def test_mirror_is_used_without_apt(mirror: Mirror, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("byola_hear.pretraining.corpora.packages.fetch.shutil.which", lambda name: None)
    assert fetch("a-data", tmp_path, PackageOrigin("auto", mirror.address)).exists()
    with pytest.raises(FetchError, match="apt-get is not installed"):
        fetch("a-data-more", tmp_path, PackageOrigin("apt"))


@pytest.fixture
def apt(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An ``apt-get`` that knows only the package a-data."""
    folder = tmp_path / "bin"
    folder.mkdir()
    program = folder / "apt-get"
    program.write_text(
        '#!/bin/sh\necho "W: unsandboxed" >&2\n'
        'if [ "$1 $3" = "download a-data" ]; then echo deb > a-data_1%3a2.0-3_all.deb\n'
        'else echo "E: Unable to locate package $3" >&2; exit 100; fi\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder), prepend=":")


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_apt_comes_first_and_then_the_mirror(apt: None, mirror: Mirror, tmp_path: Path) -> None:
    origin = PackageOrigin("auto", mirror.address)
    assert fetch("a-data", tmp_path / "out", origin).read_text() == "deb\n"
    assert not mirror.asked
    assert control_fields(fetch("a-data-more", tmp_path / "out", origin))["Package"] == "a-data-more"


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
def test_package_unknown_to_apt_is_an_error_that_says_so(apt: None, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"^gone-data: apt-get: Unable to locate package gone-data"):
        fetch("gone-data", tmp_path / "out", PackageOrigin("apt"))
    assert not list((tmp_path / "out").iterdir())


def test_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match=r"auto, apt, mirror.*'pigeon'"):
        PackageOrigin("pigeon")
