from __future__ import annotations

from pathlib import Path

import pytest

from byola_hear.pretraining.training.run_log import COLUMNS, RunLog, read_log


def test_log_keeps_counts_exact_and_drops_half_a_row(tmp_path: Path) -> None:
    row = {"seconds": 1.0, "loss": 1.0, "spread": 1.0, "learning_rate": 1.0, "ema_decay": 1.0, "crops_per_second": 1.0}
    log = RunLog(tmp_path, 0)
    log.write(step=10_000_010, crops=1_280_001_280, **row)
    with open(log.path, "a") as file:
        file.write("10000020,1280002560,")
    assert [(row["step"], row["crops"]) for row in read_log(log.path)] == [(10_000_010, 1_280_001_280)]
    RunLog(tmp_path, 10_000_010)
    assert log.path.read_text().endswith("10000010,1280001280,1,1,1,1,1,1\n")


@pytest.mark.parametrize(
    "content", ["epoch,loss\n1,0.5\n", f"{','.join(COLUMNS)}\n1,2\n", f"{','.join(COLUMNS)}\n{'x,' * 8}\n"]
)
def test_another_file_of_that_name_is_neither_read_nor_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "log.csv").write_text(content)
    for read in (lambda: read_log(tmp_path / "log.csv"), lambda: RunLog(tmp_path, 0)):
        with pytest.raises(ValueError, match=r"log\.csv: expected the log of a run, with the columns step,crops,"):
            read()
    assert (tmp_path / "log.csv").read_text() == content
