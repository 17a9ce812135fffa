"""Labelled sets out of tars."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile

from benchmark.datasets.labelled_set import AUDIO_VARIABLE, audio_folder, load_set

CLIPS = {
    "b.wav": np.arange(100, dtype=np.int16),
    "a.wav": np.array([-32768, 32767], np.int16),
    "c.wav": np.array([5], np.int16),
}
MANIFEST = "file,label,split\nb.wav,NA,train\na.wav,01,valid\nc.wav,None,test\n"


def wav(samples: np.ndarray, rate: int = 16000) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format="WAV", subtype="PCM_16")
    return stream.getvalue()


def tar_of(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def members(manifest: str = MANIFEST, rate: int = 16000) -> dict[str, bytes]:
    clips = {f"toy/audio/{name}": wav(samples, rate) for name, samples in CLIPS.items()}
    return {**clips, "toy/manifest.csv": manifest.encode()}


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "cache"


def test_clips_come_in_the_manifests_order_with_labels_as_text(tmp_path: Path, cache: Path) -> None:
    labelled = load_set(tar_of(tmp_path / "toy.tar", members()), cache)
    assert labelled.manifest["label"].tolist() == ["NA", "01", "None"]
    assert labelled.lengths.tolist() == [100, 2, 1]
    for index, name in enumerate(["b.wav", "a.wav", "c.wav"]):
        clip = labelled.clip(index)
        assert clip.dtype == np.float32
        np.testing.assert_array_equal(clip * 32768, CLIPS[name])


def test_a_second_reading_comes_from_the_cache(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tar_of(tmp_path / "toy.tar", members())
    first = load_set(path, cache)
    monkeypatch.setattr("benchmark.datasets.labelled_set.decoded", lambda *_: pytest.fail("decoded again"))
    second = load_set(path, cache)
    np.testing.assert_array_equal(first.samples, second.samples)
    assert first.manifest.equals(second.manifest)


def test_a_full_disk_is_named(tmp_path: Path, cache: Path) -> None:
    resource = pytest.importorskip("resource")
    allowed, names = resource.getrlimit(resource.RLIMIT_FSIZE), [f"{number}.wav" for number in range(20)]
    clips = {f"toy/audio/{name}": wav(np.arange(10, dtype=np.int16)) for name in names}
    manifest = "\n".join(["file", *names]).encode()
    tar = tar_of(tmp_path / "toy.tar", {**clips, "toy/manifest.csv": manifest})
    # Room for each clip, which is a file while it is decoded, but not for the samples of all.
    resource.setrlimit(resource.RLIMIT_FSIZE, (250, allowed[1]))
    try:
        with pytest.raises(OSError) as caught:
            load_set(tar, cache)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, allowed)
    assert Path(caught.value.filename).parent == cache / "audio" and not list((cache / "audio").iterdir())
    assert len(load_set(tar, cache)) == 20


def test_another_content_is_another_set(tmp_path: Path, cache: Path) -> None:
    first = load_set(tar_of(tmp_path / "toy.tar", members()), cache)
    second = load_set(tar_of(tmp_path / "toy.tar", members(MANIFEST.replace("NA", "yes"))), cache)
    assert first.sha256 != second.sha256
    assert second.manifest["label"].iloc[0] == "yes"


def test_clips_are_resampled_to_what_a_model_wants(tmp_path: Path, cache: Path) -> None:
    labelled = load_set(tar_of(tmp_path / "toy.tar", members(rate=32000)), cache)
    assert labelled.sample_rate == 32000
    assert len(labelled.clip(0, 16000)) == 50
    assert all(len(labelled.clip(index, 16000)) >= 1 for index in range(3))


@pytest.mark.parametrize(
    "name", ["../evil.wav", "/etc/evil.wav", "toy/audio/../../evil.wav", "toy/audio/deep/x.wav", "toy/x", "other/y.wav"]
)
def test_a_member_outside_the_set_is_refused_and_nothing_is_written(tmp_path: Path, cache: Path, name: str) -> None:
    path = tar_of(tmp_path / "toy.tar", {**members(), name: b"x"})
    with pytest.raises(ValueError, match=r"expected only toy/manifest\.csv|refused the member") as caught:
        load_set(path, cache)
    assert repr(name) in str(caught.value)
    assert sorted(file.name for file in tmp_path.rglob("*") if file.is_file()) == ["toy.tar"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_are_refused(tmp_path: Path, cache: Path, kind: bytes) -> None:
    path = tar_of(tmp_path / "toy.tar", members())
    with tarfile.open(path, "a") as tar:
        member = tarfile.TarInfo("toy/audio/d.wav")
        member.type, member.linkname = kind, "/etc/passwd"
        tar.addfile(member)
    with pytest.raises(ValueError, match="toy/audio/d.wav"):
        load_set(path, cache)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"toy/manifest.csv": b"file,label\nz.wav,x\n"}, "lacks 1 file that the manifest names, such as 'z.wav'"),
        ({"toy/manifest.csv": b"file,label\na.wav,x\na.wav,y\n"}, "'a.wav' twice"),
        ({"toy/manifest.csv": b"name\na.wav\n"}, "a column 'file'"),
        (
            {"toy/manifest.csv": "file,label\na.wav,\xc4rger\n".encode("latin-1")},
            r"toy\.tar: .* UTF-8 text: 'utf-8' codec",
        ),
        ({"toy/manifest.csv": b""}, r"toy\.tar: .* comma-separated .*: No columns"),
        ({"toy/manifest.csv": b"file,label\na.wav,x,y,z\nb.wav,x\nc.wav,x,y,z,z\n"}, r"toy\.tar: .*Expected 4 fields"),
        ({"toy/audio/a.wav": b"no audio"}, "a.wav: could not be decoded"),
        ({"toy/audio/a.wav": wav(np.zeros(0, np.int16))}, "a.wav: could not be decoded"),
        ({"toy/audio/a.wav": wav(CLIPS["a.wav"], 8000)}, r"one sample rate, found \[8000, 16000\]"),
    ],
)
def test_faults_of_a_set_are_named(tmp_path: Path, cache: Path, change: dict[str, bytes], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load_set(tar_of(tmp_path / "toy.tar", {**members(), **change}), cache)
    assert not list(cache.rglob("samples.int16"))


def test_a_file_that_is_no_tar_is_refused(tmp_path: Path, cache: Path) -> None:
    (tmp_path / "toy.tar").write_bytes(b"no tar" * 200)
    with pytest.raises(ValueError, match="expected a tar"):
        load_set(tmp_path / "toy.tar", cache)


def test_a_missing_folder_says_how_to_get_the_sets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(AUDIO_VARIABLE, raising=False)
    with pytest.raises(FileNotFoundError, match=rf"got none; .*benchmark fetch all .*{AUDIO_VARIABLE}"):
        audio_folder()
    monkeypatch.setenv(AUDIO_VARIABLE, str(tmp_path))
    with pytest.raises(FileNotFoundError, match=f"no NAME.tar in {tmp_path}; .*benchmark fetch all"):
        audio_folder()
    with pytest.raises(FileNotFoundError, match="elsewhere"):
        audio_folder(tmp_path / "elsewhere")
    tar_of(tmp_path / "toy.tar", members())
    assert audio_folder() == tmp_path
