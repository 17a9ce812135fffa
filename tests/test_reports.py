"""What people reported of audio loaders, feature extractors and annotation programs, tried on this package.

Each test repeats what a public report describes. ``docs/reports.md`` is the table of all, written by
``python -m tests.test_reports``.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pytest
import soundfile
import torch
from click.testing import CliRunner

import byola_hear
from byola_hear import AudioFileError, Clip, labels
from byola_hear.audio.reading import read_audio
from byola_hear.cli.info import command as info_command
from byola_hear.cli.info import described
from byola_hear.models.model import ByolaModel
from byola_hear.utils.markdown import markdown_table
from tests import broken_files
from tests.broken_files import RATE
from tests.odd_files import encoded, plain_mp3

PAGE = Path(__file__).parents[1] / "docs" / "reports.md"


class Report(NamedTuple):
    """A kind of report: where it is public, what happened there, and what happens here."""

    kind: str
    sources: tuple[str, ...]
    there: str
    here: str


REPORTS: list[Report] = []


def report(kind: str, sources: str, there: str, here: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Enter a test's report in the table."""

    def entered(test: Callable[..., None]) -> Callable[..., None]:
        REPORTS.append(Report(kind, tuple(sources.split()), there, here))
        return test

    return entered


def page() -> str:
    """The table, as a page of the documentation."""
    rows = [[each.kind, ", ".join(map(_link, each.sources)), each.there, each.here] for each in REPORTS]
    intro = (
        "# Public reports that were tried\n\n"
        "People who work with sound have reported these faults of other programs. Each was tried on this package,\n"
        "and a test in `tests/test_reports.py` repeats it. Faults of damaged and odd audio files have tests of their\n"
        "own, in `tests/odd_files.py` and `tests/audio`.\n\n"
    )
    return (
        intro
        + markdown_table(["about", "report", "what happened there", "what happens here"], rows, left=4).rstrip()
        + "\n"
    )


def _link(source: str) -> str:
    name, _, number = source.partition("#")
    return f"[{source}](https://github.com/{name}/issues/{number})"


def tone() -> np.ndarray:
    """1.5 s of sound, mono."""
    return broken_files.tone()[:, 0]


def sound(path: Path, samples: np.ndarray | None = None, rate: int = RATE, subtype: str = "PCM_16") -> Path:
    """Write a file."""
    soundfile.write(path, tone() if samples is None else samples, rate, subtype=subtype)
    return path


@pytest.fixture(scope="module")
def network() -> ByolaModel:
    """A network that is loaded once."""
    return byola_hear.load_model()


def row_of(file: Path, network: ByolaModel) -> np.ndarray:
    """A file's embedding."""
    return byola_hear.embed(file, network).to_numpy()[0]


def close(one: np.ndarray, other: np.ndarray, tolerance: float = 1e-5) -> bool:
    """Whether two embeddings are the same within a share of their norm."""
    return bool(np.linalg.norm(one - other) <= tolerance * np.linalg.norm(other))


# --- audio files ---------------------------------------------------------------------------------------------------


@report(
    "audio files",
    "pytorch/audio#3762",
    "A quarter of the samples of 24-bit files is missing.",
    "Files of 8, 16, 24 and 32 bits, mono and stereo, have all their samples.",
)
@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_every_width_of_samples_is_read_whole(subtype: str, tmp_path: Path) -> None:
    stereo = np.stack([tone(), tone()], axis=1)
    file = sound(tmp_path / "a.wav", stereo, RATE, subtype)
    samples = read_audio(file, RATE)
    assert len(samples) == len(stereo)
    np.testing.assert_allclose(samples, tone(), atol=2**-7 if subtype == "PCM_U8" else 2**-14)


