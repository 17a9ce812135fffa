from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from byola_hear.pretraining.corpora.side_by_side import side_by_side
from tests.processes import is_running


@pytest.mark.parametrize("jobs", [1, 2])
def test_results_keep_the_order_of_the_items(jobs: int) -> None:
    told: list[int] = []
    assert side_by_side([-3, 2, -1], abs, jobs, told.append) == [3, 2, 1]
    assert sorted(told) == [1, 2, 3]


@pytest.mark.parametrize("jobs", [1, 2])
def test_error_in_the_work_reaches_the_caller(jobs: int) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        side_by_side(["1", "one", "2"], int, jobs, lambda result: None)


def test_killed_process_is_one_error() -> None:
    with pytest.raises(OSError, match="a process was killed"):
        side_by_side([3, 3, 3], os._exit, 2, lambda result: None)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_processes_end_with_their_parent(repository: Path) -> None:
    script = (
        "import time\n"
        "from byola_hear.pretraining.corpora.side_by_side import side_by_side\n"
        "if __name__ == '__main__':\n"
        "    side_by_side([0, 0, 300, 300], time.sleep, 2, lambda result: print('ready', flush=True))\n"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=repository, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    assert parent.stdout is not None
    assert parent.stdout.readline() == b"ready\n"
    children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
    assert len(children) >= 2
    parent.kill()
    parent.wait()
    parent.stdout.close()
    deadline = time.monotonic() + 20
    while any(is_running(child) for child in children):
        assert time.monotonic() < deadline, "a process still runs"
        time.sleep(0.05)
