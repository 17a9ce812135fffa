"""``python -m benchmark prove``: do bad things to the package, and count what goes wrong."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import Executor, ProcessPoolExecutor, as_completed
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import click

from benchmark import RESULTS
from benchmark.faults import cluster, disks, fuzz, killed, killed_run, scale
from benchmark.faults.proof import Found, Proof, Settings, end_started
from benchmark.faults.report import report
from benchmark.reporting.command_line import command_line
from benchmark.reporting.provenance import provenance
from byola_hear.utils.files import write_file
from byola_hear.utils.parent import end_with_parent

DEFAULTS = Settings(Path())
#: Every proof by its name, in the order in which they run.
PROOFS: dict[str, Proof] = {
    "kill-embed": killed.embed,
    "kill-predict": killed.predict,
    "kill-finetune": killed.finetune,
    "kill-train": killed.train,
    "kill-run": killed_run.run,
    "ray-cluster": cluster.cluster,
    "disk-full": disks.full,
    "outputs": disks.outputs,
    "changing-files": disks.changing,
    "many-files": scale.many,
    "short-files": scale.short,
    "long-file": scale.long,
    **fuzz.PROOFS,
}


@click.command("prove")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--seed", default=DEFAULTS.seed, show_default=True, help="Seed of the moments, sizes and bytes.")
@click.option("--kills", default=DEFAULTS.kills, show_default=True, type=click.IntRange(1), help="Kills per command.")
@click.option(
    "--fills", default=DEFAULTS.fills, show_default=True, type=click.IntRange(1), help="Times a disk fills up."
)
@click.option(
    "--files", default=DEFAULTS.files, show_default=True, type=click.IntRange(100), help="Files of a large collection."
)
@click.option(
    "--hours", default=DEFAULTS.hours, show_default=True, type=click.FloatRange(0.1), help="Length of the long file, h."
)
@click.option(
    "--fuzz-seconds",
    default=DEFAULTS.fuzz_seconds,
    show_default=True,
    type=click.FloatRange(1),
    help="Time for fuzzing each reader, s.",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1),
    help="Proofs at the same time. Default: one for each processor.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False, path_type=Path),
    default=RESULTS,
    metavar="FOLDER",
    help="Folder of the results. Default: benchmark/results.",
)
def command(names: tuple[str, ...], output: Path, jobs: int | None, **options: Any) -> int:
    """Kill commands, fill disks, change files, and feed hostile bytes to every reader; count rows lost and crashes.

    NAMEs choose among the proofs; without them, all run, which takes one to two hours on two processors. The results
    of other proofs in the folder stay.

    Exit codes: 0: every proof holds; 1: something went wrong, and the table says what; 2: wrong usage.
    """
    unknown = [name for name in names if name not in PROOFS]
    if unknown:
        raise click.UsageError(f"expected proofs out of {', '.join(PROOFS)}, got {unknown[0]!r}")
    output.mkdir(parents=True, exist_ok=True)
    target = output / "prove.json"
    kept = json.loads(target.read_text(encoding="utf-8")) if target.exists() else {"proofs": {}}
    source = {**provenance(), "command": command_line(), "seed": options["seed"]}
    click.echo(f"seed {options['seed']}", err=True)
    n_faults = 0
    chosen = list(dict.fromkeys(names or PROOFS))
    with workers(jobs or os.cpu_count() or 1) as pool:
        waiting = [pool.submit(proved, name, options) for name in chosen]
        try:
            for future in as_completed(waiting):
                name, work, found, seconds = future.result()
                n_faults += len(found.faults)
                kept["proofs"][name] = {**asdict(found), "took": round(seconds, 1), "provenance": source}
                ordered = {"proofs": {each: kept["proofs"][each] for each in PROOFS if each in kept["proofs"]}}
                write_file(target, json.dumps(ordered, indent=1) + "\n")
                write_file(output / "prove.md", report(ordered))
                first = found.faults[:3] or ""
                click.echo(f"{name}: {found.tried} tried, {len(found.faults)} faults {first}", err=True)
                if found.faults:
                    click.echo(f"{name}: the files are kept in {work}", err=True)
                else:
                    shutil.rmtree(work, ignore_errors=True)
        finally:
            for future in waiting:
                future.cancel()
    return 1 if n_faults else 0


def workers(jobs: int) -> Executor:
    """Processes that carry out proofs: Ray handles signals, which only the main thread of a process can.

    They end with this process, however it ends, and the commands that they started end with them.
    """
    context = get_context("spawn")
    return ProcessPoolExecutor(jobs, mp_context=context, initializer=end_with_parent, initargs=(end_started,))


def proved(name: str, options: Mapping[str, Any]) -> tuple[str, Path, Found, float]:
    """Carry out one proof in a new folder. An error of the proof itself is a fault: nothing is proved then.

    Returns:
        The proof's name, its folder, what was found, and the time that it took, s.
    """
    work = Path(tempfile.mkdtemp(prefix=f"prove-{name}-"))
    began = time.monotonic()
    try:
        found = PROOFS[name](Settings(work, **options))
    except Exception as error:
        found = Found("the proof itself failed", faults=[f"{type(error).__name__}: {error}"])
    finally:
        end_started()
    return name, work, found, time.monotonic() - began
