"""From a folder of audio files to a table, beside other ways to vectors: ``python -m benchmark.collection_speed``.

Every way runs in a process of its own, one after the other, in turns, so that a machine busy with other things slows
all of them alike; ratios are taken turn by turn, numbers are medians. The slow ones go through fewer of the files. What
counts is the whole program, from its start to the end of its work; for those that went through fewer files, it is
their start and the work of one file times the number of files.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import click
from tqdm import tqdm

import byola_hear
from benchmark.collection_clips import recordings, write_clips
from benchmark.collection_contestants import ContestantFailed, Settings, in_a_process
from benchmark.extractors import untrained_model
from benchmark.loading import load_network
from benchmark.provenance import provenance
from benchmark.table import markdown
from byola_hear.checkpoint import save_checkpoint
from byola_hear.cli import Failure, Finite
from byola_hear.files import replacing
from byola_hear.terminal import aligned

REPOSITORY = Path(__file__).resolve().parents[1]
#: What is run, what it is, and how many of the files it goes through at most.
WAYS = {
    "package": ("byola-hear embed, files to table", None),
    "package_bfloat16": ("the same with --precision bfloat16", None),
    "network": ("its network alone, audio in memory", 200),
    "plain": ("plain loop: librosa.load, mel spectrogram, plain network", 200),
    "opensmile": ("openSMILE eGeMAPS functionals", 100),
    "yamnet": ("YAMNet TFLite, windows every 0.48 s", 200),
    "wav2vec2": ("wav2vec2-base's shape, random weights", 5),
}
#: What the project aims at: the package's whole program, at least so many times as fast as each.
AIMS = {"network": 0.5, "plain": 3.0, "opensmile": 1.0, "wav2vec2": 20.0}


@dataclass
class Way:
    """A contestant's times, one a turn.

    Attributes:
        name: out of ``WAYS``.
        n_files: that it goes through.
        missing: why it does not run; empty if it does.
        work: seconds for these files by the clock.
        cpu: seconds of processor time for these files.
        start: seconds for the start, by the clock.
    """

    name: str
    n_files: int
    missing: str = ""
    work: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    start: list[float] = field(default_factory=list)

    def turn(self, settings: Settings) -> None:
        """Run it once and keep its times."""
        result = in_a_process(self.name, settings)
        if "missing" in result:
            self.missing = result["missing"]
            return
        self.work.append(result["seconds"])
        self.cpu.append(result["cpu_seconds"])
        self.start.append(result["start_seconds"])

    def program(self, n_files: int) -> list[float]:
        """Seconds from the program's start to its end for so many files, one a turn."""
        return [start + work * n_files / self.n_files for start, work in zip(self.start, self.work, strict=True)]

    def alone(self, n_files: int) -> list[float]:
        """Seconds of work without the start for so many files, one a turn."""
        return [work * n_files / self.n_files for work in self.work]


def ratios(ways: dict[str, Way], n_files: int) -> dict[str, float]:
    """How many times as fast the package's whole program is as each of the others that ran.

    The network alone has no start to it, as it is no program.

    Example:
        >>> ours = Way("package", 4, work=[1.0, 9.0], start=[1.0, 1.0])
        >>> theirs = Way("plain", 2, work=[3.0, 29.0], start=[0.0, 2.0])
        >>> ratios({"package": ours, "plain": theirs}, 4)
        {'plain': 4.5}
    """
    ours = ways["package"].program(n_files)
    found = {}
    for name, way in ways.items():
        if name != "package" and not way.missing:
            theirs = way.alone(n_files) if name == "network" else way.program(n_files)
            found[name] = median(each / own for each, own in zip(theirs, ours, strict=True))
    return found


