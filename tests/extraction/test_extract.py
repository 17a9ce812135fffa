"""From files to rows: the same as the model gives, with any batches, blocks, workers and windows."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from byola_hear.audio.reading import read_audio
from byola_hear.extraction import extract as module
from byola_hear.extraction.clips import Clip
from byola_hear.extraction.extract import extract, extract_waveforms
from byola_hear.extraction.request import request_for
from byola_hear.extraction.rows import Done, Event, Failed, Rows
from byola_hear.models.config import ModelConfig
from byola_hear.models.encoders.convolutional import EncoderConfig
from byola_hear.models.frontend import FrontendConfig
from byola_hear.models.model import ByolaModel
from byola_hear.utils.files import stamp_of

DATA = Path(__file__).parents[1] / "data"
FILES = sorted(str(path) for path in DATA.iterdir() if path.suffix != ".md")


@pytest.fixture(scope="module")
def model() -> ByolaModel:
    """A small network; its size is not what matters here."""
    torch.manual_seed(0)
    config = ModelConfig(
        "small", "1", FrontendConfig(n_mels=16), EncoderConfig(n_mels=16, channels=4, hidden_size=10), -7.0, 4.0
    )
    return ByolaModel(config).eval()


@pytest.fixture(scope="module")
def long_file(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Three and a half minutes of the real clips one after another."""
    samples = np.concatenate([read_audio(file, 16000) for file in FILES])
    path = tmp_path_factory.mktemp("long") / "long.flac"
    soundfile.write(path, np.tile(samples, 1 + 16000 * 210 // len(samples))[: 16000 * 210 + 77], 16000)
    return str(path)


def joined(events: list[Event], clip: Clip) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
    """A clip's starts, ends, times and embeddings."""
    rows = [event for event in events if isinstance(event, Rows) and event.clip == clip]
    times = [each.time for each in rows if each.time is not None]
    return (
        np.concatenate([each.start for each in rows]),
        np.concatenate([each.end for each in rows]),
        np.concatenate(times) if times else None,
        np.concatenate([each.embeddings for each in rows]),
    )


def test_scenes_are_those_of_the_model(model: ByolaModel, long_file: str) -> None:
    clips = [Clip(file) for file in (*FILES[:3], long_file, *FILES[3:])]
    events = list(extract(clips, model, request_for(model)))
    assert [event.clip for event in events if isinstance(event, Done)] == clips
    for clip in clips:
        samples = torch.from_numpy(read_audio(clip.file, 16000))
        start, end, times, embeddings = joined(events, clip)
        assert (start.tolist(), end.tolist(), times) == ([0.0], [len(samples) / 16000], None)
        np.testing.assert_allclose(embeddings, model.scene_embeddings(samples[None]).numpy(), atol=1e-5, rtol=1e-5)


def test_timestamps_are_those_of_the_model(model: ByolaModel, long_file: str) -> None:
    clips = [Clip(file) for file in (*FILES, long_file)]
    events = list(extract(clips, model, request_for(model, "timestamp")))
    for clip in clips:
        samples = torch.from_numpy(read_audio(clip.file, 16000))
        expected, milliseconds = model.timestamp_embeddings(samples[None])
        start, end, times, embeddings = joined(events, clip)
        assert times is not None
        np.testing.assert_allclose(times * 1000, milliseconds[0].numpy(), rtol=1e-6)
        np.testing.assert_allclose(embeddings, expected[0].numpy(), atol=1e-5, rtol=1e-5)
        half = model.config.window_frames * 0.04 / 2
        np.testing.assert_allclose(start, np.maximum(times - half, 0), atol=1e-9)
        np.testing.assert_allclose(end, np.minimum(times + half, len(samples) / 16000), atol=1e-9)


@pytest.mark.parametrize(
    ("kind", "window", "hop"),
    [("scene", 3.0, None), ("scene", 2.0, 0.5), ("timestamp", 1.0, 0.25), ("timestamp", None, 0.1)],
)
def test_a_streamed_clip_has_the_same_windows_as_a_whole_one(
    model: ByolaModel, long_file: str, kind: str, window: float | None, hop: float | None
) -> None:
    request = request_for(model, kind, window, hop)
    streamed = list(extract([Clip(long_file)], model, request))
    whole = list(extract_waveforms([(Clip("0"), torch.from_numpy(read_audio(long_file, 16000)))], model, request))
    for events in (streamed, whole):  # as they are complete, not all at the end
        assert len([event for event in events if isinstance(event, Rows)]) > 3
    for one, other in zip(joined(streamed, Clip(long_file)), joined(whole, Clip("0")), strict=True):
        if one is None or other is None:
            assert one is other
        else:
            np.testing.assert_allclose(one, other, atol=1e-5, rtol=1e-5)


def test_windows_as_long_as_the_hop_tile_a_clip(model: ByolaModel) -> None:
    events = list(extract([Clip(FILES[0])], model, request_for(model, "scene", window=0.4)))
    start, end, _, embeddings = joined(events, Clip(FILES[0]))
    n_samples = len(read_audio(FILES[0], 16000))
    assert start[0] == 0 and end[-1] == n_samples / 16000
    np.testing.assert_allclose(start[1:], end[:-1], atol=1e-9)
    assert len(embeddings) == -(-n_samples // 6400)


def test_the_default_timestamps_are_the_windows_of_the_default_hop(model: ByolaModel) -> None:
    own, given = (
        list(extract([Clip(FILES[1])], model, request_for(model, "timestamp", hop=hop))) for hop in (None, 0.04)
    )
    for one, other in zip(joined(own, Clip(FILES[1])), joined(given, Clip(FILES[1])), strict=True):
        assert one is not None and other is not None
        np.testing.assert_allclose(one, other, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("workers", "batch_seconds"), [(1, 0.5), (4, 5.0), (3, 1e4)])
def test_workers_and_batches_change_nothing(model: ByolaModel, workers: int, batch_seconds: float) -> None:
    clips = [Clip(file) for file in FILES * 3]
    clips = [Clip(clip.file, 0.001 * index, None) for index, clip in enumerate(clips)]
    request = request_for(model)
    plain = [event for event in extract(clips, model, request) if isinstance(event, Rows)]
    other = [e for e in extract(clips, model, request, workers, batch_seconds) if isinstance(e, Rows)]
    assert [event.clip for event in other] == clips
    for one, two in zip(plain, other, strict=True):
        np.testing.assert_allclose(one.embeddings, two.embeddings, atol=1e-5, rtol=1e-5)


def test_a_segment_is_embedded_like_its_samples(model: ByolaModel, long_file: str) -> None:
    clip = Clip(long_file, 61.2345, 63.5)
    events = list(extract([clip], model, request_for(model)))
    samples = torch.from_numpy(read_audio(long_file, 16000))[round(61.2345 * 16000) : round(63.5 * 16000)]
    start, end, _, embeddings = joined(events, clip)
    assert (start.tolist(), end.tolist()) == ([61.2345], [63.5])
    np.testing.assert_allclose(embeddings, model.scene_embeddings(samples[None]).numpy(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(("kind", "window"), [("scene", None), ("scene", 0.3), ("timestamp", None), ("timestamp", 0.3)])
def test_a_segment_keeps_its_times(model: ByolaModel, long_file: str, kind: str, window: float | None) -> None:
    rng = np.random.default_rng(0)
    starts = rng.uniform(0, 200, 40).round(3)
    clips = [
        Clip(long_file, start, (start + length).round(3)) for start, length in zip(starts, rng.uniform(0.3, 1, 40))
    ]
    # Times that fall between samples, and a segment that is streamed.
    clips += [Clip(long_file, start + 1e-5 / 3, start + 1.00001234567) for start in starts[:9]]
    clips += [Clip(long_file, 1.0000123, 65.123)]
    events = list(extract(clips, model, request_for(model, kind, window)))
    for clip in clips:
        start, end, times, _ = joined(events, clip)
        assert (start[0], end[-1]) == (clip.start, clip.end)
        assert (start >= clip.start).all() and (end <= clip.end).all() and (np.diff(end) >= 0).all()
        assert times is None or ((clip.start <= times) & (times <= clip.end)).all()


def test_a_segment_ends_with_its_file_at_the_latest(model: ByolaModel, long_file: str) -> None:
    seconds = (16000 * 210 + 77) / 16000
    clips = [Clip(long_file, 209.1234567, end) for end in (None, seconds + 0.04, seconds + 1e-6, seconds)]
    events = list(extract(clips, model, request_for(model)))
    ends = [joined(events, clip)[1].item() for clip in clips]
    # A microsecond is less than a sample: what was asked for is what the file has.
    assert ends == [seconds, seconds, seconds + 1e-6, seconds]


def test_no_row_of_a_clip_of_one_sample_starts_after_its_end(model: ByolaModel, tmp_path: Path) -> None:
    file = tmp_path / "short.wav"
    soundfile.write(file, np.full(1, 0.1), 16000)
    asked = request_for(model, "timestamp", window=0.01)
    (rows,) = (event for event in extract([Clip(str(file))], model, asked) if isinstance(event, Rows))
    assert rows.start.tolist() == rows.end.tolist() == [1 / 16000]


def test_a_bad_file_is_an_event_among_the_others(model: ByolaModel, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no audio")
    clips = [Clip(str(tmp_path / "none.wav")), Clip(FILES[0]), Clip(str(tmp_path / "text.wav")), Clip(FILES[1])]
    events = list(extract(clips, model, request_for(model)))
    assert [type(event) for event in events] == [Failed, Rows, Done, Failed, Rows, Done]
    assert [event.clip for event in events if not isinstance(event, Rows)] == clips
    reasons = [event.reason for event in events if isinstance(event, Failed)]
    assert "not an audio file" in reasons[1] and "\n" not in "".join(reasons)


def test_a_file_that_goes_bad_after_minutes_fails_as_a_whole(
    model: ByolaModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = np.zeros(16000 * 9, np.float32)
    samples[16000 * 8] = np.nan
    soundfile.write(tmp_path / "late.wav", samples, 16000, subtype="FLOAT")
    monkeypatch.setattr(module, "BLOCK_SECONDS", 1.0)
    monkeypatch.setattr(module, "WHOLE_SECONDS", 2.0)
    clips = [Clip(str(tmp_path / "late.wav")), Clip(FILES[0])]
    events = list(extract(clips, model, request_for(model, "timestamp")))
    ends = [event for event in events if not isinstance(event, Rows)]
    assert isinstance(ends[0], Failed) and "8.000 s" in ends[0].reason
    assert isinstance(ends[1], Done)


def test_the_stamp_is_that_of_before_the_file_was_read(
    model: ByolaModel, long_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BLOCK_SECONDS", 1.0)
    monkeypatch.setattr(module, "WHOLE_SECONDS", 2.0)
    clip = Clip(long_file, 0.0, 5.0)
    before = stamp_of(long_file)
    events = []
    for event in extract([clip], model, request_for(model, "timestamp")):
        os.utime(long_file)
        events.append(event)
    assert events[-1] == Done(clip, 5.0, before)


def test_other_threads_keep_their_number_of_cores(model: ByolaModel) -> None:
    """Those of a server that begin in the meantime, and those that begin later."""
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        with ThreadPoolExecutor(1) as fresh:
            events = extract([Clip(file) for file in FILES], model, request_for(model), batch_seconds=1.0)
            next(events)
            assert fresh.submit(torch.get_num_threads).result() == 2
            assert {type(event) for event in events} == {Rows, Done}
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_clips_are_taken_as_they_are_needed(model: ByolaModel) -> None:
    taken = 0

    def endless() -> object:
        nonlocal taken
        while True:
            taken += 1
            yield Clip(FILES[0])

    events = extract(endless(), model, request_for(model), batch_seconds=1)  # type: ignore[arg-type]
    for _ in range(6):
        next(events)
    events.close()  # type: ignore[attr-defined]
    assert taken < 20
