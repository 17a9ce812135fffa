"""Archives that nobody should unpack, and those that should come out as they went in."""

from __future__ import annotations

import gzip
import io
import stat
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from byola_hear.utils.archives import ArchiveError, Limits, zip_content
from byola_hear.utils.unpack import extract, extract_missing, read_members

HONEST = {"set/a.wav": b"a" * 10, "set/deep/b.wav": b"", "set/readme": b"c" * 3000}
KINDS = ("tar", "tar.gz", "zip")


def tar_of(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w" if path.suffix == ".tar" else f"w:{path.suffix[1:]}") as tar:  # type: ignore[call-overload]
        for info, content in members:
            info.size = len(content) if info.isreg() else info.size
            tar.addfile(info, io.BytesIO(content))
    return path


def archive_of(path: Path, files: list[tuple[str, bytes]]) -> Path:
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, content in files:
                opened.writestr(name, content)
        return path
    return tar_of(path, [(tarfile.TarInfo(name), content) for name, content in files])


def read(path: Path, limits: Limits | None = None) -> dict[str, bytes]:
    return dict(read_members(path, lambda _: True, limits or Limits()))


def unpack(path: Path, folder: Path, limits: Limits | None = None) -> None:
    extract(path, folder, lambda name: name, limits or Limits())


def refused(path: Path, message: str, limits: Limits | None = None) -> None:
    """Neither reading nor unpacking goes through, and unpacking leaves nothing."""
    with pytest.raises(ArchiveError, match=message):
        read(path, limits)
    before = sorted(path.parent.rglob("*"))
    with pytest.raises(ArchiveError, match=message):
        unpack(path, path.parent / "out", limits)
    assert sorted(path.parent.rglob("*")) == before


@pytest.mark.parametrize("kind", [*KINDS, "tar.bz2", "tar.xz"])
def test_what_went_in_comes_out(kind: str, tmp_path: Path) -> None:
    path = archive_of(tmp_path / f"a.{kind}", list(HONEST.items()))
    assert read(path) == HONEST
    assert dict(read_members(path.read_bytes(), lambda name: name.endswith(".wav"))) == {
        name: content for name, content in HONEST.items() if name.endswith(".wav")
    }
    unpack(path, tmp_path / "out")
    assert {p.relative_to(tmp_path / "out").as_posix(): p.read_bytes() for p in (tmp_path / "out").rglob("*.*")} == {
        name: content for name, content in HONEST.items() if name.endswith(".wav")
    }
    assert {entry.name for entry in tmp_path.iterdir()} == {path.name, "out"}


def test_folders_and_leading_dots_are_nothing_special(tmp_path: Path) -> None:
    folder = tarfile.TarInfo("./set/")
    folder.type = tarfile.DIRTYPE
    root = tarfile.TarInfo("./")
    root.type = tarfile.DIRTYPE
    path = tar_of(tmp_path / "a.tar.gz", [(root, b""), (folder, b""), (tarfile.TarInfo("./set/a.wav"), b"abc")])
    assert read(path) == {"set/a.wav": b"abc"}


def test_files_are_placed_and_left_out(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "a.zip", list(HONEST.items()))
    extract(path, tmp_path / "out", lambda name: name[4:] if name.endswith("a.wav") else None)
    assert [p.name for p in (tmp_path / "out").rglob("*")] == ["a.wav"]
    with pytest.raises(ArchiveError, match="none of the files"):
        extract(path, tmp_path / "other", lambda _: None)
    with pytest.raises(ValueError, match="no such file or folder yet"):
        extract(path, tmp_path / "out", lambda name: name)
    with pytest.raises(ArchiveError, match="refused the member"):
        extract(path, tmp_path / "other", lambda name: f"../{name}")


def test_missing_files_are_added_and_links_skipped(tmp_path: Path) -> None:
    link = tarfile.TarInfo("set/link")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    path = archive_of(tmp_path / "a.tar.xz", list(HONEST.items()))
    (tmp_path / "out" / "set").mkdir(parents=True)
    for name, content in (("a.wav", b"b" * 10), ("readme", b"short")):
        (tmp_path / "out" / "set" / name).write_bytes(content)
    extract_missing(path, tmp_path / "out")
    found = {p.relative_to(tmp_path / "out").as_posix(): p for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert {name: p.read_bytes() for name, p in found.items()} == {**HONEST, "set/a.wav": b"b" * 10}
    extract_missing(tar_of(tmp_path / "b.tar", [(link, b""), (tarfile.TarInfo("b"), b"b")]), tmp_path / "out")
    assert (tmp_path / "out" / "b").read_bytes() == b"b" and not (tmp_path / "out" / "set" / "link").is_symlink()


def test_a_sparse_file_is_not_skipped_like_a_link(tmp_path: Path) -> None:
    member = tarfile.TarInfo("a.wav")
    member.type = tarfile.GNUTYPE_SPARSE
    with pytest.raises(ArchiveError, match="something else|could not read"):
        extract_missing(tar_of(tmp_path / "a.tar", [(member, b"")]), tmp_path / "out")


@pytest.mark.parametrize("kind", ["tar.bz2", "tar.xz"])
def test_a_damaged_member_leaves_no_part_of_it(kind: str, tmp_path: Path) -> None:
    text = np.random.default_rng(0).integers(0, 100, 100_000, np.uint8).tobytes()
    path = archive_of(tmp_path / f"a.{kind}", [("first", b"1"), ("second", text)])
    content = bytearray(path.read_bytes())
    content[-5000:] = bytes(5000)
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match=rf"a\.{kind}: expected a tar or zip, could not read it"):
        extract_missing(path, tmp_path / "out")
    assert {entry.name for entry in (tmp_path / "out").rglob("*")} <= {"first"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["/etc/a", "../a", "set/../../a", "C:\\a", "C:/a", "set\\a", "a\nb", "..", "a" * 1100])
def test_names_that_lead_elsewhere(kind: str, name: str, tmp_path: Path) -> None:
    refused(archive_of(tmp_path / f"a.{kind}", [("good", b"a"), (name, b"b")]), "refused the member")


def test_a_member_without_a_name(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as opened, opened.open(zipfile.ZipInfo(""), "w") as member:
        member.write(b"content")
    refused(tmp_path / "a.zip", "refused the member ''")
    refused(tar_of(tmp_path / "a.tar", [(tarfile.TarInfo(""), b"content")]), "refused the member ''")


@pytest.mark.parametrize("kind", KINDS)
def test_a_bad_name_counts_even_where_the_file_is_not_wanted(kind: str, tmp_path: Path) -> None:
    path = archive_of(tmp_path / f"a.{kind}", [("good", b"a"), ("../a", b"b")])
    with pytest.raises(ArchiveError, match="refused the member"):
        extract(path, tmp_path / "out", lambda name: name if name == "good" else None)


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.GNUTYPE_SPARSE],
)
def test_what_is_no_file_in_a_tar(kind: bytes, tmp_path: Path) -> None:
    member = tarfile.TarInfo("set/link")
    member.type, member.linkname = kind, "/etc/passwd"
    refused(
        tar_of(tmp_path / "a.tar", [(tarfile.TarInfo("set/a"), b"a"), (member, b"")]), "something else|could not read"
    )


