from __future__ import annotations

import csv
import gzip
from pathlib import Path

from benchmark.reporting.cards import OVERLAP_PAGE, OVERLAP_TABLE
from benchmark.reporting.overlap import overlap_page, overlap_text
from byola_hear import list_models
from byola_hear.pretraining.corpora.catalogue.shared_clips import SHARED
from byola_hear.pretraining.corpora.evaluation.indexes import SETS

HEADER = "path,source,duration_s\n"
FIRE = "../corpora/nonspeech/minetest-data/games/minetest/mods/fire/sounds/fire_{}.ogg.flac,minetest-data=5,30.0\n"


def manifest(folder: Path, *rows: str) -> Path:
    path = folder / "both.csv.gz"
    path.write_bytes(gzip.compress((HEADER + "".join(rows)).encode()))
    return path


def test_shared_clips_of_a_training_set_are_counted(tmp_path: Path) -> None:
    table = tmp_path / "overlap.csv"
    table.write_text(
        f"corpus,freesound_id,{','.join(SETS)},left_out,credit\n"
        "minetest-data,4211,2,1,0,1,1,fire\nminetest-data,9,1,0,0,0,1,x\nopenttd-opensfx,19026,1,1,4,0,1,claxon\n"
    )
    text = overlap_text(manifest(tmp_path, FIRE.format("small"), FIRE.format("large")), table)
    assert "1 clips of the training set (0.5 minutes, from minetest-data)" in text
    assert "3 of the 2000 clips of ESC-50, 1 of the 51197 clips of FSD50K, 1 of the 18532" in text
    assert "at most 0.15 points of accuracy on ESC-50 and 0.8 on ESC-10" in text
    assert "is known to be in the training set" in overlap_text(manifest(tmp_path, FIRE.format("large")), table)
    assert overlap_text(tmp_path / "missing.csv.gz", table) == ""


def test_stored_table_agrees_with_the_catalogue() -> None:
    with open(OVERLAP_TABLE, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows
    for row in rows:
        assert int(row["freesound_id"]) in SHARED[row["corpus"]].clips
        assert row["left_out"] == "1"


def test_the_page_and_the_cards_say_the_same(repository: Path) -> None:
    page = overlap_page(OVERLAP_TABLE)
    assert page == OVERLAP_PAGE.read_text(encoding="utf-8"), "stale page: run `python -m benchmark cards`"
    lines = [line.removeprefix("- `").split("`: ", 1) for line in page.splitlines()]
    assert [name for name, _ in lines] == list_models()
    for name, text in lines:
        card = (repository / "weights" / f"byola-{name}.md").read_text(encoding="utf-8")
        assert f"**Overlap with evaluation sets.** {text}\n" in card
