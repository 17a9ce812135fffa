"""Downloads from a server on this machine: cut, wrong, endless, moved; resumed, checked, whole or not at all."""

from __future__ import annotations

import hashlib
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from byola_hear.utils import download as module
from byola_hear.utils.download import DownloadError, Missing, Remote, download
from byola_hear.utils.files import locked
from tests.file_server import FileServer, serving

CONTENT = np.random.default_rng(0).bytes(1 << 20)
SHA256 = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server() -> Iterator[FileServer]:
    with serving() as server:
        server.files["/a.zip"] = CONTENT
        yield server


def remote(server: FileServer, checksum: str | None = f"sha256:{SHA256}") -> Remote:
    return Remote("a.zip", (f"{server.url}/a.zip",), checksum, stated_by="the test")


def get(remote: Remote, folder: Path) -> Path:
    return download(remote, folder, pause_s=0.001)


def kept(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_a_file_is_had_once_and_its_hash_noted(server: FileServer, tmp_path: Path) -> None:
    path = get(remote(server), tmp_path / "new")
    assert path == tmp_path / "new" / "a.zip" and path.read_bytes() == CONTENT
    assert (tmp_path / "new" / "a.zip.sha256").read_text() == f"{SHA256}  a.zip\n"
    assert kept(tmp_path / "new") == {"a.zip", "a.zip.sha256"}
    get(remote(server), tmp_path / "new")
    assert len(server.asked) == 1


@pytest.mark.parametrize("checksum", [f"sha256:{SHA256}", f"md5:{hashlib.md5(CONTENT).hexdigest()}", None])
def test_a_cut_connection_is_continued_where_it_ended(server: FileServer, tmp_path: Path, checksum: str | None) -> None:
    server.cut = lambda number: 300_000 if number < 3 else None
    assert get(remote(server, checksum), tmp_path).read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == [None, "bytes=300000-", "bytes=600000-", "bytes=900000-"]


def test_a_later_call_continues_what_an_earlier_one_left(server: FileServer, tmp_path: Path) -> None:
    server.cut = lambda number: 1000 if number == 0 else 0
    with pytest.raises(DownloadError, match=r"1000 bytes are kept, and the same command continues there"):
        get(remote(server, None), tmp_path)
    assert "a.zip" not in kept(tmp_path)
    asked = len(server.asked)
    assert asked == 1 + module.ATTEMPTS
    server.cut = lambda _: None
    assert get(remote(server, None), tmp_path).read_bytes() == CONTENT
    assert server.asked[asked:] == [("/a.zip", "bytes=1000-")]


def test_a_file_that_changed_meanwhile_is_begun_anew(server: FileServer, tmp_path: Path) -> None:
    server.cut = lambda number: 1000 if number == 0 else 0
    with pytest.raises(DownloadError):
        get(remote(server, None), tmp_path)
    other = CONTENT[::-1]
    server.files["/a.zip"], server.etag, server.cut = other, '"2"', lambda _: None
    assert get(remote(server, None), tmp_path).read_bytes() == other


def test_halves_of_two_files_are_not_believed(server: FileServer, tmp_path: Path) -> None:
    """A server that says nothing of versions: the hash tells, and the file is fetched again in one piece."""
    server.etag = None
    (tmp_path / "a.zip.part").write_bytes(b"something else")
    assert get(remote(server), tmp_path).read_bytes() == CONTENT
    assert [wanted for _, wanted in server.asked] == ["bytes=14-", None]


def test_a_part_is_not_continued_when_nothing_could_tell_whether_it_fits(server: FileServer, tmp_path: Path) -> None:
    server.etag = None
    (tmp_path / "a.zip.part").write_bytes(b"something else")
    assert get(remote(server, None), tmp_path).read_bytes() == CONTENT
    assert server.asked == [("/a.zip", None)]


def test_a_server_without_ranges_sends_all_again(server: FileServer, tmp_path: Path) -> None:
    server.ranges, server.cut = False, lambda number: 300_000 if number == 0 else None
    assert get(remote(server), tmp_path).read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_a_part_that_is_the_whole_needs_no_more(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(CONTENT)
    assert get(remote(server), tmp_path).read_bytes() == CONTENT
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "a.zip.part").write_bytes(CONTENT + b"more")
    assert get(remote(server), tmp_path / "b").read_bytes() == CONTENT


def test_a_wrong_hash_is_one_error_and_leaves_nothing(server: FileServer, tmp_path: Path) -> None:
    wrong = f"sha256:{'0' * 64}"
    with pytest.raises(DownloadError, match=rf"expected sha256 0+ as the test states, found {SHA256}"):
        get(remote(server, wrong), tmp_path)
    assert kept(tmp_path) == set()


def test_a_file_that_was_spoilt_is_told_from_the_first_download(server: FileServer, tmp_path: Path) -> None:
    path = get(remote(server, None), tmp_path)
    path.write_bytes(CONTENT[:-1])
    with pytest.raises(DownloadError, match=r"that of the first download.*delete .*a\.zip to download it again"):
        get(remote(server, None), tmp_path)
    path.unlink()
    server.files["/a.zip"] = CONTENT[:-1]
    with pytest.raises(DownloadError, match=r"if the publisher has a new version, delete .*a\.zip\.sha256 too"):
        get(remote(server, None), tmp_path)
    (tmp_path / "a.zip.sha256").unlink()
    assert get(remote(server, None), tmp_path).read_bytes() == CONTENT[:-1]


def test_errors_that_pass_are_waited_for(server: FileServer, tmp_path: Path) -> None:
    server.refuse = lambda number: (503, 429, None)[min(number, 2)]
    assert get(remote(server), tmp_path).read_bytes() == CONTENT


def test_errors_that_do_not_pass_are_not(server: FileServer, tmp_path: Path) -> None:
    with pytest.raises(Missing, match=r"/b\.zip: 404"):
        get(replace(remote(server), urls=(f"{server.url}/b.zip",)), tmp_path)
    assert len(server.asked) == 1 and kept(tmp_path) == set()


def test_a_system_that_removes_no_open_file_says_the_same(
    server: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    removed = Path.unlink

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".part":
            raise PermissionError(13, "The process cannot access the file", str(path))
        removed(path, missing_ok)

    with monkeypatch.context() as patch, pytest.raises(Missing, match=r"/a\.zip: 404"):
        patch.setattr(Path, "unlink", unlink)
        server.files.clear()
        get(remote(server), tmp_path)
    server.files["/a.zip"] = CONTENT
    assert get(remote(server), tmp_path).read_bytes() == CONTENT


def test_the_next_address_is_asked_when_one_fails(server: FileServer, tmp_path: Path) -> None:
    server.files["/other.zip"] = b"no such content"
    urls = tuple(f"{server.url}/{name}.zip" for name in ("none", "other", "a"))
    assert get(replace(remote(server), urls=urls), tmp_path).read_bytes() == CONTENT
    with pytest.raises(DownloadError, match=r"none\.zip: 404.*other\.zip.*expected sha256") as error:
        get(replace(remote(server), urls=urls[:2]), tmp_path / "b")
    assert not isinstance(error.value, Missing)  # as there is one, but another


def test_a_file_that_changes_at_its_address_is_not_noted(server: FileServer, tmp_path: Path) -> None:
    changing = replace(remote(server, None), noted=False)
    get(changing, tmp_path).unlink()
    server.files["/a.zip"] = CONTENT[::-1]
    assert get(changing, tmp_path).read_bytes() == CONTENT[::-1]
    assert kept(tmp_path) == {"a.zip"}


def test_redirections_are_followed_but_not_to_the_disk(server: FileServer, tmp_path: Path) -> None:
    server.redirect = {"/moved.zip": "/a.zip", "/local.zip": "file:///etc/hostname", "/ftp.zip": "ftp://127.0.0.1/a"}
    assert get(replace(remote(server), urls=(f"{server.url}/moved.zip",)), tmp_path).read_bytes() == CONTENT
    for name in ("local", "ftp"):
        with pytest.raises(ValueError, match=r"leads to|not allowed"):
            get(replace(remote(server, None), urls=(f"{server.url}/{name}.zip",)), tmp_path / name)
        assert kept(tmp_path / name) == set()


def test_a_redirection_does_not_give_up_encryption() -> None:
    asked = urllib.request.Request("https://127.0.0.1/a.zip")
    with pytest.raises(DownloadError, match="expected a redirection to https"):
        module._Redirects().redirect_request(asked, None, 302, "Found", {}, "http://127.0.0.1/a.zip")


def test_what_is_too_large_is_not_taken(server: FileServer, tmp_path: Path) -> None:
    small = replace(remote(server, None), limit=1000)
    with pytest.raises(DownloadError, match="at most 1000 bytes, the server offers 1048576"):
        get(small, tmp_path)
    server.length = False
    with pytest.raises(DownloadError, match="at most 1000 bytes, got more"):
        get(small, tmp_path)
    assert kept(tmp_path) == set()


def test_another_size_than_the_one_stated_is_refused(server: FileServer, tmp_path: Path) -> None:
    stated = replace(remote(server, None), size=7)
    with pytest.raises(DownloadError, match="expected 7 bytes, the server offers 1048576"):
        get(stated, tmp_path)
    server.length = False
    with pytest.raises(DownloadError, match="expected 7 bytes, found 1048576"):
        get(stated, tmp_path)
    assert kept(tmp_path) == set()


def test_a_web_page_is_no_archive_and_spoils_no_part(server: FileServer, tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(CONTENT[:1000])
    server.content_type = "text/html; charset=utf-8"
    with pytest.raises(DownloadError, match="got a web page"):
        get(remote(server), tmp_path)
    assert (tmp_path / "a.zip.part").read_bytes() == CONTENT[:1000]


def test_no_server_is_one_error(tmp_path: Path) -> None:
    with serving() as gone:
        url = f"{gone.url}/a.zip"
    with pytest.raises(DownloadError, match=r"a\.zip: .*refused"):
        get(Remote("a.zip", (url,)), tmp_path)
    assert kept(tmp_path) == set()


def test_two_processes_do_not_write_one_file(server: FileServer, tmp_path: Path) -> None:
    with open(tmp_path / "a.zip.part", "ab") as other:
        if not locked(other) or locked(open(tmp_path / "a.zip.part", "ab")):  # noqa: SIM115
            pytest.skip("no locks here")
        with pytest.raises(DownloadError, match="another process"):
            get(remote(server), tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"file": "../a.zip"}, "name of a file"),
        ({"urls": ("ftp://a/b",)}, "begins with https"),
        ({"urls": ()}, "at least one address"),
        ({"checksum": "sha256:00"}, "sha256:HEX"),
    ],
)
def test_a_remote_that_is_none(change: dict[str, object], message: str, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=message):
        get(replace(Remote("a.zip", ("http://127.0.0.1/a.zip",)), **change), tmp_path)  # type: ignore[arg-type]