def test_a_link_in_a_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        info = zipfile.ZipInfo("set/link")
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        opened.writestr(info, "/etc/passwd")
    refused(tmp_path / "a.zip", "something else")


@pytest.mark.parametrize("kind", KINDS)
def test_one_name_twice(kind: str, tmp_path: Path) -> None:
    refused(archive_of(tmp_path / f"a.{kind}", [("set/a", b"a"), ("./set/a", b"b")]), "in it twice")


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_a_folder_too(kind: str, tmp_path: Path) -> None:
    path = archive_of(tmp_path / f"a.{kind}", [("set", b"a"), ("set/a", b"b")])
    with pytest.raises(ArchiveError, match="file and a folder|below a file"):
        unpack(path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("limits", "message"),
    [
        (Limits(members=2), "members"),
        (Limits(total_bytes=3000), "more than"),
        (Limits(member_bytes=2999), "expected at most 2999"),
    ],
)
def test_more_than_is_allowed(kind: str, limits: Limits, message: str, tmp_path: Path) -> None:
    refused(archive_of(tmp_path / f"a.{kind}", list(HONEST.items())), message, limits)


@pytest.mark.parametrize("kind", ["tar.gz", "zip"])
def test_a_bomb(kind: str, tmp_path: Path) -> None:
    """70 MiB of zeros in some tens of kilobytes."""
    path = archive_of(tmp_path / f"a.{kind}", [("zeros", bytes(70 << 20))])
    assert path.stat().st_size < 100_000
    refused(path, "more than 100 times")


