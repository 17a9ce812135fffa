"""From a folder of audio files to a table, compared with other methods: ``python -m benchmark collection``.

Every method runs in a process of its own, in turns. Slow ones process fewer of the files. What counts is the whole
program, from its start to the end of its work; for methods that process fewer files, it is extrapolated.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import click

import byola_hear
from benchmark import CLIPS
from benchmark.baselines.untrained import untrained_model
from benchmark.baselines.weights import MODELS_VARIABLE, weights_in_folder
from benchmark.models.loading import load_network
from benchmark.reporting.command_line import command_line
from benchmark.reporting.provenance import provenance
from benchmark.speed.children import ChildFailed
from benchmark.speed.collection_clips import recordings, write_clips
from benchmark.speed.collection_methods import TITLES, MethodSettings, in_a_process
from benchmark.speed.collection_report import report
from benchmark.speed.race import Method, race, times_as_fast
from benchmark.speed.results import check_outputs, default_model, machine_state, show, speed_options
from byola_hear.cli.errors import Failure
from byola_hear.cli.types import Finite
from byola_hear.models.checkpoint import save_checkpoint


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
    """Measure everything that the command reports.

    Args:
        n_clips: number of files in the folder.
        seconds: length of each, s.
        turns: turns of the race.
        threads: CPU threads of each method.
        audio: folder of recordings that the files are cut from.
        sample_rate: Hz, of the files.
        channels: number of channels of the files.
        model: name or path of a network; ``"untrained"`` for one of the v2 shape with random weights.
        yamnet: YAMNet's TFLite file.
        progress: whether to show a progress bar on stderr.

    Returns:
        JSON values: ``methods`` (times by method), ``ratios`` (how many times as fast the package's program is) and
        ``about``.

    Raises:
        FileNotFoundError: if a file does not exist.
        ValueError: if the network does not exist or cannot be loaded.
        ChildFailed: if a method ended in an error.
    """
    network = untrained_model(0, -8.0, 4.5) if model == "untrained" else load_network(model)
    state = machine_state()
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
        counts = {name: min(n_clips, most or n_clips) for name, (_, most) in TITLES.items()}
        methods = {}
        for name, count in counts.items():
            settings = MethodSettings(
                files[:count],
                model,
                threads,
                str(Path(temporary) / f"{name}.parquet"),
                str(yamnet.absolute()) if yamnet else "",
            )
            methods[name] = Method(TITLES[name][0], count * seconds, partial(_run, name, settings))
        race(methods, turns, name="collection", progress=progress)
    total = n_clips * seconds
    about = {
        **provenance(),
        "command": command_line(),
        "model": f"{network.config.name} {network.config.version}",
        "clips": n_clips,
        "clip_seconds": seconds,
        "sample_rate": sample_rate,
        "channels": channels,
        "threads": threads,
        "turns": turns,
        **state,
    }
    return {
        "about": about,
        "methods": {
            name: {
                "what": method.title,
                "files": counts[name],
                "missing": method.missing,
                "work_seconds": method.times.get("wall", []),
                "cpu_seconds": method.times.get("cpu", []),
                "start_seconds": method.times.get("start", []),
                "program_seconds": program_seconds(method, total),
            }
            for name, method in methods.items()
        },
        "ratios": ratios(methods, total),
    }


def _run(name: str, settings: MethodSettings) -> dict[str, float]:
    Path(settings.output).unlink(missing_ok=True)  # the table of the turn before
    return in_a_process(name, settings)


def program_seconds(method: Method, total: float, start: bool = True) -> list[float]:
    """Seconds of a method's whole program, one value a turn; the work is extrapolated.

    Args:
        method: the method, after a race.
        total: seconds of audio of all files.
        start: whether the start-up counts.
    """
    if method.missing:
        return []
    work = [wall * total / method.seconds for wall in method.times["wall"]]
    return [begin + each for begin, each in zip(method.times["start"], work, strict=True)] if start else work


def ratios(methods: Mapping[str, Method], total: float) -> dict[str, float]:
    """How many times as fast the package's whole program is as each other method that ran.

    The network alone is not a program and is compared without its start-up.

    Args:
        methods: the methods by name, after a race.
        total: seconds of audio of all files.

    Example:
        >>> ours = Method("", 4.0, dict, {"wall": [1.0, 9.0], "start": [1.0, 1.0]})
        >>> theirs = Method("", 2.0, dict, {"wall": [3.0, 29.0], "start": [0.0, 2.0]})
        >>> ratios({"package": ours, "plain": theirs}, 4.0)
        {'plain': 4.5}
    """
    ours = program_seconds(methods["package"], total)
    return {
        name: times_as_fast(ours, program_seconds(method, total, start=name != "network"))
        for name, method in methods.items()
        if name != "package" and not method.missing
    }


@click.command("collection")
@click.option(
    "--clips", "n_clips", default=1000, show_default=True, type=click.IntRange(min=2), help="Number of files."
)
@click.option("--seconds", default=10.0, show_default=True, type=Finite(min=0.1), help="Length of each file, in s.")
@click.option(
    "--turns", default=3, show_default=True, type=click.IntRange(min=1), help="Number of runs of each method."
)
@click.option(
    "--threads", default=2, show_default=True, type=click.IntRange(min=1), help="Number of threads of each method."
)
@click.option(
    "--audio",
    default=CLIPS,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of recordings to cut the files from. Default: the clips of the tests.",
)
@click.option(
    "--rate", default=44100, show_default=True, type=click.IntRange(min=1000), help="Sample rate of the files, in Hz."
)
@click.option(
    "--channels", default=2, show_default=True, type=click.IntRange(1, 8), help="Number of channels of the files."
)
@click.option(
    "--yamnet",
    envvar="YAMNET_TFLITE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"YAMNet's TFLite file. Default: $YAMNET_TFLITE, else yamnet.tflite in ${MODELS_VARIABLE}.",
)
@speed_options
def command(
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
    """Measure the speed from a folder of FLAC files to a table, next to other methods.

    A method whose package or model is not available is listed without numbers.

    Exit codes: 0, whether or not the aims are reached; 1 if a method failed; 2 if something that you named is not
    available.
    """
    check_outputs(outputs)
    model, yamnet = model or default_model(), yamnet or weights_in_folder("yamnet.tflite")
    try:
        result = measure(n_clips, seconds, turns, threads, audio, rate, channels, model, yamnet, not no_progress)
    except ChildFailed as error:
        raise Failure(str(error)) from error
    show(result, report, outputs)
