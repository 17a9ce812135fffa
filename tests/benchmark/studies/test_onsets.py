"""Onsets along time: planted ones are found at the window that fits, at the error that was planted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import maximum_bipartite_matching

from benchmark.__main__ import run
from benchmark.baselines.untrained import untrained_model
from benchmark.comparison.page import load_section
from benchmark.probes.ridge import RidgeRegression
from benchmark.studies.findings import read_numbers
from benchmark.studies.onsets import command, grid
from benchmark.studies.onsets.grid import chosen_setting, lines_of
from benchmark.studies.onsets.matching import count_pairs, delays
from benchmark.studies.onsets.postprocessing import choose, score
from benchmark.studies.onsets.recordings import EventSet, Recording, Track, activity, event_set, tracks_of, windowed
from benchmark.studies.onsets.report import sentences, shown
from benchmark.tasks.task import Event, Item, Task
from byola_hear.models.checkpoint import save_checkpoint

HOP = 40.0
LABELS = ("high", "low")


def recording(rng: np.random.Generator, late_ms: float = 0.0, seconds: float = 10.0) -> tuple[Recording, Track]:
    """Ten seconds with events of either label on the grid of 40 ms, each but the first shorter than 0.5 s and as far
    apart, and frames that tell what is going on, amid noise. Events truly begin ``late_ms`` before their frames."""
    count = int(seconds * 1000 / HOP)
    values = 0.05 * rng.standard_normal((count, 4))
    events = []
    for column, label in enumerate(LABELS):
        start = int(rng.integers(10, 20))
        while start < count - 20:
            length = int(rng.integers(6, 12))
            values[start : start + length, column] += 1
            events.append(Event(label, start * HOP - late_ms, (start + length) * HOP - late_ms))
            start += length + int(rng.integers(15, 30))
    times = np.arange(count) * HOP
    return Recording(np.zeros(int(seconds * 16000), np.float32), tuple(events)), Track(values.astype(np.float16), times)


def planted(late_ms: float = 0.0) -> tuple[EventSet, dict[str, list[Track]]]:
    rng = np.random.default_rng(0)
    made = {split: [recording(rng, late_ms) for _ in range(4)] for split in ("train", "valid", "test")}
    splits = {split: [pair[0] for pair in pairs] for split, pairs in made.items()}
    return EventSet(LABELS, splits), {split: [pair[1] for pair in pairs] for split, pairs in made.items()}


def forgetful(width: int, compute: Any) -> Any:
    return compute()


def test_planted_onsets_are_found_with_the_window_that_fits() -> None:
    events, tracks = planted()
    numbers = lines_of(lambda: tracks, events, HOP, forgetful, widths=(1, 25), hops=(1, 10))
    test = numbers[numbers["split"] == "test"].set_index(["window_ms", "hop_ms"])
    assert test.loc[(40, 40), "f1_200"] == 1
    assert test.loc[(40, 40), "error_ms"] == 0
    assert test.loc[(1000, 40), "f1_200"] < 0.9
    assert test.loc[(40, 400), "f1_200"] < 0.9
    assert chosen_setting(numbers) == (40, 40)


def test_the_error_is_the_one_that_was_planted() -> None:
    events, tracks = planted(late_ms=30.0)
    numbers = lines_of(lambda: tracks, events, HOP, forgetful, widths=(1,), hops=(1,))
    assert numbers["error_ms"].tolist() == [30.0, 30.0]
    assert numbers["f1_50"].tolist() == [1.0, 1.0]


def test_uninformative_scores_find_few_onsets() -> None:
    events, tracks = planted()
    rng = np.random.default_rng(3)
    noise = [Track(rng.standard_normal((len(track.times_ms), 2)), track.times_ms) for track in tracks["valid"]]
    chosen = choose(noise, events.splits["valid"], LABELS, HOP)
    assert score(noise, events.splits["valid"], LABELS, HOP, chosen).f1[1] < 0.4


def test_a_finished_window_is_not_repeated() -> None:
    events, tracks = planted()
    kept: dict[int, Any] = {}

    def remembered(width: int, compute: Any) -> Any:
        if width not in kept:
            kept[width] = compute()
        return kept[width]

    first = lines_of(lambda: tracks, events, HOP, remembered, widths=(1, 3), hops=(1,))
    again = lines_of(lambda: 1 / 0, events, HOP, remembered, widths=(1, 3), hops=(1,))  # type: ignore[arg-type, return-value]
    assert first.equals(again)


def test_training_frames_are_evenly_chosen_over_all_recordings(monkeypatch: pytest.MonkeyPatch) -> None:
    events, tracks = planted()
    learnt: list[np.ndarray] = []

    class Spy(RidgeRegression):
        def __init__(self, features: torch.Tensor, targets: torch.Tensor) -> None:
            learnt.append(features.numpy())
            super().__init__(features, targets)

    monkeypatch.setattr(grid, "RidgeRegression", Spy)
    monkeypatch.setattr(grid, "MOST_FRAMES", 300)
    lines_of(lambda: tracks, events, HOP, forgetful, widths=(3,), hops=(1,))
    every = np.concatenate([windowed(track, 3) for track in tracks["train"]])
    np.testing.assert_array_equal(learnt[0], every[::4])


times = st.lists(st.integers(0, 60), max_size=12, unique=True).map(lambda each: np.sort(np.array(each, dtype=float)))


@given(times, times, st.integers(0, 12))
def test_the_largest_number_of_onsets_is_matched(reference: np.ndarray, found: np.ndarray, tolerance: int) -> None:
    late = delays(reference, found, tolerance)
    assert (np.abs(late) <= tolerance).all()
    assert len(late) == count_pairs(reference, found, tolerance)
    if len(reference) and len(found):
        near = csr_matrix(np.abs(reference[:, None] - found[None]) <= tolerance)
        assert len(late) == (maximum_bipartite_matching(near) >= 0).sum()
    else:
        assert not len(late)


def test_onsets_are_matched_with_the_nearest() -> None:
    # Taken from the left, both would be 150 ms early.
    assert delays(np.array([1000.0, 1150.0]), np.array([850.0, 1000.0, 1150.0]), 200.0).tolist() == [0, 0]
    # But two pairs are better than one that is exact.
    assert delays(np.array([1000.0, 1150.0]), np.array([850.0, 1000.0]), 200.0).tolist() == [-150, -150]


def test_the_f_measure_is_sed_evals() -> None:
    sed_eval = pytest.importorskip("sed_eval", reason="HEAR's tools are not installed")
    events, tracks = planted(late_ms=10.0)
    rng = np.random.default_rng(1)
    valid = [
        Track(track.values[:, :2].astype(float) + 1.0 * rng.standard_normal((len(track.times_ms), 2)), track.times_ms)
        for track in tracks["valid"]
    ]
    part = events.splits["valid"]
    chosen = choose(valid, part, LABELS, HOP)
    ours = score(valid, part, LABELS, HOP, chosen)
    metrics = sed_eval.sound_event.EventBasedMetrics(list(LABELS), t_collar=0.2, evaluate_offset=False)
    for recorded, track in zip(part, valid):
        truth = [
            {"event_label": e.label, "event_onset": e.start_ms / 1000, "event_offset": e.end_ms / 1000, "file": "a"}
            for e in recorded.events
        ]
        metrics.evaluate(truth, found_events(track, chosen))
    theirs = metrics.results_overall_metrics()["f_measure"]["f_measure"]
    assert 0.3 < theirs < 1
    assert ours.f1[0] == pytest.approx(theirs, abs=0.02)


def found_events(track: Track, chosen: Any) -> list[dict[str, Any]]:
    """What the postprocessing finds, the plain way."""
    from scipy.ndimage import median_filter

    width = round(chosen.median_ms / HOP)
    values = median_filter(track.values, size=(width, 1)) if width > 1 else track.values
    events = []
    for column, label in enumerate(LABELS):
        active = values[:, column] > chosen.thresholds[column]
        start = None
        for index, on in enumerate([*active, False]):
            if on and start is None:
                start = index
            elif not on and start is not None:
                if (index - start) * HOP >= chosen.shortest_ms:
                    onset, offset = track.times_ms[start] / 1000, start * HOP / 1000 + (index - start) * HOP / 1000
                    events.append({"event_label": label, "event_onset": onset, "event_offset": offset, "file": "a"})
                start = None
    return events


def test_windows_are_the_networks_own() -> None:
    model = untrained_model(0, -8.0, 4.5)
    rng = np.random.default_rng(0)
    sound = (0.1 * rng.standard_normal(30000)).astype(np.float32)
    events = EventSet(("a",), {split: [Recording(sound, ())] for split in ("train", "valid", "test")})
    track = tracks_of(model, events)["valid"][0]
    embeddings, moments = model.timestamp_embeddings(torch.from_numpy(sound)[None])
    np.testing.assert_allclose(track.times_ms, moments[0])
    # The last frame may be centred beyond the end; it still counts in the network's own windows.
    ours, theirs = windowed(track, 9)[:-4], embeddings[0].numpy()[:-4]
    np.testing.assert_allclose(ours, theirs, atol=5e-3 * np.abs(theirs).max())


def test_activity_is_from_onset_to_offset() -> None:
    recorded = Recording(np.zeros(16000, np.float32), (Event("low", 100, 200), Event("high", 150, 160)))
    active = activity(recorded, LABELS, np.arange(0, 300, 50.0))
    assert active.T.tolist() == [[0, 0, 0, 1, 0, 0], [0, 0, 1, 1, 0, 0]]


def items(folder: Path) -> list[Item]:
    """Bursts of a tone in soft noise."""
    made = []
    for split in ("train", "valid", "test"):
        for number in range(3):
            rng = np.random.default_rng([number, len(split)])
            samples = 1e-4 * rng.standard_normal(48000)
            start = 8000 + 3000 * number
            samples[start : start + 12000] += 0.3 * np.sin(np.arange(12000) / 5)
            event = Event("tone", start / 16, (start + 12000) / 16)
            made.append(Item(f"{split}{number}.wav", split, samples.astype(np.float32), (event,), f"{split}{number}"))
    return made


def test_a_split_without_recordings_is_named() -> None:
    with pytest.raises(ValueError, match="found none in test"):
        event_set([item for item in items(Path()) if item.split != "test"])


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    task = Task(
        "tones", "tones", "nonspeech", "", "event", "multilabel", ("train", "valid", "test"), 3.0, (), items, ()
    )
    monkeypatch.setattr(command, "task_of", lambda name: task)
    # The network's own window is tried wherever the others are.
    monkeypatch.setattr(command, "WIDTHS", (1,))
    monkeypatch.setattr(command, "HOPS", (1, 5))
    (tmp_path / "audio").mkdir()
    (tmp_path / "audio" / "x.tar").touch()
    save_checkpoint(tmp_path / "net.safetensors", untrained_model(0, -8.0, 4.5))
    arguments = ["--models", str(tmp_path / "net.safetensors"), "--tasks", "tones", "--audio", str(tmp_path / "audio")]
    arguments += ["--cache", str(tmp_path / "cache"), "-o", str(tmp_path / "out"), "--no-progress"]
    with pytest.raises(SystemExit) as stopped:
        run(command.time_command, arguments, "time")
    output = capsys.readouterr()
    assert not stopped.value.code, output.err
    numbers = read_numbers(tmp_path / "out", "time")
    assert set(numbers["window_ms"]) == {40, 360}
    assert numbers.query("split == 'valid'")["f1_200"].max() == 1
    # Test recordings are shown for the chosen setting and for the default alone.
    settings = set(zip(*(numbers.query("split == 'test'")[name] for name in ("window_ms", "hop_ms"))))
    assert settings == {chosen_setting(numbers), (360.0, 40.0)}
    assert shown(numbers, 360.0, 40.0).equals(numbers)
    assert any(block["kind"] == "figure" for block in load_section(tmp_path / "out" / "time.md").data()["blocks"])
    assert " ".join(sentences(numbers, (360.0, 40.0))) in output.out
    window, hop = chosen_setting(numbers)
    first = sentences(numbers, (window, hop))[0]
    assert f"a window of {window:g} ms every {hop:g} ms (the default) is best for onsets" in first and ";" not in first


@pytest.mark.parametrize(
    ("models", "tasks", "message"),
    [
        ("both", ",", "expected at least one event task, got ','"),
        ("both,mfcc", "voice_activity", "expected networks, whose windows can be chosen, got mfcc"),
        ("both,both", "voice_activity", "expected each model once, got both twice"),
    ],
)
def test_bad_options_are_refused(
    models: str, tasks: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.tar").touch()
    arguments = ["--models", models, "--tasks", tasks, "--audio", str(tmp_path), "--cache", str(tmp_path / "cache")]
    with pytest.raises(SystemExit) as stopped:
        run(command.time_command, [*arguments, "-o", str(tmp_path / "out")], "time")
    assert stopped.value.code == 2
    assert capsys.readouterr().err == f"error: {message}\n"
