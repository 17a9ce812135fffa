"""``byola-hear embed``: what it writes and shows, and what it does about bad files."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from byola_hear import labels
from byola_hear.audio.reading import read_audio
from byola_hear.cli.main import main
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.transformer import TransformerConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.loading import load_checkpoint
from byola_hear.models.model import ByolaModel
from byola_hear.tables import read_table
from tests import forked
from tests.broken_files import broken_files
from tests.cli.result import Run

DATA = Path(__file__).parents[1] / "data"
CLIPS = sorted(str(path) for path in DATA.iterdir() if path.suffix != ".md")


def rows_of(path: Path) -> list[list[str]]:
    with open(path, newline="") as stream:
        return list(csv.reader(stream))


def expected_scene(models: Path, file: str, name: str = "both") -> np.ndarray:
    model = load_checkpoint(models / f"byola-{name}.safetensors")
    return model.scene_embeddings([torch.from_numpy(read_audio(file, 16000))])[0].numpy()


def test_a_preview_without_an_output(run: Run, models: Path) -> None:
    result = run("embed", DATA)
    assert (result.code, result.err) == (0, "")
    header, *lines, last = result.out.splitlines()
    assert header.split() == ["file", "start", "s", "end", "s", "rows", "e0", "e1", "e2", "e3", "norm"]
    assert len({len(line) for line in (header, *lines)}) == 1
    assert [line.split()[0] for line in lines] == CLIPS
    for file, line in zip(CLIPS, lines, strict=True):
        embedding = expected_scene(models, file)
        _, start, end, n_rows, *numbers = line.split()
        assert (start, n_rows) == ("0.00", "1")
        assert float(end) == pytest.approx(len(read_audio(file, 16000)) / 16000, abs=0.006)
        assert [float(n) for n in numbers] == pytest.approx([*embedding[:4], np.linalg.norm(embedding)], abs=6e-4)
    assert "both 1.5" in last


def test_a_preview_of_a_name_with_line_breaks(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a\n\rb.wav").symlink_to(Path(CLIPS[-1]).absolute())
    result = run("embed", tmp_path)
    header, line, _ = result.out.splitlines()
    assert result.code == 0 and line.startswith(f"{tmp_path}/a  b.wav  ") and len(line) == len(header)


def test_csv_of_clips(run: Run, models: Path, tmp_path: Path) -> None:
    result = run("embed", DATA, "-o", tmp_path / "t.csv", "--model", "speech")
    assert (result.code, result.err) == (0, "")
    assert re.fullmatch(
        rf"{tmp_path}/t.csv: 6 clips, 0:00:11, 6 rows of 26 dimensions, model speech 1.5; "
        r"0:00:11 of audio now, at \d+ × real time\n",
        result.out,
    )
    header, *rows = rows_of(tmp_path / "t.csv")
    assert header == ["file", "start", "end", *(f"e{index}" for index in range(26))]
    assert [row[0] for row in rows] == CLIPS
    for row in rows:
        assert [float(row[1]), float(row[2])] == [0, len(read_audio(row[0], 16000)) / 16000]
        actual = np.array(row[3:], dtype=np.float32)
        np.testing.assert_allclose(actual, expected_scene(models, row[0], "speech"), atol=1e-5)


def test_a_checkpoint_of_another_kind_of_encoder(run: Run, tmp_path: Path) -> None:
    """A transformer, by its path: clips, windows, and files longer than its context."""
    torch.manual_seed(0)
    encoder = TransformerConfig(width=16, n_layers=2, n_heads=2, context=20)
    config = ModelConfig("small", "0.1", FrontendConfig(), encoder, -8.0, 4.5, pooling="mean")
    model = ByolaModel(config).eval()
    save_checkpoint(tmp_path / "small.safetensors", model, torch.float32)
    for windows in ([], ["--window", "0.5"]):
        table = tmp_path / f"table{len(windows)}.csv"
        assert run("embed", CLIPS[0], "-o", table, "--model", tmp_path / "small.safetensors", *windows).code == 0
        embeddings = read_table(table).to_numpy()
        assert embeddings.shape[1] == encoder.feature_size == 32
    clip = torch.from_numpy(read_audio(CLIPS[0], 16000))
    assert len(embeddings) == -(-len(clip) // 8000)
    clips = read_table(tmp_path / "table0.csv").to_numpy()
    np.testing.assert_allclose(clips, model.scene_embeddings(clip[None]).numpy(), atol=1e-5)


def test_bad_files_do_not_stop_the_others(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    soundfile.write(tmp_path / "nan.wav", np.full(9, np.nan, np.float32), 16000, subtype="FLOAT")
    soundfile.write(tmp_path / "integers.wav", np.full(9, 3e4, np.float32), 16000, subtype="FLOAT")
    bad = [tmp_path / name for name in ("text.wav", "nan.wav", "integers.wav", "missing.wav")]
    result = run("embed", *bad, *CLIPS[:2], "-o", tmp_path / "t.csv")
    assert result.code == 1
    assert [row[0] for row in rows_of(tmp_path / "t.csv")[1:]] == CLIPS[:2]
    *lines, last = result.err.splitlines()
    assert len(lines) == 4 and all(line.startswith("error: ") for line in lines)
    assert last == f"4 clips could not be embedded, see {tmp_path}/t.csv.errors.csv"
    header, *rows = rows_of(tmp_path / "t.csv.errors.csv")
    assert header == ["file", "start", "end", "error"]
    reasons = {row[0]: row[3] for row in rows}
    for path in bad:
        assert sum(str(path) in line for line in lines) == 1
        assert f"error: {path}: {reasons[str(path)]}" in lines
    assert "where [-1, 1] is full scale" in reasons[str(bad[2])]
    result = run("embed", *bad, *CLIPS, "-o", tmp_path / "s.csv", "--strict")
    assert result.code == 1 and not (tmp_path / "s.csv").exists()
    assert "--strict" in result.err


def test_segments_can_be_joined_with_their_table(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the guide on collections does it: times of several forms, an empty end, paths from the table's folder."""
    (tmp_path / "recordings").mkdir()
    for name, clip in zip(("one", "two"), CLIPS[:2], strict=True):
        (tmp_path / f"recordings/{name}{Path(clip).suffix}").symlink_to(Path(clip).absolute())
    one, two = sorted(path.name for path in (tmp_path / "recordings").iterdir())
    segments = f"file,start,end,label\nrecordings/{one},0.5,1.5,bird\nrecordings/{two},0:00:01,,rain\n"
    (tmp_path / "events.csv").write_text(segments)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert run("embed", "--segments", "../events.csv", "-o", "events.npz").code == 0
    events = labels.read("../events.csv", missing="keep")
    table = read_table("events.npz").reset_index()
    joined = events.drop(columns="end").merge(table, on=["file", "start"])
    assert joined["label"].tolist() == ["bird", "rain"] and joined["end"].notna().all()


