from __future__ import annotations

import zipfile
from pathlib import Path

from tests.pretraining.corpora.samples import noise, wav
from tests.pretraining.corpora.sounds.below import errors_below, sounds_below


def test_sounds_in_zip_archives(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "0snd.pk3", "w") as archive:
        archive.writestr("sound/bang.wav", wav(noise(0.3)))
        archive.writestr("../../escape.wav", wav(noise(0.2)))
        archive.writestr("textures/wall.jpg", b"no sound")
    found = sounds_below(tmp_path)
    assert list(found) == ["0snd.pk3/../../escape.wav", "0snd.pk3/sound/bang.wav"]
    assert len(found["0snd.pk3/sound/bang.wav"].read(0.0, None)[0]) == 4800
    assert [path.name for path in tmp_path.iterdir()] == ["0snd.pk3"]


def test_damaged_or_newer_zip_archive_is_an_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("bang.wav", wav(noise(0.3)))
    content = bytearray((tmp_path / "a.zip").read_bytes())
    future = bytes(content).replace(b"PK\1\2\x3f\3\x3f", b"PK\1\2\x3f\3\xff")
    content[200:300] = bytes(100)
    (tmp_path / "a.zip").write_bytes(content)
    (tmp_path / "b.zip").write_bytes(future)
    assert [name for name, _ in errors_below(tmp_path)] == ["a.zip/bang.wav", "b.zip"]