def measure(
    n_clips: int,
    seconds: float,
    turns: int,
    threads: int,
    audio: Path,
    sample_rate: int,
    channels: int,
    model: str,
    yamnet: Path | None,
    progress: bool = True,
) -> dict[str, Any]:
    """Everything that the command prints.

    Args:
        n_clips: files in the folder.
        seconds: length of each.
        turns: how often each way is run.
        threads: that each may compute with.
        audio: folder of recordings that the files are cut from.
        sample_rate: of the files, Hz.
        channels: of the files.
        model: a network's name or path; ``"untrained"`` for one of the v2 shape with random weights.
        yamnet: YAMNet's TFLite file.
        progress: show what is going on on stderr.

    Returns:
        JSON values: ``ways`` (times by contestant), ``ratios`` (the package's program, times as fast) and ``about``.

    Raises:
        FileNotFoundError: if there is no such file.
        ValueError: if there is no such network, or it can't be loaded.
        ContestantFailed: if a way ended in an error.
    """
    network = untrained_model(0, -8.0, 4.5) if model == "untrained" else load_network(model)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "clips"
        folder.mkdir()
        if model == "untrained":
            model = str(Path(temporary) / "untrained.safetensors")
            save_checkpoint(model, network)
        elif model not in byola_hear.list_models() and Path(model).exists():
            model = str(Path(model).absolute())
        source = recordings(audio, sample_rate, channels)
        files = [str(file) for file in write_clips(folder, source, sample_rate, n_clips, seconds)]
        ways = {name: Way(name, min(n_clips, most or n_clips)) for name, (_, most) in WAYS.items()}
        steps = tqdm(total=turns * len(ways), desc="collection", unit="run", disable=not progress, leave=False)
        with steps:
            for turn in range(turns):
                for way in ways.values():
                    steps.set_postfix_str(way.name)
                    if not way.missing:
                        output = str(Path(temporary) / f"{way.name}-{turn}.parquet")
                        chosen = files[: way.n_files]
                        way.turn(Settings(chosen, model, threads, output, str(yamnet.absolute()) if yamnet else ""))
                    steps.update()
    about = {
        **provenance(),
        "model": f"{network.config.name} {network.config.version}",
        "clips": n_clips,
        "clip_seconds": seconds,
        "sample_rate": sample_rate,
        "channels": channels,
        "threads": threads,
        "turns": turns,
        "load_average": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
    }
    return {
        "about": about,
        "ways": {
            name: {
                "what": WAYS[name][0],
                "files": way.n_files,
                "missing": way.missing,
                "work_seconds": way.work,
                "cpu_seconds": way.cpu,
                "start_seconds": way.start,
                "program_seconds": way.program(n_clips),
            }
            for name, way in ways.items()
        },
        "ratios": ratios(ways, n_clips),
    }


def rows(result: dict[str, Any]) -> list[list[str]]:
    """A line for each way: what it is, its speed, how the package compares and what was aimed at."""
    about = result["about"]
    total = about["clips"] * about["clip_seconds"]
    lines = []
    for name, way in result["ways"].items():
        if way["missing"]:
            lines.append([way["what"], "–", "–", "–", "–", "–", "–", way["missing"]])
            continue
        heard = way["files"] * about["clip_seconds"]
        work = median(heard / each for each in way["work_seconds"])
        cpu = median(heard / max(each, 1e-9) for each in way["cpu_seconds"])
        # The network alone is no program.
        program = "–" if name == "network" else f"{median(total / each for each in way['program_seconds']):.1f}"
        compared, aim, reached = ["–"] * 3
        if name in result["ratios"]:
            ratio = result["ratios"][name]
            compared = f"{ratio:.2f}"
            if name in AIMS:
                aim, reached = f"≥ {AIMS[name]:g}", "yes" if ratio >= AIMS[name] else "no"
        lines.append([way["what"], str(way["files"]), f"{work:.1f}", f"{cpu:.1f}", program, compared, aim, reached])
    return lines


HEADER = ["way", "files", "work", "per CPU second", "whole program", "package, times as fast", "aim", "reached"]


