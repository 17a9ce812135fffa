from __future__ import annotations

import io
import shutil
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from byola_hear.pretraining.corpora.sounds import ffmpeg
from byola_hear.pretraining.corpora.sounds.find import find_sounds, sound_suffixes
from byola_hear.pretraining.corpora.sounds.sound import DecoderMissing, Sound, SoundError
from tests.pretraining.corpora.made_formats import doom_file, openttd_file, patch_file, queen_file, soundfont_file
from tests.pretraining.corpora.samples import noise, streamed_flac, wav

RAMP = np.arange(-128, 128, dtype=np.int16)
BYTES = (RAMP + 128).astype(np.uint8).tobytes()


def sounds_below(folder: Path) -> dict[str, Sound]:
    """All sounds; a file that can't be read fails the test."""

    def fail(name: str, reason: str) -> None:
        raise AssertionError(f"{name}: {reason}")

    return {sound.name: sound for sound in find_sounds(folder, fail)}


def errors_below(folder: Path) -> list[tuple[str, str]]:
    """What can't be read."""
    errors: list[tuple[str, str]] = []
    for sound in find_sounds(folder, lambda name, reason: errors.append((name, reason))):
        try:
            sound.read(0.0, None)
        except ValueError as error:
            errors.append((sound.name, str(error)))
    return errors


