"""From a folder of audio files to a table, beside other ways to vectors: ``python -m benchmark collection``.

Every way runs in a process of its own, one after the other, in turns, so that a machine busy with other things slows
all of them alike; ratios are taken turn by turn, numbers are medians. The slow ones go through fewer of the files. What
counts is the whole program, from its start to the end of its work; for those that went through fewer files, it is
their start and the work of one file times the number of files.
"""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

import byola_hear
from benchmark.baselines.untrained import untrained_model
from benchmark.models.loading import load_network
from benchmark.reporting.markdown import markdown
from benchmark.reporting.provenance import provenance
from benchmark.speed.collection_clips import recordings, write_clips
from benchmark.speed.collection_contestants import ContestantFailed, Settings
from benchmark.speed.collection_report import report
from benchmark.speed.collection_ways import WAYS, Way, ratios
from byola_hear.cli.errors import Failure, Finite
from byola_hear.models.checkpoint import save_checkpoint
from byola_hear.utils.files import replacing

REPOSITORY = Path(__file__).resolve().parents[2]


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