@report(
    "audio files",
    "vllm-project/vllm-omni#7901 gudgud96/frechet-audio-distance#11",
    "The same sound in 16, 24 and 32 bits and in floating point gives different features.",
    "The embeddings are the same but for the rounding to 16 bits.",
)
def test_the_width_of_samples_does_not_change_the_embedding(tmp_path: Path, network: ByolaModel) -> None:
    rows = [row_of(sound(tmp_path / f"{each}.wav", subtype=each), network) for each in ("FLOAT", "PCM_24", "PCM_16")]
    assert close(rows[1], rows[0], 1e-3)
    assert close(rows[2], rows[0], 2e-2)


@report(
    "audio files",
    "libsndfile/libsndfile#99",
    "An almost silent file in floating point becomes loud noise.",
    "Samples keep their size, and nothing is normalised.",
)
def test_almost_silent_files_stay_so(tmp_path: Path) -> None:
    quiet = (1e-6 * np.random.default_rng(0).standard_normal(RATE)).astype(np.float32)
    np.testing.assert_array_equal(read_audio(sound(tmp_path / "a.wav", quiet, RATE, "FLOAT"), RATE), quiet)


@report(
    "audio files",
    "pytorch/audio#329 lhotse-speech/lhotse#886",
    "The header's number of samples of an MP3 is not the number that is read.",
    "`info` counts what is read, or marks its number as an estimate.",
)
@pytest.mark.parametrize("rate", [16000, 22050, 44100])
def test_info_counts_the_samples_of_an_mp3_that_are_read(rate: int, tmp_path: Path) -> None:
    samples = np.tile(tone(), 2)
    for name, content in (("whole", encoded("MP3", None, samples, rate)), ("plain", plain_mp3(samples, rate))):
        file = tmp_path / f"{name}.mp3"
        file.write_bytes(content)
        about = described(str(file), True)
        read = len(read_audio(file, rate)) / rate
        assert about["seconds"] == pytest.approx(read, abs=1e-3 if about["exact"] else 0.1)


@report(
    "audio files",
    "pytorch/audio#884",
    "An MP3 without a count of its frames is an error, “unknown length”.",
    "It is read to its end.",
)
def test_an_mp3_without_a_count_of_frames(tmp_path: Path) -> None:
    (tmp_path / "a.mp3").write_bytes(plain_mp3())
    assert len(read_audio(tmp_path / "a.mp3", RATE)) == pytest.approx(len(tone()), abs=3 * 1152)


@report(
    "audio files",
    "lhotse-speech/lhotse#913",
    "A WAV from a pipe, whose header says that its length is not known, has 2 147 483 647 samples.",
    "The samples in the file count.",
)
def test_a_wav_from_a_pipe(tmp_path: Path) -> None:
    content = bytearray(encoded("WAV"))
    content[4:8], content[40:44] = struct.pack("<I", 0x7FFFFFFF), struct.pack("<I", 0x7FFFFFFF)
    (tmp_path / "a.wav").write_bytes(content)
    assert len(read_audio(tmp_path / "a.wav", RATE)) == len(tone())
    assert described(str(tmp_path / "a.wav"), True)["samples"] == len(tone())


@report(
    "audio files",
    "librosa/librosa#749",
    "A stereo file with half a sample too many at its end is a reshape error.",
    "It is read but for the incomplete sample.",
)
def test_a_file_with_an_incomplete_last_sample(tmp_path: Path) -> None:
    content = bytearray(encoded("WAV", samples=np.stack([tone(), tone()], axis=1)))
    content += b"\1\0"
    content[4:8], content[40:44] = struct.pack("<I", len(content) - 8), struct.pack("<I", len(content) - 44)
    (tmp_path / "a.wav").write_bytes(content)
    assert len(read_audio(tmp_path / "a.wav", RATE)) == len(tone())


@report(
    "audio files",
    "librosa/librosa#129",
    "A file without samples is an error of NumPy.",
    "One line says that the file holds no samples.",
)
def test_a_file_without_samples(tmp_path: Path, network: ByolaModel) -> None:
    file = sound(tmp_path / "empty.wav", np.zeros(0))
    with pytest.raises(AudioFileError, match=r"empty\.wav: .*no samples"):
        byola_hear.embed(file, network)


