"""From labels to windows: which are cut, which classes they have, what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from unicodedata import normalize

import numpy as np
import pandas as pd
import pytest

from byola_hear.classification import examples as module
from byola_hear.classification import labelled
from byola_hear.classification.examples import from_audio, from_table
from byola_hear.classification.labelled import MAX_CLASSES, Labels
from byola_hear.models.model import ByolaModel
from tests.classification.sounds import RATE, beep, quiet, write, write_recordings


def table(*rows: tuple[Any, ...], **columns: Any) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["file", "start", "end", "label"]).assign(**columns)


def spans(made: module.Examples) -> list[tuple[str, float, float, tuple[str, ...]]]:
    names = [tuple(name for name, there in zip(made.classes, row, strict=True) if there) for row in made.truth]
    rows = zip(made.file, made.start.round(3).tolist(), made.end.round(3).tolist(), names, strict=True)
    return sorted(rows, key=lambda row: row[:3])


@pytest.fixture
def day(here: Path) -> str:
    """A recording of 20 s."""
    return str(write(here / "day.wav", beep(20.0)).relative_to(here))


def test_a_short_label_is_in_the_middle_of_its_window(day: str, model: ByolaModel) -> None:
    labels = Labels(table((day, 5.0, 6.0, "a"), (day, 0.0, 0.5, "a"), (day, 19.5, 20.0, "b")))
    made = from_audio(labels, model, 2.0)
    assert spans(made) == [(day, 0.0, 2.0, ("a",)), (day, 4.5, 6.5, ("a",)), (day, 18.0, 20.0, ("b",))]
    assert made.embeddings.shape == (3, model.scene_embedding_size)


def test_a_long_label_gives_several_windows(day: str, model: ByolaModel) -> None:
    made = from_audio(Labels(table((day, 5.0, 10.0, "a"), (day, 0.0, np.nan, "b"))), model, 2.0)
    a = [row[1:3] for row in spans(made) if "a" in row[3]]
    assert {(5.0, 7.0), (6.0, 8.0), (7.0, 9.0), (8.0, 10.0)} <= set(a)
    assert min(start for start, _ in a) == 4.0 and max(end for _, end in a) == 11.0
    b = {row[1:3] for row in spans(made) if "b" in row[3]}
    assert {(float(start), start + 2.0) for start in range(19)} <= b


def test_windows_have_all_the_labels_that_overlap(day: str, model: ByolaModel) -> None:
    made = from_audio(Labels(table((day, 5.0, 6.0, "a"), (day, 5.5, 6.3, "b"), (day, 6.4, 9.0, "c"))), model, 1.0)
    found = {row[1:3]: row[3] for row in spans(made)}
    assert found[5.0, 6.0] == ("a", "b")  # half of b
    assert found[5.4, 6.4] == ("a", "b")
    assert found[6.4, 7.4] == ("c",)


def test_a_day_with_many_labels_is_compared_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    begins = random.uniform(0, 2000, 600)
    names = random.choice(["owl", "fox", "wren"], 600)
    rows = pd.DataFrame({"file": "day.wav", "start": begins, "end": begins + random.uniform(0, 3, 600), "label": names})
    start = np.arange(0, 2000, 0.5)
    every = labelled.shared(start, start + 1, rows["start"].to_numpy(), rows["end"].to_numpy())
    compared = []

    def shared(*segments: np.ndarray) -> np.ndarray:
        compared.append(len(segments[0]) * len(segments[2]))
        return every_pair(*segments)

    every_pair = labelled.shared
    monkeypatch.setattr(labelled, "shared", shared)
    labels = Labels(rows)
    truth, negative, untouched = labels.truth("day.wav", start, start + 1)
    for name, found in zip(labels.classes, truth.T, strict=True):
        np.testing.assert_array_equal(found, every[:, names == name].any(1))
    touching = (start[:, None] < labels.end) & (start[:, None] + 1 > labels.start)
    np.testing.assert_array_equal(untouched, ~touching.any(1))
    assert not negative.any() and sum(compared) < 0.1 * len(start) * len(rows)


def test_negatives_are_no_class(day: str, model: ByolaModel) -> None:
    labels = Labels(table((day, 5.0, 6.0, "a"), (day, 8.0, 9.0, "Noise"), (day, 12.0, 13.0, "none")))
    made = from_audio(labels, model, 1.0)
    assert made.classes == ("a",)
    assert [row[3] for row in spans(made)] == [("a",), (), ()]


def test_unlabelled_windows_are_negatives_on_wish(day: str, model: ByolaModel, monkeypatch: pytest.MonkeyPatch) -> None:
    labels = Labels(table((day, 5.0, 7.0, "a")))
    made = from_audio(labels, model, 1.0, unlabelled=True)
    negative = [row[1:3] for row in spans(made) if not row[3]]
    assert all(end <= 5.0 or start >= 7.0 for start, end in negative)
    assert (0.0, 1.0) in negative and (19.0, 20.0) in negative and len(negative) > 20
    monkeypatch.setattr(module, "MAX_UNLABELLED", 6)
    thinned = [row[1:3] for row in spans(from_audio(labels, model, 1.0, unlabelled=True)) if not row[3]]
    assert len(thinned) <= 6 and set(thinned) <= set(negative)
    assert max(start for start, _ in thinned) > 12


def test_a_label_up_to_the_end_may_be_shorter_than_the_window(day: str, model: ByolaModel) -> None:
    labels = Labels(table((day, 5.0, 6.0, "a"), (day, 19.4, np.nan, "b")))
    assert spans(from_audio(labels, model, 2.0))[1:] == [(day, 18.0, 20.0, ("b",))]


def test_labels_without_a_length_are_points(day: str, model: ByolaModel) -> None:
    labels = Labels(table((day, 5.0, 5.0, "a"), (day, 0.0, 0.0, "a")))
    with pytest.raises(ValueError, match="the labels have no length to take the window's length from; give a window"):
        labels.window()
    assert [row[1:] for row in spans(from_audio(labels, model, 1.0))] == [(0.0, 1.0, ("a",)), (4.5, 5.5, ("a",))]


def test_a_window_longer_than_the_recording_is_the_recording(here: Path, model: ByolaModel) -> None:
    write(here / "short.wav", beep(1.5))
    made = from_audio(Labels(table(("short.wav", 0.2, 0.4, "a"), ("short.wav", 0.0, np.nan, "b"))), model, 30.0)
    assert {row[1:3] for row in spans(made)} == {(0.0, 1.5)}


def test_the_window_is_the_median_of_the_labels(day: str) -> None:
    rows = [(day, 0.0, 1.234), (day, 3.0, 4.0), (day, 5.0, 9.0)]
    assert Labels(table(*[(*row, "a") for row in rows])).window() == 1.2
    assert Labels(table((day, 0.0, np.nan, "a"), ("x.wav", 0.0, 0.1, "noise"))).window() == 20.0


def test_groups_hold_recordings_together() -> None:
    rows = [(f"{name}.wav", 0.0, 1.0, "a") for name in "aabcde"]
    plain = Labels(table(*rows)).group
    assert len(set(plain.values())) == 5
    grouped = Labels(table(*rows, site=["x", "y", "y", "z", "", ""]), "site").group
    assert grouped["a.wav"] == grouped["b.wav"]
    assert len(set(grouped.values())) == 4  # an empty cell is no group
    missing = Labels(table(*rows, site=["x", "y", "y", "z", None, np.nan]), "site").group
    assert missing == grouped


def test_paths_of_one_recording_are_one_recording(day: str, here: Path, model: ByolaModel) -> None:
    (here / "link.wav").symlink_to("day.wav")
    paths = (day, str(here / day), f"../{here.name}/{day}", "link.wav")
    labels = Labels(table(*[(path, 4.0 * place, 4.0 * place + 1, "a") for place, path in enumerate(paths)]))
    assert (list(labels.of_file), labels.group) == ([day], {day: 0})
    made = from_audio(labels, model, 1.0, unlabelled=True)
    assert set(made.file) == {day} and set(made.group) == {0}
    assert [row[1] for row in spans(made) if row[3]] == [0.0, 4.0, 8.0, 12.0]
    # What one file labels is no negative for the other.
    assert not {0.0, 4.0, 8.0, 12.0} & {row[1] for row in spans(made) if not row[3]}


def test_accents_as_letters_or_after_them_name_one_recording(here: Path, model: ByolaModel) -> None:
    import byola_hear

    one, other = (normalize(form, "Gänse.wav") for form in ("NFC", "NFD"))
    write(here / other, quiet(4.0))
    labels = Labels(table((other, 0.0, 1.0, "goose"), (one, 2.0, 3.0, "goose")))
    assert list(labels.of_file) == [other]
    embedded = byola_hear.embed([other], model, window=1.0)
    for name in (one, f"{here}/{one}", f"/elsewhere/{one}"):
        made = from_table(Labels(table((name, 0.0, 1.0, "goose"), (name, 2.0, 3.0, "goose"))), embedded)
        assert len(made) == 2 and not made.failures


def test_accents_as_letters_or_after_them_are_one_class() -> None:
    one, other = (normalize(form, "Gänse") for form in ("NFD", "NFC"))
    assert Labels(table(("a.wav", 0.0, 1.0, one), ("b.wav", 0.0, 1.0, f"{other} "))).classes == (one,)


def test_a_recording_that_fails_is_reported(day: str, here: Path, model: ByolaModel) -> None:
    (here / "broken.wav").write_bytes(b"RIFF....")
    labels = Labels(table((day, 1.0, 2.0, "a"), ("broken.wav", 1.0, 2.0, "a"), (day, 19.0, 25.0, "b")))
    made = from_audio(labels, model, 1.0)
    assert len(made) == 1
    assert set(made.failures) == {"broken.wav", day} and "ends at" in made.failures[day]
    with pytest.raises(ValueError, match=r"no window with a label could be embedded; the first: broken\.wav: "):
        from_audio(Labels(table(("broken.wav", 1.0, 2.0, "a"))), model, 1.0)


def test_a_table_gives_the_windows_that_have_labels(here: Path, model: ByolaModel) -> None:
    import byola_hear

    found = write_recordings(here)
    embedded = byola_hear.embed([here / f"{number}.wav" for number in range(3)], model, window=1.0)
    labels = Labels(found.assign(file=[str(here / name) for name in found["file"]]))
    made = from_table(labels, embedded)
    assert made.truth.any(1).all() and len(made) == len(found)
    assert made.window == 1.0
    both = from_table(labels, embedded, unlabelled=True)
    assert len(both) == len(embedded)
    embedded.iloc[3, 2] = np.nan
    with pytest.raises(ValueError, match="1 of 60 embeddings hold NaN or infinity, the first in row 3"):
        from_table(labels, embedded)
    embedded = embedded.dropna()
    assert len(from_table(Labels(found), embedded)) == len(found)  # of the same names
    other = Labels(pd.concat([found, table(("9.wav", 0.0, 1.0, "beep"))]))
    assert from_table(other, embedded).failures == {"9.wav": "not in the table"}
    with pytest.raises(
        ValueError, match=r"the table has none of the labelled recordings, such as x\.wav; it has .*0\.wav"
    ):
        from_table(Labels(table(("x.wav", 0.0, 1.0, "a"))), embedded)
    with pytest.raises(ValueError, match="no window with a label"):
        from_table(Labels(table(("0.wav", 500.0, 501.0, "a"))), embedded)


def test_the_window_of_a_table_is_that_which_it_was_made_with(here: Path, model: ByolaModel) -> None:
    import byola_hear

    files = [str(write(here / f"{number}.wav", beep(1.4, number))) for number in range(3)]
    embedded = byola_hear.embed(files, model, window=1.0)  # and 0.4 s of each at its end
    assert from_table(Labels(table(*[(file, 0.0, 1.4, "a") for file in files])), embedded).window == 1.0


def test_windows_are_embedded_with_the_sound_around_them(here: Path, model: ByolaModel) -> None:
    import byola_hear

    found = write_recordings(here, count=1)
    made = from_audio(Labels(found), model, 0.8)
    whole = byola_hear.embed("0.wav", model, window=0.8, hop=0.4)
    start = whole.index.get_level_values("start").to_numpy()
    same = [(row, int(abs(start - at).argmin())) for row, at in enumerate(made.start) if abs(start - at).min() < 1e-6]
    assert len(same) >= 4
    rows, places = map(list, zip(*same, strict=True))
    np.testing.assert_allclose(made.embeddings[rows], whole.to_numpy()[places], atol=1e-4)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([], "expected labels, got none"),
        ([("a.wav", 0.0, 1.0, " ")], r"1 of 1 labels have no text, the first in a\.wav"),
        ([("a.wav", 0.0, 1.0, "owl"), ("b.wav", 0.0, 1.0, None)], r"1 of 2 labels have no text, the first in b\.wav"),
        ([("a.wav", 3.0, 2.0, "owl")], r"a\.wav: expected a start and an end after it in seconds, got 3\.0 to 2\.0"),
        ([("a.wav", np.nan, 2.0, "owl")], r"a\.wav: expected a start and an end after it in seconds, got nan to 2\.0"),
        ([("a.wav", 0.0, 1.0, "NOISE")], "at least one class, got only negatives: NOISE"),
        (
            [("a.wav", 0.0, 1.0, f"{number:05}") for number in range(10_000)],
            f"expected at most {MAX_CLASSES} classes, got 10000, such as '00000' and '00001'; are these names",
        ),
        (
            [("a.wav", 1.0, 2.0, "owl"), ("a.wav", 0.0, 1.7, "noise")],
            r"a\.wav: the labels 'noise' \(0–1\.7 s\) and 'owl' \(1–2 s\) contradict each other; 'noise' means that no",
        ),
        (
            [("a.wav", 5.0, 6.0, "owl"), ("a.wav", 0.0, np.nan, "none")],
            r"'none' \(0 s to the end\) and 'owl' \(5–6 s\)",
        ),
    ],
)
def test_labels_that_can_not_be_learned_from_are_refused(rows: list[Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Labels(table(*rows))


def test_a_missing_group_is_named() -> None:
    with pytest.raises(ValueError, match="expected a column 'site' with groups, got file, start, end, label"):
        Labels(table(("a.wav", 0.0, 1.0, "a")), "site")
    with pytest.raises(ValueError, match="no label has a value in the column 'site'"):
        Labels(table(("a.wav", 0.0, 1.0, "a"), site=""), "site")


def test_neighbouring_labels_do_not_contradict_each_other() -> None:
    Labels(table(("a.wav", 1.0, 2.0, "owl"), ("a.wav", 1.9, 5.0, "noise"), ("b.wav", 1.0, 2.0, "noise")))


def test_the_sampling_rate_does_not_matter(here: Path, model: ByolaModel) -> None:
    import soundfile

    samples = beep(3.0)
    write(here / "a.wav", samples)
    soundfile.write(here / "b.wav", np.repeat(samples, 3), 3 * RATE)
    made = from_audio(Labels(table(("a.wav", 1.0, 2.0, "x"), ("b.wav", 1.0, 2.0, "x"))), model, 1.0)
    assert [row[1:3] for row in spans(made)] == [(1.0, 2.0)] * 2