def test_a_folder_of_broken_files(run: Run, tmp_path: Path) -> None:
    cases = broken_files(tmp_path / "sounds")
    assert len(cases) >= 20
    names = tmp_path / "list.bin"
    names.write_bytes(b"\0".join(bytes(case.path) for case in cases))
    assert run("embed", "--list", names, "-o", tmp_path / "out.npz").code == 1
    table = read_table(tmp_path / "out.npz")
    with open(tmp_path / "out.npz.errors.csv", newline="", errors="surrogateescape") as stream:
        reasons = {row["file"]: row["error"] for row in csv.DictReader(stream)}
    embedded = set(table.index.get_level_values("file"))
    for case in cases:
        if case.error is None:
            assert str(case.path) in embedded, case.path
        else:
            assert case.error in reasons[str(case.path)], case.path
    assert len(embedded) + len(reasons) == len(cases)
    assert np.isfinite(table.to_numpy()).all()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_killed_and_started_again(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.fsync", lambda _: None)  # the machine keeps running
    (tmp_path / "in").mkdir()
    for index in range(20):
        file = Path(CLIPS[index % len(CLIPS)])
        (tmp_path / "in" / f"{index:02}{file.suffix}").symlink_to(file)
    (tmp_path / "in" / "bad.wav").write_text("no audio")
    arguments = ["embed", str(tmp_path / "in"), "--kind", "timestamp", "--hop", "0.1", "--save-every", "0", "-o"]
    assert run(*arguments, tmp_path / "undisturbed.npz").code == 1
    output, parts = tmp_path / "out.npz", tmp_path / "out.npz.parts"
    n_before = 0
    for _ in range(2):
        pid = forked.start(main, [*arguments, str(output)])
        give_up = time.monotonic() + 30
        while len(list(parts.glob("*.part"))) < n_before + 8 and time.monotonic() < give_up:
            time.sleep(0.001)
        os.kill(pid, signal.SIGKILL)
        assert forked.wait(pid) == -signal.SIGKILL
        n_before = len(list(parts.glob("*.part")))
    assert n_before >= 16 and not output.exists()
    assert run(*arguments, output).code == 1
    one, other = read_table(tmp_path / "undisturbed.npz"), read_table(output)
    assert one.index.equals(other.index) and one.index.get_level_values("file").nunique() == 20
    np.testing.assert_allclose(one, other, atol=1e-5, rtol=1e-5)
    assert not parts.exists()
    assert (tmp_path / "out.npz.errors.csv").read_text() == (tmp_path / "undisturbed.npz.errors.csv").read_text()


def test_when_every_file_fails_nothing_is_written(run: Run, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    result = run("embed", tmp_path / "text.wav", "-o", tmp_path / "t.csv")
    assert result.code == 1
    assert "no file could be embedded" in result.err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["t.csv.errors.csv", "text.wav"]
    assert run("embed", tmp_path / "missing.wav").code == 1
    (tmp_path / "folder").mkdir()
    result = run("embed", tmp_path / "folder")
    assert (result.code, result.err) == (1, f"error: {tmp_path / 'folder'}: no audio files in the folder\n")


def test_nothing_is_overwritten_without_the_option(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "t.csv"
    output.write_text("precious")
    result = run("embed", CLIPS[0], "-o", output)
    assert result.code == 2 and result.err.startswith(f"error: {output} exists; ") and result.err.count("\n") == 1
    assert output.read_text() == "precious"
    (tmp_path / "text.wav").write_text("no audio")
    assert run("embed", tmp_path / "text.wav", "-o", output, "--overwrite").code == 1
    assert output.read_text() == "precious"
    assert run("embed", CLIPS[0], "-o", output, "--overwrite").code == 0
    assert len(rows_of(output)) == 2
    assert not list(tmp_path.glob("*.parts"))


def test_a_table_is_updated(run: Run, tmp_path: Path) -> None:
    output = tmp_path / "t.parquet"
    assert run("embed", *CLIPS[:2], "-o", output).code == 0
    result = run("embed", *CLIPS, "-o", output, "--update")
    assert result.code == 0 and "6 clips" in result.out
    assert sorted(read_table(output).index.get_level_values("file")) == CLIPS
    assert "nothing was left to embed" in run("embed", *CLIPS, "-o", output, "--update").out
    result = run("embed", *CLIPS, "-o", output, "--update", "--model", "speech")
    assert result.code == 2 and "both 1.5" in result.err


def test_lists_segments_and_shares(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO("\n".join(CLIPS[:2]).encode())))
    assert run("embed", "-", "-o", tmp_path / "list.csv").code == 0
    assert [row[0] for row in rows_of(tmp_path / "list.csv")[1:]] == CLIPS[:2]
    (tmp_path / "s.csv").write_text(f"start,end,file\n0.25,0.75,{CLIPS[0]}\n1,,{CLIPS[0]}\n")
    assert run("embed", "--segments", tmp_path / "s.csv", "-o", tmp_path / "segments.csv").code == 0
    refused = run("embed", "--segments", tmp_path / "s.csv", "-o", tmp_path / "s.csv", "--overwrite")
    assert refused.code == 2 and "expected an output that is no input, got" in refused.err
    rows = rows_of(tmp_path / "segments.csv")[1:]
    assert [(row[0], float(row[1])) for row in rows] == [(CLIPS[0], 0.25), (CLIPS[0], 1.0)]
    shares = []
    for index in range(4):
        assert run("embed", DATA, "--shard", f"{index}/4", "-o", tmp_path / f"{index}.csv").code == 0
        shares += [row[0] for row in rows_of(tmp_path / f"{index}.csv")[1:]]
    assert sorted(shares) == CLIPS
    result = run("embed", CLIPS[0], "--shard", "1/2", "-o", tmp_path / "none.csv")
    assert (result.code, result.err) == (0, "nothing to embed in share 1/2\n")


def test_nothing_to_embed(run: Run, tmp_path: Path) -> None:
    (tmp_path / "list.txt").touch()
    assert run("embed", "--list", tmp_path / "list.txt") == (0, "", "nothing to embed\n")


def test_a_name_with_a_line_break(run: Run, tmp_path: Path) -> None:
    (tmp_path / "two\nlines.wav").write_text("no audio")
    result = run("embed", tmp_path / "two\nlines.wav", "-o", tmp_path / "t.csv")
    line = result.err.splitlines()[0]
    assert line.startswith(f"error: {tmp_path}/two lines.wav: not an audio file") and line.count("lines.wav") == 1


def test_progress_is_for_terminals(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert run("embed", DATA, "-o", tmp_path / "a.csv").err == ""
    assert run("embed", DATA, "-o", tmp_path / "c.csv", "--quiet") == (0, "", "")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    monkeypatch.setattr("tqdm.std.tqdm.monitor_interval", 0)
    shown = run("embed", DATA, "-o", tmp_path / "b.csv").err
    assert "/6" in shown and "file" in shown