@report(
    "audio files",
    "pytorch/audio#3810",
    "The error does not say which file it is about.",
    "Every error begins with the file.",
)
def test_errors_name_the_file(tmp_path: Path, network: ByolaModel) -> None:
    for name in ("text.wav", "text.mp3", "text.flac", "text.ogg"):
        (tmp_path / name).write_text("no sound")
        with pytest.raises(AudioFileError, match=f"{name}: "):
            byola_hear.embed(tmp_path / name, network)


# --- segments ------------------------------------------------------------------------------------------------------


@report(
    "segments",
    "librosa/librosa#115 librosa/librosa#191",
    "Segments are a sample short, or a frame of the decoder too long.",
    "A segment has the samples between its times, as in the whole file, in every format and at every place.",
)
@pytest.mark.parametrize(("form", "subtype"), [("WAV", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"), ("MP3", None)])
def test_segments_are_exact(form: str, subtype: str | None, tmp_path: Path) -> None:
    file = tmp_path / f"a.{form.lower()}"
    file.write_bytes(encoded(form, subtype, np.tile(tone(), 3)))
    whole = read_audio(file, RATE)
    for first, count in ((0, RATE), (1152, 1152), (1024, 4096), (4607, 1), (RATE, 3 * 1152 + 1)):
        part = read_audio(file, RATE, first / RATE, (first + count) / RATE)
        np.testing.assert_array_equal(part, whole[first : first + count])


@report(
    "segments",
    "librosa/librosa#373",
    "A segment that is longer than its file is shortened without a word.",
    "It is an error that names both ends; a segment without an end goes to the file's.",
)
def test_segments_beyond_the_end(tmp_path: Path, network: ByolaModel) -> None:
    file, seconds = sound(tmp_path / "a.wav"), len(tone()) / RATE
    index = byola_hear.embed([Clip(str(file), 0.5)], network).index
    assert index.get_level_values("end")[0] == pytest.approx(seconds)
    for segment in ((0.5, 99.0), (seconds + 1, seconds + 2)):
        with pytest.raises(AudioFileError, match="a.wav: the segment .* the file (ends )?at 1.5"):
            byola_hear.embed([Clip(str(file), *segment)], network)


@report(
    "segments",
    "librosa/librosa#996 librosa/librosa#995",
    "A time that is text is ignored.",
    "It is an error that says so.",
)
@pytest.mark.parametrize("wrong", ["4", None, float("nan"), -1.0, True])
def test_times_that_are_no_numbers(wrong: Any, tmp_path: Path) -> None:
    with pytest.raises((TypeError, ValueError)):
        Clip(str(sound(tmp_path / "a.wav")), wrong, 1.0)


@report(
    "segments",
    "joeweiss/birdnetlib#114",
    "A recording of whole windows ends in a window of no samples, and fails.",
    "Its windows are those that fit.",
)
@pytest.mark.parametrize("extra", [0, 1, -1])
def test_recordings_of_whole_windows(extra: int, tmp_path: Path, network: ByolaModel) -> None:
    file = sound(tmp_path / "a.wav", np.tile(tone(), 2)[: 2 * RATE + extra])
    table = byola_hear.embed(file, network, window=0.5)
    ends = table.index.get_level_values("end")
    assert len(table) == (5 if extra == 1 else 4)
    assert ends[-1] == pytest.approx((2 * RATE + extra) / RATE)
    assert np.isfinite(table.to_numpy()).all()


# --- embeddings ----------------------------------------------------------------------------------------------------


@report(
    "embeddings",
    "speechbrain/speechbrain#1374 speechbrain/speechbrain#945 s3prl/s3prl#415 ilaria-manco/muscall#5",
    "A clip's embedding changes with the batch that it is in and with its padding.",
    "It depends on the clip alone, to 1e-5.",
)
def test_embeddings_do_not_depend_on_the_batch(network: ByolaModel) -> None:
    clips = [torch.from_numpy(tone()[:length]) for length in (24000, 16000, 1)]
    together = network.scene_embeddings(clips)
    for clip, row in zip(clips, together, strict=True):
        assert close(network.scene_embeddings([clip])[0].numpy(), row.numpy())


@report(
    "embeddings",
    "LAION-AI/CLAP#166",
    "The same audio gives another embedding each time.",
    "Nothing is random: embeddings are equal bit for bit.",
)
def test_embeddings_are_the_same_each_time(network: ByolaModel) -> None:
    long = torch.from_numpy(np.tile(tone(), 20))
    assert torch.equal(network.scene_embeddings([long]), network.scene_embeddings([long]))


@report(
    "embeddings",
    "marl/openl3#13 MTG/essentia#1129 covarep/covarep#75 pyannote/pyannote-audio#824",
    "Silence gives NaN, or ends the program.",
    "Silence has a finite embedding, and so has a constant.",
)
@pytest.mark.parametrize("value", [0.0, 1.0, -1.0, 1e-30])
def test_silence_is_finite(value: float, network: ByolaModel) -> None:
    clip = torch.full((RATE,), value)
    assert network.scene_embeddings([clip]).isfinite().all()
    assert network.timestamp_embeddings([clip])[0][0].isfinite().all()


@report(
    "embeddings",
    "audeering/opensmile-python#30 google-research/perch#656 pyannote/pyannote-audio#1961 milvus-io/bootcamp#995",
    "Short clips give NaN, an error, or no row.",
    "One sample is enough for a row.",
)
@pytest.mark.parametrize("n_samples", [1, 2, 159, 161, 400])
def test_short_clips_have_a_row(n_samples: int, tmp_path: Path, network: ByolaModel) -> None:
    row = row_of(sound(tmp_path / "a.wav", tone()[:n_samples]), network)
    assert np.isfinite(row).all() and row.any()


@report(
    "embeddings",
    "pytorch/audio#4211 spotify/pedalboard#491 dscripka/openWakeWord#295",
    "Integers that were never scaled to [-1, 1] give wrong features without a word.",
    "They are refused, and the error says how to scale them.",
)
@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.float64])
def test_samples_that_were_never_scaled_are_refused(dtype: type, network: ByolaModel) -> None:
    with pytest.raises(ValueError, match=r"\[-1, 1\]|32768"):
        byola_hear.embed(np.round(tone() * 32767).astype(dtype), network, sample_rate=RATE)


@report(
    "embeddings",
    "Blaizzy/mlx-audio-swift#256",
    "A lossy decoder overshoots 1.0, a guess takes the samples for integers, and the features are far off.",
    "There is no guess: an overshoot is taken as it is.",
)
def test_an_overshoot_changes_no_scale(network: ByolaModel) -> None:
    loud = tone() / np.abs(tone()).max()
    rows = byola_hear.embed([0.9999 * loud, 1.0001 * loud], network, sample_rate=RATE).to_numpy()
    assert close(rows[0], rows[1], 1e-3)


# --- folders of files ----------------------------------------------------------------------------------------------


@report(
    "folders",
    "purpleturtle21/echo-list#2 OpenNeuroOrg/openneuro#2520 voicepaw/so-vits-svc-fork#112",
    "`._a.wav` and `.DS_Store`, which macOS writes next to files, are taken for audio.",
    "Hidden files and folders are left out.",
)
def test_hidden_files_are_no_audio(tmp_path: Path, network: ByolaModel) -> None:
    sound(tmp_path / "a.wav")
    (tmp_path / "._a.wav").write_bytes(b"\0\5\x16\7")
    (tmp_path / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (tmp_path / "__MACOSX").mkdir()
    (tmp_path / "__MACOSX" / "._b.wav").write_bytes(b"\0\5\x16\7")
    assert len(byola_hear.embed(tmp_path, network)) == 1


@report(
    "folders",
    "tonistiigi/audiosprite#79 earthspecies/alp-data#194 QutEcoacoustics/baw-server#541",
    "Files with square brackets in their names are not found, because brackets mean something in patterns.",
    "A path that exists is that file; only other paths are patterns.",
)
@pytest.mark.parametrize("name", ["XC753250[1]black-magpie.wav", "chunk-[ɑːb].wav", "what?.wav", "a*.wav", " a b .wav"])
def test_names_that_look_like_patterns(name: str, tmp_path: Path, network: ByolaModel) -> None:
    sound(tmp_path / "other.wav")
    file = sound(tmp_path / name)
    for given in (str(file), str(tmp_path)):
        files = byola_hear.embed(given, network).index.get_level_values("file")
        assert str(file) in files and len(files) == (1 if given == str(file) else 2)


@report(
    "folders",
    "huggingface/datasets#5608",
    "Most files of a folder are left out: `.MP3` in capitals, or names with a certain word.",
    "Endings in any case count, and names mean nothing.",
)
def test_endings_in_capitals_and_any_names(tmp_path: Path, network: ByolaModel) -> None:
    for name in ("train.WAV", "test.Flac", "val.oGG"):
        sound(tmp_path / "a.flac").rename(tmp_path / name) if name.lower().endswith("flac") else (
            tmp_path / name
        ).write_bytes(encoded(name[-3:].upper(), None if name.endswith("oGG") else "PCM_16"))
    assert len(byola_hear.embed(tmp_path, network)) == 3


# --- labels --------------------------------------------------------------------------------------------------------


def two_recordings(folder: Path) -> pd.DataFrame:
    """Labels in two recordings of 1.5 s."""
    files = [str(sound(folder / name)) for name in ("a.wav", "b.wav")]
    return pd.DataFrame(
        {
            "file": [files[0], files[1], files[1]],
            "start": [0.25, 0.5, 1.0],
            "end": [0.5, 0.75, 1.5],
            "label": list("xyx"),
        }
    )


@report(
    "labels",
    "birdnet-team/birdnet-live-app#229 maRce10/Rraven#3",
    "Raven tables of several recordings have times of each recording, not of the sequence, and wrong files.",
    "Times count from the first recording's beginning, `File Offset (s)` from that of each; reading gives them back.",
)
def test_raven_tables_of_several_recordings(tmp_path: Path) -> None:
    frame = two_recordings(tmp_path)
    labels.write(frame, tmp_path / "t.txt", "raven")
    table = pd.read_csv(tmp_path / "t.txt", sep="\t")
    assert table["Begin Time (s)"].tolist() == [0.25, 2.0, 2.5]
    assert table["File Offset (s)"].tolist() == [0.25, 0.5, 1.0]
    back = labels.read(tmp_path / "t.txt")
    assert back["start"].tolist() == [0.25, 0.5, 1.0]
    assert [Path(file).name for file in back["file"]] == ["a.wav", "b.wav", "b.wav"]


@report(
    "labels",
    "Mattk70/Chirpity-Electron#421",
    "A Raven table of one class of several recordings has wrong times; that of all classes is right.",
    "Times come from the recordings' lengths, not from the rows that are there.",
)
def test_raven_tables_of_one_class(tmp_path: Path) -> None:
    frame = two_recordings(tmp_path)
    labels.write(frame[frame["label"] == "x"], tmp_path / "t.txt", "raven")
    back = labels.read(tmp_path / "t.txt")
    assert back["start"].tolist() == [0.25, 1.0]


@report(
    "labels",
    "vskode/acodet#36",
    "A table whose first selection is number 0 is refused by Raven.",
    "Selections are numbered from 1.",
)
def test_selections_begin_with_one(tmp_path: Path) -> None:
    labels.write(two_recordings(tmp_path), tmp_path / "t.txt", "raven")
    assert pd.read_csv(tmp_path / "t.txt", sep="\t")["Selection"].tolist() == [1, 2, 3]


@report(
    "labels",
    "mp3splt/mp3splt#344",
    "888.009796 in an Audacity label track is read as 888.97.",
    "Times are read as numbers with all their zeros.",
)
def test_zeros_after_the_decimal_point(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    (tmp_path / "a.txt").write_text("0.009796\t0.941678\tLabel\n0.000001\t0.010000\tLabel\n")
    read = labels.read(tmp_path / "a.txt")
    assert sorted(read["start"]) == [1e-6, 0.009796]


@report(
    "labels",
    "audacity/audacity#12132",
    "A label may be a point in time, without a length.",
    "A point label is read, and where a segment is needed, one line says that it is none.",
)
def test_point_labels(tmp_path: Path, network: ByolaModel) -> None:
    sound(tmp_path / "a.wav")
    (tmp_path / "a.txt").write_text("0.500000\t0.500000\tpoint\n")
    try:
        read = labels.read(tmp_path / "a.txt")
    except ValueError as error:
        assert "0.5" in str(error)
    else:
        assert read[["start", "end"]].to_numpy().tolist() == [[0.5, 0.5]]


@report(
    "labels",
    "DrCoffey/DeepSqueak#48 lifewatch/pypam#24",
    "Raven tables with measurements, and a class in a column of another name, are not understood.",
    "Any columns may be there; `label_column` names the one with the class.",
)
def test_raven_tables_with_measurements(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    (tmp_path / "a.Table.1.selections.txt").write_text(
        "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tDelta Time (s)\t"
        "Avg Power Density (dB FS)\tCall Type\n2\tSpectrogram 1\t1\t0.25\t0.5\t1000\t2000\t0.25\t-63.1\ttrill\n"
    )
    read = labels.read(tmp_path / "a.Table.1.selections.txt", label_column="Call Type")
    assert read["label"].tolist() == ["trill"]


@report(
    "labels",
    "ropensci/phonfieldwork#13 vocalpy/crowsetta#84",
    "Raven writes each selection twice, once for the waveform and once for the spectrogram.",
    "Both rows are one label.",
)
def test_two_views_of_a_selection(tmp_path: Path) -> None:
    sound(tmp_path / "a.wav")
    row = "\t1\t0.25\t0.5\t1000\t2000\tcall\n"
    (tmp_path / "a.txt").write_text(
        "Selection\tView\tChannel\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tlabel\n"
        f"1\tWaveform 1{row}1\tSpectrogram 1{row}"
    )
    assert len(labels.read(tmp_path / "a.txt")) == 1


@report(
    "labels",
    "kitzeslab/opensoundscape#711",
    "The table of all labels does not say which recording each belongs to.",
    "Every row names its recording.",
)
def test_every_label_names_its_recording(tmp_path: Path) -> None:
    frame = two_recordings(tmp_path)
    labels.write(frame, f"{tmp_path}/out/", "audacity")
    back = labels.read(tmp_path / "out", recordings=tmp_path)
    assert sorted(Path(file).name for file in back["file"]) == ["a.wav", "b.wav", "b.wav"]


# --- the command line ----------------------------------------------------------------------------------------------


@report(
    "command line",
    "huggingface/datasets#5224",
    "A folder of thousands of files looks as if the program hung.",
    "`info` of a folder answers file by file, and damaged ones do not stop it.",
)
def test_a_damaged_file_does_not_stop_the_others(tmp_path: Path) -> None:
    for index in range(3):
        sound(tmp_path / f"{index}.wav")
    (tmp_path / "1.wav").write_bytes(b"RIFF")
    done = CliRunner().invoke(info_command, [str(tmp_path)], standalone_mode=False)
    assert done.return_value == 1
    assert "0.wav" in done.output and "2.wav" in done.output and "1.wav" in done.output


def test_the_page_lists_these_reports() -> None:
    """Write it again with ``python -m tests.test_reports``."""
    assert PAGE.read_text(encoding="utf-8") == page()


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
