"""From a run's folder to the table: what is planted is found, what is missing is said."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

import byola_hear
from benchmark.__main__ import main
from benchmark.comparison.advantage import advantage, advantages
from benchmark.comparison.command import table_command, tables_of, write_comparison
from benchmark.comparison.comparison import FIRST_ROWS, OVERALL, compare
from benchmark.comparison.folder import load_run
from benchmark.comparison.long_table import LONG_COLUMNS
from benchmark.comparison.markdown import markdown_tables, short_markdown
from benchmark.comparison.published import LEADERBOARD, published
from benchmark.comparison.summary import summary
from benchmark.comparison.text import escaped
from benchmark.tasks.registry import SUITES

RunMaker = Callable[[], Any]


def document_of(folder: Path) -> dict[str, Any]:
    return summary(compare(load_run(folder)))


def test_a_planted_advantage_is_found(planted_run: Callable[..., Path]) -> None:
    comparison = compare(load_run(planted_run(0.08)))
    found = advantage(comparison, "speech", "nonspeech", "speech")
    assert found is not None and found.low is not None and found.high is not None
    assert found.low < 0.16 < found.high and found.value == pytest.approx(0.16, abs=0.04)
    assert found.inside == pytest.approx(0.08, abs=0.03) and found.outside == pytest.approx(-0.08, abs=0.03)
    assert found.p == found.least_p == pytest.approx(2 / math.comb(10, 5))
    assert sum(each.p_holm < 0.05 for each in found.differences) >= 5
    assert {each.test for each in found.differences} == {"McNemar"}
    against = advantage(comparison, "nonspeech", "untrained", "nonspeech")
    assert against is not None and against.value == pytest.approx(0.08, abs=0.03) and against.p < 0.05
    mirrored = advantage(comparison, "nonspeech", "speech", "nonspeech")
    assert mirrored is not None and mirrored.value == pytest.approx(found.value)


def test_no_advantage_is_found_without_one(planted_run: Callable[..., Path]) -> None:
    p_values, covered, holm = [], 0, []
    for seed in range(12):
        comparison = compare(load_run(planted_run(0.0, files=120, tasks=3, seed=seed)), resamples=200)
        found = advantage(comparison, "speech", "nonspeech", "speech")
        assert found is not None and found.low is not None and found.high is not None
        p_values.append(found.p)
        covered += found.low <= 0 <= found.high
        holm += [min(each.p_holm for each in found.differences)]
    assert covered >= 9 and np.mean(np.array(p_values) <= 0.05) <= 0.25 and 0.2 < np.mean(p_values) < 0.85
    assert np.mean(np.array(holm) < 0.05) <= 0.25


def test_rows_are_ordered_and_the_best_are_marked(planted_run: Callable[..., Path]) -> None:
    document = document_of(planted_run(0.05))
    assert [row["name"] for row in document["rows"]] == ["both", "speech", "nonspeech", "untrained", "mfcc"]
    assert document["groups"] == ["speech", "nonspeech"] and len(document["hear"]["tasks"]) == 10
    assert document["best"]["speech"] == ["speech"] and document["best"]["nonspeech"] == ["nonspeech"]
    values = {row["name"]: row["means"] for row in document["rows"]}
    for means in values.values():
        assert means[OVERALL]["value"] == pytest.approx((means["speech"]["value"] + means["nonspeech"]["value"]) / 2)
        assert means[OVERALL]["low"] < means[OVERALL]["value"] < means[OVERALL]["high"]
    folded = [column["name"] for column in document["columns"] if column["folds"] == 5]
    assert folded == ["speech0", "nonspeech0"]
    assert all(row["cells"]["speech0"]["spread"] > 0 for row in document["rows"])


def test_ties_within_rounding_are_all_bold(new_run: RunMaker) -> None:
    run = new_run()
    run.task("digits", "speech")
    for model, right in (("both", 6001), ("speech", 6003), ("mfcc", 5000)):
        run.outcome(model, "digits", np.arange(10000) < right)
    text = markdown_tables(document_of(run.write()))
    lines = {line.split("|")[1].strip(): line for line in text.splitlines() if line.startswith("|")}
    assert "**60.0 ± 1.0**" in lines["both"] and "**60.0 ± 1.0**" in lines["speech"] and "**50" not in lines["mfcc"]


def test_lower_is_better_for_an_error_rate(new_run: RunMaker) -> None:
    run = new_run()
    run.task("activity", "speech", "Voice activity")
    run.task("digits", "speech")
    for model, errors in (("both", 1), ("speech", 3), ("mfcc", 11)):
        counts = np.tile([errors, 10, 0], (40, 1)).astype(float)
        counts[::2, 0] += 1
        run.outcome(model, "activity", counts, metric="segment_1s_er")
        run.outcome(model, "digits", np.arange(40) < 20)
    document = document_of(run.write())
    rows = {row["name"]: row for row in document["rows"]}
    assert document["best"]["activity"] == ["both"]
    assert rows["both"]["cells"]["activity"]["score"] == pytest.approx(0.15)
    assert rows["mfcc"]["means"]["speech"]["value"] == pytest.approx((1 - 1.15 + 0.5) / 2)
    assert rows["both"]["hear"]["value"] > rows["speech"]["hear"]["value"] > rows["mfcc"]["hear"]["value"]
    text = markdown_tables(document)
    assert "Voice activity ↓" in text and "an error rate, lower is better" in text and "**15.0 ± " in text


def test_scores_without_counts_have_intervals_over_folds_or_none(new_run: RunMaker) -> None:
    run = new_run()
    run.task("tags", "nonspeech")
    run.task("distance", "nonspeech")
    nothing = np.full((50, 3), np.nan)
    for model, shift in (("both", 0.0), ("mfcc", -0.1)):
        right = np.ones(50)
        folded = np.array([[0.5], [0.6], [0.7], [0.6], [0.6]]) + shift
        run.outcome(model, "tags", right, folds=5, metrics=("mAP",), counts=nothing, scores=folded)
        run.outcome(model, "distance", right, metrics=("d_prime",), counts=nothing, scores=np.array([[2.5 + shift]]))
    document = document_of(run.write())
    cells = document["rows"][0]["cells"]
    assert cells["tags"]["interval"] == "folds" and cells["tags"]["low"] < 0.6 < cells["tags"]["high"]
    assert cells["distance"]["interval"] is None
    assert document["in_means"]["nonspeech"] == ["tags"]
    mean = document["rows"][0]["means"]["overall"]
    assert mean["value"] == pytest.approx(0.6) and mean["low"] is None
    assert set(document["hear"]["tasks"]) == {"tags", "distance"}
    assert document["rows"][0]["hear"]["value"] == pytest.approx(1.0)
    text = markdown_tables(document)
    assert "ᶠ" in text and "**2.50**" in text and "distance: not on a scale from 0 to 1" in text


def test_missing_scores_have_reasons_and_no_numbers(new_run: RunMaker) -> None:
    run = new_run()
    for name in ("digits", "notes", "stale"):
        run.task(name, "speech" if name == "digits" else "nonspeech")
    right = np.arange(60) % 3 > 0
    for model in ("both", "speech"):
        for task in ("digits", "notes", "stale"):
            run.outcome(model, task, right)
    run.outcome("mfcc", "digits", right[:30])
    run.outcome("mfcc", "notes", right, scores=np.array([[np.nan]]))
    run.outcome("mfcc", "stale", right, task_sha256="another")
    run.model("vggish", missing="needs weights: get them | there")
    run.model("yamnet", missing="needs the package ai-edge-litert")
    run.outcome("yamnet", "digits", right)
    run.model("crepe")
    run.cells.append({"model": "crepe", "task": "digits", "status": "failed", "note": "out of memory"})
    run.cells.append({"model": "both", "task": "gone", "status": "unavailable", "note": "no such archive"})
    document = document_of(run.write())
    rows = {row["name"]: row for row in document["rows"]}
    assert [row["name"] for row in document["rows"]][:2] == ["both", "speech"]
    assert rows["mfcc"]["status"] == "failed" and not rows["mfcc"]["cells"]
    assert "other files" in rows["mfcc"]["missing"]["digits"] and "not a number" in rows["mfcc"]["missing"]["notes"]
    assert "another version of the task" in rows["mfcc"]["missing"]["stale"]
    assert (rows["vggish"]["status"], rows["crepe"]["status"]) == ("unavailable", "failed")
    assert document["notes"] == ["gone: no column, because the task is not available: no such archive"]
    assert rows["yamnet"]["status"] == "ok" and "digits" in rows["yamnet"]["cells"]
    assert document["hear"]["rows"] == ["both", "speech"]
    text = markdown_tables(document)
    assert "| vggish | – | – |" in text and "- vggish: not measured: needs weights: get them \\| there" in text
    assert "- crepe: failed: out of memory" in text


def test_counts_that_do_not_give_the_score_are_not_used(new_run: RunMaker) -> None:
    run = new_run()
    run.task("digits", "speech")
    run.outcome("both", "digits", np.arange(50) % 2, scores=np.array([[0.9]]))
    document = document_of(run.write())
    assert document["rows"][0]["cells"]["digits"]["low"] is None
    assert "do not give its score" in document["notes"][0]


def test_order_of_files_does_not_matter(new_run: RunMaker) -> None:
    run = new_run()
    run.task("digits", "speech")
    right = np.arange(50) % 3 > 0
    backwards = np.arange(50)[::-1]
    run.outcome("both", "digits", right)
    same = {"files": np.array([f"{index:05}.wav" for index in backwards]), "fold_of": np.zeros(50, int)}
    run.outcome("speech", "digits", right[backwards], target=backwards % 2, **same)
    comparison = compare(load_run(run.write()))
    one, other = (comparison.rows[place].cells["digits"] for place in (0, 1))
    np.testing.assert_array_equal(one.draws, other.draws)


def test_published_scores_are_shown_for_hears_own_tasks_only(new_run: RunMaker) -> None:
    assert published(["esc50", "speech_commands"]) == []
    rows = {row["name"]: row for row in published(["esc50-v2.0.0-full", "esc50", "fsd50k-v1.0-full"])}
    assert len(rows) == 34
    with LEADERBOARD.open(newline="") as stream:
        expected = {row["Model"]: row for row in csv.DictReader(stream)}
    assert rows["wav2vec2"]["scores"] == {
        "esc50-v2.0.0-full": float(expected["wav2vec2"]["ESC-50"]),
        "fsd50k-v1.0-full": float(expected["wav2vec2"]["FSD50K"]),
    }
    assert published(["beehive_states_fold0-v2-full"]) == []
    run = new_run()
    run.task("esc50-v2.0.0-full", "nonspeech", "ESC-50")
    run.outcome("both", "esc50-v2.0.0-full", np.arange(50) % 2)
    document = document_of(run.write())
    assert "both" not in {row["name"] for row in document["published"]["rows"]}
    assert len(document["rows"]) == 1 and document["best"]["esc50-v2.0.0-full"] == ["both"]
    assert "Published scores, not measured here" in markdown_tables(document)
    origins = {line["origin"] for line in csv.DictReader(io.StringIO(tables_of(document)["table.csv"].decode()))}
    assert origins == {"measured", "published"}


def test_files_agree_with_each_other(planted_run: Callable[..., Path], tmp_path: Path) -> None:
    folder = planted_run(0.05, tasks=2, files=150)
    before = set(folder.iterdir())
    written = write_comparison(folder, maps=False)
    assert set(folder.iterdir()) - before == set(written)
    lines = list(csv.DictReader((folder / "table.csv").open(encoding="utf-8")))
    table = pq.read_table(folder / "table.parquet")
    assert table.column_names == list(LONG_COLUMNS) == list(lines[0]) and table.num_rows == len(lines)
    assert json.loads(table.schema.metadata[b"about"])["about"]["provenance"]["commit"] == "abc"
    for line, score in zip(lines, table["score"].to_pylist()):
        assert float(line["score"]) == pytest.approx(score, rel=1e-6)
    found = list(csv.DictReader((folder / "advantage.csv").open(encoding="utf-8")))
    expected = advantages(compare(load_run(folder)))
    total = next(line for line in found if line["scope"] == "advantage" and line["reference"] == "nonspeech")
    assert float(total["difference"]) == pytest.approx(expected[0].value, rel=1e-6)
    assert len(found) == len(expected) * (4 + 3)
    again = {path.name: path.read_bytes() for path in written}
    write_comparison(folder, maps=False)
    assert {path.name: path.read_bytes() for path in written} == again


def test_results_are_kept_under_the_suites_name(planted_run: Callable[..., Path], tmp_path: Path) -> None:
    folder = planted_run(0.05, tasks=1, files=60)
    kept = tmp_path / "kept"
    kept.mkdir()
    done = CliRunner().invoke(table_command, [str(folder), "--no-maps", "--no-progress", "--keep", str(kept)])
    assert done.exit_code == 0 and "mean of all" in done.output
    assert sorted(path.name for path in kept.iterdir()) == ["tasks.csv", "tasks.json", "tasks.md", "tasks_short.md"]
    assert (kept / "tasks.md").read_bytes() == (folder / "table.md").read_bytes()


def test_the_short_table_has_the_networks_the_best_others_and_one_finding(planted_run: Callable[..., Path]) -> None:
    document = summary(compare(load_run(planted_run(0.05, tasks=2, files=150))))
    template = next(row for row in document["rows"] if row["name"] not in FIRST_ROWS or row["name"] == "untrained")
    for name, value in (("bad", 0.1), ("good", 0.9), ("fair", 0.5)):
        means = {key: {**mean, "value": value} for key, mean in template["means"].items()}
        document["rows"].append({**template, "name": name, "means": means})
    document["rows"].append({**template, "name": "absent", "means": {}})
    finding, _, *lines = short_markdown(document, "full.md").splitlines()
    rows = [line.split("|")[1].strip(" `") for line in lines if line.startswith("| `")]
    networks = [row["name"] for row in document["rows"] if row["name"] in FIRST_ROWS]
    assert rows == [*networks, "good", "fair"]
    assert lines[-1].endswith("full.md.")
    first = document["advantages"][0]
    assert f"`{first['network']}` is {abs(100 * first['inside']):.1f} points" in finding
    assert ("includes 0" in finding) == (first["low"] <= 0 <= first["high"])


def test_a_short_table_without_networks_has_no_finding(planted_run: Callable[..., Path]) -> None:
    document = summary(compare(load_run(planted_run(0.05, tasks=1, files=60))))
    assert short_markdown({**document, "advantages": []}, "full.md").startswith("| trained on, or model |")


def test_committed_results_are_of_the_networks_that_are_shipped(repository: Path) -> None:
    """Networks that were trained anew make numbers of before stale, however well they agree with each other."""
    kept = [repository / "benchmark" / "results" / f"{suite}.json" for suite in ("mini", "public", "hear")]
    documents = [json.loads(path.read_text(encoding="utf-8")) for path in kept if path.is_file()]
    assert documents
    for name in byola_hear.list_models():
        fingerprint = byola_hear.load_model(name).fingerprint()
        for document in documents:
            (identity,) = [row["identity"] for row in document["rows"] if row["name"] == name]
            assert fingerprint in identity and "," not in identity


def test_a_part_of_a_suite_is_not_the_suite(new_run: RunMaker) -> None:
    for tasks, suite in ((list(SUITES["mini"]), "mini"), (list(SUITES["mini"])[:2], "tasks")):
        run = new_run()
        for task in tasks[:2]:
            run.task(task, "speech")
            run.outcome("both", task, np.arange(20) % 3 > 0)
        # Tasks that are not available count, too.
        for task in tasks[2:]:
            run.cells.append({"model": "both", "task": task, "status": "unavailable", "note": "no such archive"})
        assert load_run(run.write()).suite == suite


def test_a_tasks_own_settings_are_reported(new_run: RunMaker) -> None:
    run = new_run()
    for task in ("beats", "words"):
        run.task(task, "speech")
        run.outcome("both", task, np.arange(20) % 3 > 0)
    assert "replace those of the grid" not in markdown_tables(document_of(run.write()))
    run.tasks["beats"]["own_settings"] = {"patience": [5], "check_val_every_n_epoch": [1, 5]}
    assert "beats: check_val_every_n_epoch 1 or 5, patience 5." in markdown_tables(document_of(run.write()))


@pytest.mark.parametrize("content", [None, "nothing", "[]", '{"tasks": {}}', '{"tasks": {"a": {"domain": "x"}}}'])
def test_another_folder_is_one_clear_error(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises((FileNotFoundError, ValueError), match="python -m benchmark run"):
        load_run(tmp_path)


def test_a_folder_that_cannot_be_created_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SystemExit) as stopped:
        main(["table", str(tmp_path), "--cache", str(tmp_path / "file" / "cache")])
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and error.startswith("error: ") and error.count("\n") == 1


def test_text_is_escaped() -> None:
    assert escaped("a\n|b| `c` *d* <e>&[f](g)") == "a \\|b\\| \\`c\\` \\*d\\* &lt;e&gt;&amp;\\[f\\](g)"
    assert not math.isnan(len(escaped("")))
