"""From tars to a table, on a small set made here."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from benchmark.__main__ import COMMANDS, main
from benchmark.baselines.untrained import untrained_model
from benchmark.models.embedding import embed_set
from benchmark.models.extractors import Extractor, embed_with, extractor_of, from_model
from benchmark.models.loading import ModelName
from benchmark.probes.plan import plan
from benchmark.probes.probe import TaskResult, evaluate, run
from benchmark.probes.table import Row, csv_table, document_of, markdown_table, terminal_table, write

RATE = 16000

log_mel_statistics = extractor_of(ModelName.of("logmel")).embed


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with drum_strokes.tar: tones of three pitches as labels, 24 strokes by two microphones."""
    folder = tmp_path_factory.mktemp("audio")
    rng = np.random.default_rng(0)
    rows = ["file,label,split,stroke,microphone"]
    with tarfile.open(folder / "drum_strokes.tar", "w") as tar:

        def add(name: str, data: bytes) -> None:
            member = tarfile.TarInfo(f"drum_strokes/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))

        for stroke in range(24):
            label, split = ["low", "middle", "high"][stroke % 3], ["train", "train", "valid", "test"][stroke // 3 % 4]
            for microphone in range(2):
                n_samples = int(rng.integers(2000, 6000))
                tone = np.sin(np.arange(n_samples) * 2 * np.pi * 300 * 3 ** (stroke % 3) / RATE)
                stream = io.BytesIO()
                noisy = 0.3 * tone + 0.003 * rng.standard_normal(n_samples)
                soundfile.write(stream, noisy, RATE, format="WAV", subtype="PCM_16")
                name = f"{stroke}-{microphone}.wav"
                add(f"audio/{name}", stream.getvalue())
                rows.append(f"{name},{label},{split},{stroke},{microphone}")
        add("manifest.csv", "\n".join(rows).encode())
    return folder


def test_tones_are_told_apart(audio: Path, tmp_path: Path) -> None:
    for validation in (False, True):
        results = evaluate(log_mel_statistics, ["drum_strokes"], validation, audio, tmp_path)
        assert results["drum_strokes"].accuracies == [100.0]
        assert results["drum_strokes"].counts == [12]


def test_embeddings_without_content_are_at_chance(audio: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    results = evaluate(lambda clips: rng.standard_normal((len(clips), 64)), "drum_strokes", False, audio, tmp_path)
    assert results["drum_strokes"].accuracy < 85


def test_embeddings_are_in_the_order_of_the_rows(audio: Path, tmp_path: Path) -> None:
    labelled = plan("drum_strokes", audio, tmp_path).sets["drum_strokes"]
    rows = np.array([40, 3, 17, 8])
    lengths = embed_set(lambda clips: np.array([[len(clip)] for clip in clips]), labelled, rows, RATE)
    assert lengths[:, 0].tolist() == labelled.lengths[rows].tolist()


def test_embeddings_that_are_no_numbers_are_refused_with_model_set_and_file(audio: Path, tmp_path: Path) -> None:
    planned = plan("drum_strokes", audio, tmp_path)
    file = planned.sets["drum_strokes"].manifest["file"].iloc[7]
    there = planned.sets["drum_strokes"].clip(7)

    def embed(clips: list[np.ndarray]) -> np.ndarray:
        return np.array([[np.nan if np.array_equal(clip, there) else 1.0] for clip in clips])

    message = rf"^mine: expected finite embeddings, got NaN .* of 1 of \d+ clips of drum_strokes, such as '{file}'"
    with pytest.raises(ValueError, match=message):
        run(planned, Extractor("mine", "mine", RATE, embed, ""), tmp_path)
    assert not list(tmp_path.glob("embeddings/*.npy"))


def test_a_network_in_memory(audio: Path, tmp_path: Path) -> None:
    results = evaluate(embed_with(untrained_model(0, -8.0, 4.5)), "drum_strokes", True, audio, tmp_path, max_clips=36)
    assert results["drum_strokes"].accuracy > 50


def test_untrained_networks_differ_by_seed_and_leave_the_random_state_alone() -> None:
    state = torch.random.get_rng_state()
    one, same, other = (from_model(untrained_model(seed, -8.0, 4.5), "x").identity for seed in (0, 0, 1))
    assert one == same != other
    assert torch.equal(state, torch.random.get_rng_state())


def test_a_second_run_embeds_nothing(audio: Path, tmp_path: Path) -> None:
    planned = plan("drum_strokes", audio, tmp_path)
    calls = []

    def embed(clips: list[np.ndarray]) -> np.ndarray:
        calls.append(len(clips))
        return log_mel_statistics(clips)

    first = run(planned, Extractor("x", "one", RATE, embed, ""), tmp_path)
    n_calls = len(calls)
    second = run(planned, Extractor("x", "one", RATE, embed, ""), tmp_path)
    assert n_calls and len(calls) == n_calls
    assert first["drum_strokes"].accuracies == second["drum_strokes"].accuracies
    run(planned, Extractor("x", "another", RATE, embed, ""), tmp_path)
    assert len(calls) == 2 * n_calls


def test_nothing_half_written_stays_in_the_cache(audio: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(file: object, array: np.ndarray) -> None:
        raise KeyboardInterrupt

    planned = plan("drum_strokes", audio, tmp_path)
    monkeypatch.setattr(np, "save", fail)
    with pytest.raises(KeyboardInterrupt):
        run(planned, Extractor("x", "one", RATE, log_mel_statistics, ""), tmp_path)
    assert not list((tmp_path / "embeddings").iterdir())


def test_embeddings_of_the_wrong_shape_are_refused(audio: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected embeddings of shape \(48, n_features\), got \(48,\)"):
        evaluate(lambda clips: np.zeros(len(clips)), "drum_strokes", False, audio, tmp_path)


def test_mfcc_of_a_single_sample_are_finite() -> None:
    pytest.importorskip("librosa")
    extractor = extractor_of(ModelName.of("mfcc"))
    embeddings = extractor.embed([np.zeros(1, np.float32), np.ones(20000, np.float32) * 0.1])
    assert embeddings.shape == (2, 120)
    assert np.isfinite(embeddings).all()


def test_the_interval_has_its_coverage() -> None:
    # A fair coin tossed 400 times a fold, over two folds: 95 % of the intervals hold a half.
    rng = np.random.default_rng(0)
    covered = 0
    for seed in range(200):
        result = TaskResult("x", ["1", "2"], (rng.binomial(400, 0.5, 2) / 4).tolist(), [1.0, 1.0], [400, 400])
        low, high = result.interval(seed)
        covered += low <= 50 <= high
    assert 180 <= covered <= 199


def test_an_interval_of_nothing_but_right_or_wrong_clips_has_a_width() -> None:
    # Wilson's interval of n out of n has the lower limit n / (n + z²).
    right, wrong = (TaskResult("x", ["1", "2"], [share, share], [1.0, 1.0], [60, 40]) for share in (100.0, 0.0))
    assert right.interval() == pytest.approx((100 * 100 / 103.8415, 100.0), abs=1e-3)
    assert wrong.interval() == pytest.approx((0.0, 100 * 3.8415 / 103.8415), abs=1e-3)
    document = document_of([Row("poor", "", [{"esc50": wrong}])], {"parts": "test"})
    assert "| poor | **0.0 ± 1.8** | **0.0 ± 1.8** |" in markdown_table(document)


def rows() -> list[Row]:
    def result(*accuracies: float) -> TaskResult:
        names = [str(number) for number in range(len(accuracies))]
        return TaskResult("", names, list(accuracies), [10.0] * len(names), [100] * len(names))

    def row(name: str, *values: tuple[float, float]) -> Row:
        return Row(name, "", [{"esc50": result(a - 1, a + 1), "drum_strokes": result(b)} for a, b in values])

    return [row("good", (90.0, 70.0)), row("seeds", (60.0, 80.0), (64.0, 90.0))]


def test_a_table_says_what_was_measured() -> None:
    good, seeds = rows()
    assert (good.mean, seeds.mean) == (80.0, 73.5)
    assert seeds.task("esc50").accuracies == [61.0, 63.0]
    document = document_of([good, seeds], {"parts": "test"})
    markdown = markdown_table(document)
    header, _, first, second = markdown.splitlines()[:4]
    assert header == "| model | esc50 | drums | mean |"
    assert first.startswith("| good | **90.0 ± ") and "| 70.0 ± " in first and "| **80.0 ± " in first
    assert second.startswith("| seeds | 62.0 ± ") and "| **85.0 ± " in second
    assert "(test parts, mean over the folds" in markdown
    assert "Clips of one speaker or recording are resampled as if they were independent." in markdown
    assert "| good | 1.4 |" in markdown
    assert terminal_table(document).splitlines()[0].split() == ["model", "esc50", "drums", "mean"]
    lines = list(csv.DictReader(io.StringIO(csv_table([good, seeds]))))
    assert len(lines) == 9
    last = {"model": "seeds", "seed": "1", "task": "drum_strokes", "fold": "0", "accuracy": "90.0000", "clips": "100"}
    assert last.items() <= lines[-1].items()


def test_results_are_written_whole(tmp_path: Path) -> None:
    about = {"commit": "abc"}
    write(tmp_path / "r.json", rows(), about)
    written = json.loads((tmp_path / "r.json").read_text())
    assert written["about"] == about
    assert written["models"]["seeds"]["tasks"]["drum_strokes"]["seeds"] == [80.0, 90.0]
    with pytest.raises(ValueError, match="ends in .csv, .md, .json"):
        write(tmp_path / "r.txt", rows(), about)


def test_the_command(audio: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = [tmp_path / f"probe{suffix}" for suffix in (".csv", ".md", ".json")]
    options = [part for output in outputs for part in ("-o", str(output))]
    where = ["--audio", str(audio), "--cache", str(tmp_path / "cache"), "--tasks", "drum_strokes"]
    with pytest.raises(SystemExit) as stopped:
        main(["probe", "--models", "logmel", "--no-progress", *where, *options])
    assert not stopped.value.code
    assert capsys.readouterr().out.splitlines()[1].split()[:2] == ["logmel", "100.0"]
    written = json.loads(outputs[2].read_text())
    assert written["models"]["logmel"]["mean"] == 100.0
    assert set(written["about"]["audio"]) == {"drum_strokes"}
    assert str(tmp_path) not in outputs[2].read_text()
    assert outputs[1].read_text().startswith("| model | drums | mean |")


def test_every_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name in COMMANDS:
        with pytest.raises(SystemExit) as stopped:
            main([name, "--help"])
        assert not stopped.value.code
        assert f"python -m benchmark {name}" in capsys.readouterr().out
    with pytest.raises(SystemExit) as stopped:
        main(["no-such-command"])
    assert stopped.value.code == 2
    assert capsys.readouterr().err.startswith("error: No such command 'no-such-command'")


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([])
    output = capsys.readouterr()
    assert not stopped.value.code and not output.err
    assert output.out.startswith("Usage: python -m benchmark") and "\n  probe " in output.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--audio", "nowhere"], "benchmark fetch all"),
        # Names are looked at before sets.
        (["--audio", "nowhere", "--models", "spech"], "no model is called 'spech'"),
        (["--audio", "nowhere", "--models", "logmel,logmel"], "twice"),
        (["--audio", "nowhere", "--models", "gone.safetensors"], "no such checkpoint: gone.safetensors"),
        (["--audio", "nowhere", "--models", ","], "at least one model"),
        (["--tasks", "nope"], "got 'nope'"),
        (["--models", "no_such_model", "--tasks", "drum_strokes"], "no_such_model"),
        (["--models", "logmel,logmel", "--tasks", "drum_strokes"], "twice"),
        (["-o", "table.pdf"], "table.pdf"),
        (["-o", "no/such/folder/table.md"], "no such folder"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    audio: Path, tmp_path: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    given = arguments if "--audio" in arguments else [*arguments, "--audio", str(audio)]
    with pytest.raises(SystemExit) as stopped:
        main(["probe", "--no-progress", "--cache", str(tmp_path), *given])
    assert stopped.value.code == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.startswith("error: ") and error.count("\n") == 1