def test_every_format_that_libsndfile_reads_is_found(tmp_path: Path) -> None:
    samples = noise(0.5)
    for name, form in (("a.wav", "WAV"), ("b.ogg", "OGG"), ("c.FLAC", "FLAC"), ("d/e.aiff", "AIFF"), ("f.mp3", "MP3")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(wav(samples, form=form))
    (tmp_path / "notes.txt").write_text("no sound")
    (tmp_path / ".hidden.wav").write_text("no sound")
    (tmp_path / "link.wav").symlink_to(tmp_path / "a.wav")
    found = sounds_below(tmp_path)
    assert sorted(found) == ["a.wav", "b.ogg", "c.FLAC", "d/e.aiff", "f.mp3"]
    for sound in found.values():
        assert sound.duration_s() == pytest.approx(0.5, abs=0.08)
        read, rate = sound.read(0.0, None)
        assert read.shape == (round(sound.duration_s() * rate), 1)


@given(start=st.floats(0, 1.5), length=st.floats(0.01, 2))
def test_a_part_of_a_sound_is_that_part_of_the_whole(start: float, length: float, tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("parts")
    (folder / "a.wav").write_bytes(wav(noise(1.0)))
    (folder / "b.als").write_bytes(BYTES * 43)
    for sound in sounds_below(folder).values():
        whole, rate = sound.read(0.0, None)
        part, _ = sound.read(start, length)
        first = round(start * rate)
        assert np.array_equal(part, whole[first : first + round(length * rate)])


def test_sound_that_says_no_length_has_that_of_its_frames(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(streamed_flac(noise(0.5)))
    sound = sounds_below(tmp_path)["a.flac"]
    samples, rate = sound.read(0.0, None)
    assert len(samples) == 0.5 * rate and sound.duration_s() == 0.5


def test_the_voices_of_queen(tmp_path: Path) -> None:
    voices = {f"0{index}A1.SB": wav(noise(0.4, 22050, seed=index), 22050, "MP3") for index in range(3)}
    (tmp_path / "queen.1c").write_bytes(queen_file({**voices, "ROOM.PCX": b"no sound", "D9": b"short name"}))
    found = sounds_below(tmp_path)
    assert list(found) == [f"queen.1c/{name}" for name in voices]
    for name, content in voices.items():
        expected, _ = soundfile.read(io.BytesIO(content), dtype="float32")
        samples, rate = found[f"queen.1c/{name}"].read(0.0, None)
        assert rate == 22050
        assert np.allclose(samples[:, 0], expected, atol=1e-6)


def test_bytes_of_drascula_are_unsigned(tmp_path: Path) -> None:
    (tmp_path / "1.ALS").write_bytes(BYTES)
    samples, rate = sounds_below(tmp_path)["1.ALS"].read(0.0, None)
    assert rate == 11025
    assert np.array_equal(samples[:, 0], RAMP / np.float32(128))


def test_gsm_prompts(tmp_path: Path) -> None:
    time = np.arange(8000) / 8000
    tone = (0.5 * np.sin(2 * np.pi * 400 * time)).astype(np.float32)
    soundfile.write(tmp_path / "p.gsm", tone, 8000, format="RAW", subtype="GSM610")
    samples, rate = sounds_below(tmp_path)["p.gsm"].read(0.0, None)
    assert rate == 8000
    assert len(samples) == 8000
    assert np.corrcoef(samples[:, 0], tone)[0, 1] > 0.99


def test_openttd_effects(tmp_path: Path) -> None:
    effects = [wav(noise(0.1, seed=index), subtype="PCM_U8") for index in range(4)]
    (tmp_path / "opensfx.cat").write_bytes(openttd_file(effects))
    found = sounds_below(tmp_path)
    assert list(found) == [f"opensfx.cat/{index:03d}" for index in range(4)]
    assert np.array_equal(
        found["opensfx.cat/002"].read(0.0, None)[0][:, 0], soundfile.read(io.BytesIO(effects[2]), dtype="float32")[0]
    )


def test_doom_effects(tmp_path: Path) -> None:
    effects = {"DSPISTOL": (11025, BYTES * 2), "E1M1": (11025, BYTES), "DSDOOR": (22050, BYTES)}
    (tmp_path / "free.wad").write_bytes(doom_file(effects))
    found = sounds_below(tmp_path)
    assert list(found) == ["free.wad/DSPISTOL", "free.wad/DSDOOR"]
    samples, rate = found["free.wad/DSDOOR"].read(0.0, None)
    assert rate == 22050
    assert np.array_equal(samples[:, 0], RAMP / np.float32(128))


def test_patches_in_all_four_forms(tmp_path: Path) -> None:
    wide = (RAMP.astype("<i2") * 256).tobytes()
    unsigned = (RAMP.astype(np.int32) * 256 + 32768).astype("<u2").tobytes()
    narrow = RAMP.astype(np.int8).tobytes()
    recordings = [(44100, 1, wide), (22050, 3, unsigned), (11025, 0, narrow), (8000, 2, BYTES)]
    (tmp_path / "piano.pat").write_bytes(patch_file(recordings))
    found = list(sounds_below(tmp_path).values())
    assert [sound.read(0.0, None)[1] for sound in found] == [44100, 22050, 11025, 8000]
    for sound in found:
        assert np.array_equal(sound.read(0.0, None)[0][:, 0], RAMP / np.float32(128))


def test_soundfonts(tmp_path: Path) -> None:
    wide = (RAMP.astype("<i2") * 256).tobytes()
    (tmp_path / "a.sf2").write_bytes(soundfont_file([("Flute", 32000, wide), ("Viola C#4", 44100, wide * 2)]))
    found = sounds_below(tmp_path)
    assert list(found) == ["a.sf2/0000 Flute", "a.sf2/0001 Viola C#4"]
    samples, rate = found["a.sf2/0000 Flute"].read(0.0, None)
    assert rate == 32000
    assert np.array_equal(samples[:, 0], RAMP / np.float32(128))
    assert len(found["a.sf2/0001 Viola C#4"].read(0.0, None)[0]) == 512


def test_compressed_soundfonts(tmp_path: Path) -> None:
    vorbis = [wav(noise(0.2, 32000, seed), 32000, "OGG") for seed in (1, 2)]
    recordings = [("Flute", 0, vorbis[0]), ("Viola", 0, vorbis[1])]
    (tmp_path / "a.sf3").write_bytes(soundfont_file(recordings, compressed=True))
    samples, rate = sounds_below(tmp_path)["a.sf3/0001 Viola"].read(0.0, None)
    assert (len(samples), rate) == (6400, 32000)


def test_sounds_in_zip_archives(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "0snd.pk3", "w") as archive:
        archive.writestr("sound/bang.wav", wav(noise(0.3)))
        archive.writestr("../../escape.wav", wav(noise(0.2)))
        archive.writestr("textures/wall.jpg", b"no sound")
    found = sounds_below(tmp_path)
    assert list(found) == ["0snd.pk3/../../escape.wav", "0snd.pk3/sound/bang.wav"]
    assert len(found["0snd.pk3/sound/bang.wav"].read(0.0, None)[0]) == 4800
    assert [path.name for path in tmp_path.iterdir()] == ["0snd.pk3"]


def test_a_zip_archive_that_is_damaged_or_from_the_future_is_an_error(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("bang.wav", wav(noise(0.3)))
    content = bytearray((tmp_path / "a.zip").read_bytes())
    future = bytes(content).replace(b"PK\1\2\x3f\3\x3f", b"PK\1\2\x3f\3\xff")
    content[200:300] = bytes(100)
    (tmp_path / "a.zip").write_bytes(content)
    (tmp_path / "b.zip").write_bytes(future)
    assert [name for name, _ in errors_below(tmp_path)] == ["a.zip/bang.wav", "b.zip"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("queen.1c", b"nothing"),
        ("queen.1c", queen_file({"A.SB": b"12345"})[:30]),
        ("queen.1c", queen_file({"A.SB": b"12345"})[:-2]),
        ("queen.1c", queen_file({"A.SB": b"no mp3 at all"})),
        ("a.cat", b""),
        ("a.cat", b"\xff\xff\xff\x7f more"),
        ("a.wad", b"nothing that doom knows"),
        ("a.wad", doom_file({"DSA": (11025, BYTES)})[:-8]),
        ("a.pat", b"GF1PATCH"),
        ("a.pat", patch_file([(8000, 0, BYTES)])[:300]),
        ("a.sf2", b"RIFF"),
        ("a.sf2", soundfont_file([("A", 8000, BYTES)])[:40]),
        ("a.zip", b"PK nothing"),
        ("a.wav", b"nothing"),
        ("a.ogg", b""),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_a_broken_file_is_reported_by_name_and_the_others_are_found(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    (tmp_path / "z.wav").write_bytes(wav(noise(0.1)))
    names = [found.name for found in find_sounds(tmp_path, lambda name, reason: None)]
    assert "z.wav" in names
    errors = errors_below(tmp_path)
    assert errors
    assert all(where.startswith(name) and reason for where, reason in errors)


@given(cut=st.integers(0, 400), flip=st.integers(0, 399), by=st.integers(0, 255))
def test_damage_never_ends_in_anything_but_a_named_error(cut: int, flip: int, by: int, tmp_path_factory) -> None:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("damage")
    makers: dict[str, Callable[[], bytes]] = {
        "queen.1c": lambda: queen_file({"A.SB": bytes(300)}),
        "a.cat": lambda: openttd_file([wav(noise(0.01), subtype="PCM_U8")] * 2),
        "a.wad": lambda: doom_file({"DSA": (11025, BYTES)}),
        "a.pat": lambda: patch_file([(8000, 1, BYTES)]),
        "a.sf2": lambda: soundfont_file([("A", 8000, BYTES)]),
    }
    for name, make in makers.items():
        data = bytearray(make())
        if flip < len(data):
            data[flip] = by
        (folder / name).write_bytes(bytes(data[: len(data) - cut]))
    errors_below(folder)


def _encode_g722(path: Path, samples: np.ndarray) -> bool:
    """Whether this machine can make such a file."""
    try:
        import av
    except ImportError:
        return False
    with av.open(str(path), "w", format="g722") as container:
        stream = container.add_stream("g722", rate=16000, layout="mono")
        frame = av.AudioFrame.from_ndarray((samples * 32767).astype(np.int16)[np.newaxis], format="s16", layout="mono")
        frame.sample_rate = 16000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            container.mux(packet)
    return True


def test_g722_prompts_are_decoded_where_a_decoder_is(tmp_path: Path) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000)
    if not _encode_g722(tmp_path / "p.g722", tone):
        pytest.skip("PyAV is not installed")
    samples, rate = sounds_below(tmp_path)["p.g722"].read(0.0, None)
    assert (rate, samples.shape[1]) == (16000, 1)
    assert abs(len(samples) - 16000) < 400
    spectrum = np.abs(np.fft.rfft(samples[:16000, 0], 16000))
    assert spectrum.argmax() == 1000


def test_ffmpeg_the_program_is_asked_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    if shutil.which("sh") is None:
        pytest.skip("needs a shell")
    program = tmp_path / "ffmpeg"
    # An AU file: where the samples begin, length unknown, floating point, 8000 Hz, mono; one sample of 0.5.
    written = "".join(f"\\{byte:03o}" for byte in struct.pack(">4s5If", b".snd", 24, 0xFFFFFFFF, 6, 8000, 1, 0.5))
    program.write_text(
        f'#!/bin/sh\ncase "$*" in *"-f g722 -i "*good.g722*) printf \'{written}\';; *) echo no >&2; exit 1;; esac\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    for name in ("good.g722", "bad.g722"):
        (tmp_path / name).write_bytes(bytes(8))
    samples, rate = ffmpeg.decode(tmp_path / "good.g722")
    assert (samples.tolist(), rate) == ([[0.5]], 8000)
    with pytest.raises(SoundError, match=r"^bad\.g722: .*no"):
        ffmpeg.decode(tmp_path / "bad.g722")


def test_without_a_decoder_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    monkeypatch.setitem(__import__("sys").modules, "av", None)
    (tmp_path / "p.g722").write_bytes(bytes(800))
    with pytest.raises(DecoderMissing, match=r"p\.g722.*ffmpeg.*PyAV"):
        sounds_below(tmp_path)["p.g722"].read(0.0, None)


def test_the_endings_that_are_unpacked_cover_the_formats() -> None:
    expected = ".wav .ogg .opus .1c .als .g722 .gsm .sf2 .sf3 .pat .cat .wad .pk3 .wz"
    assert set(expected.split()) <= sound_suffixes()
