"""The ways from files to vectors that :mod:`benchmark.speed.collection` runs, their times, and how these compare."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median

from benchmark.speed.collection_contestants import Settings, in_a_process

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