def report(result: dict[str, Any], table: Callable[[list[str], list[list[str]]], str] = aligned) -> str:
    """The result as text.

    Args:
        result: what :func:`measure` gives.
        table: makes a table of a header and rows: for the terminal, or :func:`benchmark.table.markdown`.

    Returns:
        Lines.
    """
    about = result["about"]
    form = f"{about['sample_rate']} Hz, {about['channels']} channel{'s' if about['channels'] > 1 else ''}"
    return "\n".join(
        [
            f"{about['clips']} FLAC files of {about['clip_seconds']:g} s, {form}; "
            f"{about['model']}; {about['threads']} threads.",
            f"{about['hardware']}; medians of {about['turns']} turns.",
            "",
            "Times real time: of the work without the start, of the work per second of processor time, and of the "
            "whole program, from its start to the end of its work on all the files; a way that went through fewer of "
            "them is given its start and so much of its work. The network alone is compared without a start.",
            "",
            table(HEADER, rows(result)),
        ]
    )


def _yamnet_beside() -> Path | None:
    """YAMNet's file where a checkout has it beside it; None if it is not there."""
    path = REPOSITORY.parent / "shared" / "models" / "yamnet.tflite"
    return path if path.is_file() else None


@click.command("collection-speed")
@click.option("--clips", "n_clips", default=1000, show_default=True, type=click.IntRange(min=2), help="Files.")
@click.option("--seconds", default=10.0, show_default=True, type=Finite(min=0.1), help="Length of each file, s.")
@click.option("--turns", default=3, show_default=True, type=click.IntRange(min=1), help="How often each way is run.")
@click.option("--threads", default=2, show_default=True, type=click.IntRange(min=1), help="Threads for each way.")
@click.option(
    "--audio",
    default=REPOSITORY / "tests" / "data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of recordings to cut the files from, over and over. Default: the tests' clips.",
)
@click.option("--rate", default=44100, show_default=True, type=click.IntRange(min=1000), help="Of the files, Hz.")
@click.option("--channels", default=2, show_default=True, type=click.IntRange(1, 8), help="Of the files.")
@click.option("--model", default="", metavar="NAME|PATH", help="Default: both, or untrained where it is not there.")
@click.option(
    "--yamnet",
    envvar="YAMNET_TFLITE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="YAMNet's TFLite file, also from the environment: YAMNET_TFLITE.",
)
@click.option(
    "-o",
    "--output",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Also write .json (all numbers) or .md (what is shown); may be given several times.",
)
@click.option("--no-progress", is_flag=True, help="No bar on stderr.")
def collection_speed_command(
    n_clips: int,
    seconds: float,
    turns: int,
    threads: int,
    audio: Path,
    rate: int,
    channels: int,
    model: str,
    yamnet: Path | None,
    outputs: tuple[Path, ...],
    no_progress: bool,
) -> None:
    """From a folder of FLAC files to a table, beside other ways to vectors and what is aimed at.

    A way whose package or model is not at hand is said to be missing and has no numbers.

    Exit codes: 0, whether or not the aims are reached; 1 if a way failed; 2 if something that was asked for can't be
    had.
    """
    for output in outputs:
        if output.suffix not in (".json", ".md") or not output.absolute().parent.is_dir():
            raise ValueError(f"expected an output file that ends in .json or .md in a folder that exists, got {output}")
    if not model:
        model = "both" if "both" in byola_hear.list_models() else "untrained"
    yamnet = yamnet or _yamnet_beside()
    try:
        result = measure(n_clips, seconds, turns, threads, audio, rate, channels, model, yamnet, not no_progress)
    except ContestantFailed as error:
        raise Failure(str(error)) from error
    click.echo(report(result))
    for output in outputs:
        text = json.dumps(result, indent=1) if output.suffix == ".json" else report(result, markdown)
        with replacing(output) as stream:
            stream.write((text.rstrip() + "\n").encode())
        click.echo(f"written: {output}", err=True)


if __name__ == "__main__":
    from benchmark.__main__ import run

    run(collection_speed_command, None, "python -m benchmark.collection_speed")
