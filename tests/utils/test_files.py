"""Files appear whole or not at all; a lock keeps two writers apart."""

from __future__ import annotations

import errno
import os
import stat
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from byola_hear.utils.files import exclusive, locked, remove_leftovers, replacing, write_file


def test_a_file_takes_its_name_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    with replacing(path) as stream:
        stream.write(b"after")
        stream.flush()
        assert path.read_text() == "before"
    assert path.read_text() == "after"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_a_failure_leaves_what_was_there(tmp_path: Path, kind: type[BaseException]) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    with pytest.raises(kind), replacing(path) as stream:
        stream.write(b"half")
        raise kind
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_text_is_written_in_utf_8_and_bytes_as_they_are(tmp_path: Path) -> None:
    for content in ("日\r\n", b"\xff\n", memoryview(b"\xff")):
        write_file(tmp_path / "a", content)
        assert (tmp_path / "a").read_bytes() == (content.encode() if isinstance(content, str) else bytes(content))


def test_a_full_disk_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    with pytest.raises(OSError) as caught, replacing(path):
        raise OSError(28, "No space left on device")
    assert str(caught.value) == f"[Errno 28] No space left on device: {str(path)!r}"


def test_other_errors_keep_what_they_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught, replacing(tmp_path / "a.txt"):
        (tmp_path / "none.wav").read_bytes()
    assert caught.value.filename == str(tmp_path / "none.wav")
    with pytest.raises(FileNotFoundError, match=r"^no such recording: b\.wav$"), replacing(tmp_path / "a.txt"):
        raise FileNotFoundError("no such recording: b.wav")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError) as of_a_folder, replacing(tmp_path / "folder"):
        pass
    assert str(of_a_folder.value).endswith(f": {str(tmp_path / 'folder')!r}")


def killed_while_writing(path: Path) -> Path:
    """What a process leaves that is killed inside of ``replacing``."""
    with replacing(path):
        (temporary,) = path.parent.glob(f".{path.name[:60]}.*.tmp")
        kept = temporary.with_name(temporary.name + "_")
        os.link(temporary, kept)
    path.unlink()
    kept.rename(temporary)
    return temporary


@pytest.mark.parametrize("name", ["a.txt", "x" * 200 + ".txt", "a", *(["ä b\n.csv"] if os.name == "posix" else [])])
def test_what_a_killed_process_left_is_removed(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    left = killed_while_writing(path)
    assert left.exists()
    others = [tmp_path / ".a.txt.12345678.tmp.txt", tmp_path / ".b.txt.abcdefgh.tmp", tmp_path / ".a.txt.tmp", path]
    for other in others:
        other.write_text("mine")
    remove_leftovers([path, tmp_path / "none" / "b"])
    assert not left.exists()
    assert all(other.read_text() == "mine" for other in others)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes")
def test_devices_and_pipes_stay(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "null").symlink_to(os.devnull)
    for name in ("pipe", "null"):
        with pytest.raises(OSError, match=f"expected a file to write, got a device or a pipe: '.*{name}'"):
            write_file(tmp_path / name, "text")
    assert (tmp_path / "pipe").is_fifo() and (tmp_path / "null").is_symlink()


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="no such folder"), replacing(tmp_path / "none" / "a.txt"):
        pass


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_permissions_are_ordinary(tmp_path: Path) -> None:
    (tmp_path / "plain").touch()
    with replacing(tmp_path / "made"):
        pass
    modes = {stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "made")}
    assert len(modes) == 1


def test_the_umask_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is that of all threads: two that read it by changing it could leave it at 0."""
    monkeypatch.setattr(os, "umask", None)
    for text in ("new", "replaced"):
        write_file(tmp_path / "a", text)
    assert (tmp_path / "a").read_text() == "replaced"


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
@pytest.mark.parametrize("mode", [0o600, 0o640, 0o664, 0o444])
def test_a_replaced_file_keeps_its_permissions(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.touch()
    path.chmod(mode)
    groups = {os.getgid(), *os.getgroups()} if os.getuid() else {12345}
    group = max(groups)
    os.chown(path, -1, group)
    write_file(path, "after")
    assert path.read_text() == "after"
    assert (stat.S_IMODE(path.stat().st_mode), path.stat().st_gid) == (mode, group)


def test_a_file_system_without_permissions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", refuse)
    for text in ("new", "replaced"):
        write_file(tmp_path / "a", text)
        assert (tmp_path / "a").read_text() == text


def test_a_locked_file_cannot_be_locked_again(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    with open(tmp_path / "a", "w") as first, open(tmp_path / "a") as second:
        assert locked(first)
        assert not locked(second)
    with open(tmp_path / "a") as third:
        assert locked(third)


@pytest.mark.parametrize(("number", "expected"), [(None, True), (errno.EACCES, False), (errno.EINVAL, True)])
def test_on_windows_a_byte_beyond_the_end_is_locked(
    number: int | None, expected: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int, int]] = []

    def locking(descriptor: int, mode: int, n_bytes: int) -> None:
        asked.append((os.lseek(descriptor, 0, os.SEEK_CUR), mode, n_bytes))
        if number is not None:
            raise OSError(number, "as of the C library")

    monkeypatch.setitem(sys.modules, "fcntl", None)  # which can't be imported then
    monkeypatch.setitem(sys.modules, "msvcrt", SimpleNamespace(locking=locking, LK_NBLCK=2))
    with open(tmp_path / "a", "w+b") as file:
        file.write(b"before ")
        assert locked(file) == expected
        file.write(b"and after")
    assert asked == [(2**31 - 2, 2, 1)]
    assert (tmp_path / "a").read_bytes() == b"before and after"


def test_a_system_without_locks_locks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fcntl", "msvcrt"):
        monkeypatch.setitem(sys.modules, name, None)
    with open(tmp_path / "a", "w") as first, open(tmp_path / "a") as second:
        assert locked(first) and locked(second)


def test_a_block_waits_for_another(tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    entered = threading.Event()

    def enter() -> None:
        with exclusive(tmp_path / "lock"):
            entered.set()

    waiting = threading.Thread(target=enter)
    with exclusive(tmp_path / "lock"):
        waiting.start()
        assert not entered.wait(0.3)
    assert entered.wait(10)
    waiting.join()
    with pytest.raises(FileNotFoundError, match="no such folder"), exclusive(tmp_path / "none" / "lock"):
        pass
