from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from byola_hear.pretraining.corpora.packages.deb import DebError, control_fields, unpack
from tests.pretraining.corpora.samples import COMPRESSIONS, ar_of, deb_of, tar_of

FILES = {"./usr/share/games/a/bang.wav": b"bang" * 5000, "./usr/share/games/a/readme": b"read me"}


@pytest.fixture(params=["dpkg-deb", "python"])
def opener(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The program that opens the outer layer of the package."""
    if request.param == "python":
        monkeypatch.setattr(shutil, "which", lambda name: None)
    elif shutil.which("dpkg-deb") is None:
        pytest.skip("dpkg-deb is not installed")
    return str(request.param)


def files_below(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_package_gives_its_files_and_its_version(opener: str, compression: str, tmp_path: Path) -> None:
    (tmp_path / "a.deb").write_bytes(deb_of("a", FILES, {"./usr/link": "/etc/passwd"}, compression=compression))
    assert control_fields(tmp_path / "a.deb")["Version"] == "1:2.0-3"
    assert unpack(tmp_path / "a.deb", tmp_path / "out") == 3
    found = files_below(tmp_path / "out")
    assert {f"./{name}": content for name, content in found.items() if "doc" not in name} == FILES
    assert not (tmp_path / "out" / "usr" / "link").is_symlink()


def test_only_wanted_files_are_unpacked(opener: str, tmp_path: Path) -> None:
    (tmp_path / "a.deb").write_bytes(deb_of("a", FILES))
    unpack(tmp_path / "a.deb", tmp_path / "out", lambda name: name.endswith(".wav"))
    assert list(files_below(tmp_path / "out")) == ["usr/share/games/a/bang.wav"]


@pytest.mark.parametrize("name", ["../evil", "./usr/../../evil", "/evil", "usr\\..\\evil"])
def test_member_that_leads_outside_is_refused(opener: str, name: str, tmp_path: Path) -> None:
    (tmp_path / "a.deb").write_bytes(deb_of("a", {**FILES, name: b"evil"}))
    with pytest.raises(DebError, match=r"evil.*outside"):
        unpack(tmp_path / "a.deb", tmp_path / "in" / "out")
    assert not list(tmp_path.rglob("evil"))
    assert not (tmp_path / "in" / "out").exists()


def test_file_behind_a_link_is_not_written_through_it(opener: str, tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    stream = tar_of({}, {"./usr": str(tmp_path / "target")})[:-1024] + tar_of({"./usr/evil": b"evil"})
    parts = {"debian-binary": b"2.0\n", "control.tar": tar_of({"./control": b"Version: 1\n"}), "data.tar": stream}
    (tmp_path / "a.deb").write_bytes(ar_of(parts))
    unpack(tmp_path / "a.deb", tmp_path / "out")
    assert not list((tmp_path / "target").iterdir())


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_truncated_package_is_an_error_and_leaves_nothing(opener: str, compression: str, tmp_path: Path) -> None:
    whole = deb_of("a", {"./usr/a.wav": bytes(range(256)) * 4000}, compression=compression)
    (tmp_path / "a.deb").write_bytes(whole[: len(whole) - len(whole) // 4])
    with pytest.raises(DebError, match=r"a\.deb"):
        unpack(tmp_path / "a.deb", tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("content", [b"", b"no package", b"!<arch>\n", ar_of({"other": b"x"})])
def test_file_that_is_not_a_package_is_named(opener: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.deb").write_bytes(content)
    with pytest.raises(DebError, match=r"a\.deb"):
        control_fields(tmp_path / "a.deb")


def test_interrupted_unpacking_starts_again(tmp_path: Path) -> None:
    (tmp_path / "a.deb").write_bytes(deb_of("a", FILES))
    (tmp_path / "out.partial").mkdir()
    (tmp_path / "out.partial" / "half").write_bytes(b"half")
    unpack(tmp_path / "a.deb", tmp_path / "out")
    assert "half" not in files_below(tmp_path / "out")


def test_unpacked_folder_is_kept(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "a.wav").write_bytes(b"there")
    assert unpack(tmp_path / "not-even-there.deb", tmp_path / "out") == 1


def test_compression_unknown_to_python_needs_dpkg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    (tmp_path / "a.deb").write_bytes(ar_of({"debian-binary": b"2.0\n", "data.tar.zst": b"x"}))
    with pytest.raises(DebError, match=r"\.zst.*dpkg-deb"):
        unpack(tmp_path / "a.deb", tmp_path / "out")