def test_a_tar_header_that_would_fill_the_memory(tmp_path: Path) -> None:
    """The extended header of a file states its own length; that of this one is 2 GiB of zeros, compressed."""
    header = tarfile.TarInfo("pax")
    header.type, header.size = tarfile.XHDTYPE, 2 << 30
    path = tmp_path / "a.tar.gz"
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(header.tobuf())
        file.write(bytes(1 << 20))
    refused(path, "larger than is allowed", Limits(member_bytes=1 << 20))


def test_wrong_content_is_found_by_its_check_sum(tmp_path: Path) -> None:
    """gzip stores noise as it is, so nothing else is wrong with it."""
    path = archive_of(tmp_path / "a.tar.gz", [("noise", np.random.default_rng(0).bytes(100_000))])
    content = bytearray(path.read_bytes())
    content[50_000:50_010] = bytes(10)
    path.write_bytes(content)
    refused(path, "could not read it: CRC check failed")


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_of_what_unpacks_at_one_go(method: int, tmp_path: Path) -> None:
    """zipfile limits what it unpacks at a time for deflated members alone."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", method) as opened:
        opened.writestr("set/a", bytes(1000))
    refused(tmp_path / "a.zip", "'set/a' is neither stored nor deflated")


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE])
def test_a_tar_of_headers_of_headers(kind: bytes, tmp_path: Path) -> None:
    content = b"abc\0" if kind == tarfile.GNUTYPE_LONGNAME else b"11 foo=bar\n"
    header = tarfile.TarInfo("header")
    header.type, header.size = kind, len(content)
    (tmp_path / "a.tar").write_bytes((header.tobuf(tarfile.GNU_FORMAT) + content.ljust(512, b"\0")) * 2000)
    refused(tmp_path / "a.tar", "could not read it")


@pytest.mark.parametrize("kind", [*KINDS, "tar.bz2", "tar.xz"])
def test_half_an_archive(kind: str, tmp_path: Path) -> None:
    path = archive_of(tmp_path / f"a.{kind}", [("set/a", bytes(range(256)) * 400)])
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    refused(path, r"could not read it|ends after")


def test_a_spoilt_zip(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as opened:
        opened.writestr("set/a", b"abcdefgh" * 100)
    content = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(content.replace(b"abcdefgh", b"abcdefgX", 1))
    refused(tmp_path / "a.zip", "could not read it")


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04 no zip", b"\x1f\x8b no gzip", b"<html>", bytes(100)],
    ids=["empty", "zip", "gzip", "page", "zeros"],
)
def test_what_is_no_archive(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.tar").write_bytes(content)
    refused(tmp_path / "a.tar", "could not read it")


def test_an_encrypted_zip(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "a.zip", [("a", b"a")])
    content = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    path.write_bytes(content)
    refused(path, "encrypted")


def test_many_members_are_not_kept_in_memory(tmp_path: Path) -> None:
    path = archive_of(tmp_path / "a.tar", [(f"set/{number}", b"") for number in range(3000)])
    assert len(read(path)) == 3000


@given(st.binary(max_size=2000), st.sampled_from([lambda b: b, gzip.compress, lambda b: b"PK\x03\x04" + b]))
def test_any_bytes_are_read_or_refused(content: bytes, pack: Callable[[bytes], bytes]) -> None:
    try:
        for name, _ in read_members(pack(content), lambda _: True):
            assert not name.startswith("/") and ".." not in name.split("/")
    except ArchiveError:
        pass


@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20)))
def test_no_name_leaves_the_folder(names: list[str]) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name in names:
            tar.addfile(tarfile.TarInfo(name))
    try:
        found = dict(read_members(buffer.getvalue(), lambda _: True))
    except ArchiveError:
        return
    for name in found:
        assert name and not name.startswith("/") and "\\" not in name and ".." not in name.split("/")


def test_one_file_of_a_zip_is_read_within_the_limits(tmp_path: Path) -> None:
    with zipfile.ZipFile(archive_of(tmp_path / "a.zip", [("a", b"a" * 100), ("../b", b"b")])) as opened:
        assert zip_content(opened, "a", "a.zip/a") == b"a" * 100
        with pytest.raises(ArchiveError, match=r"a\.zip/a: expected at most 99 bytes, found 100"):
            zip_content(opened, "a", "a.zip/a", Limits(member_bytes=99))
