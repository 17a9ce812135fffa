"""What is fuzzed: everything that reads bytes of strangers.

``python -m benchmark.faults.fuzz_target NAME ...`` fuzzes one reader; the arguments after the name are libFuzzer's. A
reader may refuse anything with one of its documented errors. Another error, a crash, a hang and too much memory end the
process, and the bytes that did it are kept.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmark import CLIPS

#: What readers may raise: OSError for files that can't be read, and ValueError for all others.
REFUSALS = (ValueError, OSError)


@dataclass(frozen=True)
class Target:
    """A reader.

    Attributes:
        what: what it reads, in words.
        ending: of the file's name.
        read: reads a file.
        seeds: writes valid files into a folder.
    """

    what: str
    ending: str
    read: Callable[[Path], object]
    seeds: Callable[[Path], None]


def _sounds(folder: Path) -> None:
    for clip in CLIPS.iterdir():
        if clip.suffix != ".md":
            (folder / clip.name).write_bytes(clip.read_bytes()[:60_000])


def _checkpoint_seeds(folder: Path) -> None:
    from byola_hear.models.checkpoint import save_checkpoint
    from byola_hear.models.config import ModelConfig
    from byola_hear.models.encoders.convolutional import EncoderConfig
    from byola_hear.models.frontend import FrontendConfig
    from byola_hear.models.model import ByolaModel

    shape = EncoderConfig(channels=2, hidden_size=4)
    save_checkpoint(
        folder / "small", ByolaModel(ModelConfig("small", "1", FrontendConfig(), shape, mean=-8.0, std=4.0))
    )


def _checkpoint(path: Path) -> None:
    from byola_hear.models.checkpoint import read_checkpoint
    from byola_hear.models.model import ByolaModel

    ByolaModel.assemble(path, *read_checkpoint(path))


def _classifier_seeds(folder: Path) -> None:
    import numpy as np

    from byola_hear.classification.file import save_classifier
    from byola_hear.sklearn import ByolaClassifier

    rng = np.random.default_rng(0)
    sounds = [rng.normal(0, scale, 4000) for scale in (0.1, 0.11, 0.001, 0.002)]
    fitted = ByolaClassifier("both").fit(sounds, ["a", "a", "b", "b"])
    save_classifier(folder / "small", fitted.classifier_)


def _classifier(path: Path) -> None:
    from byola_hear.classification.file import load_classifier

    load_classifier(path)


def _legacy_seeds(folder: Path) -> None:
    import torch

    from byola_hear.models.encoders.convolutional import Encoder, EncoderConfig

    torch.save(Encoder(EncoderConfig.v1(32)).state_dict(), folder / "small")


def _legacy(path: Path) -> None:
    from byola_hear.models.frontend import FrontendConfig
    from byola_hear.models.legacy import load_legacy

    load_legacy(path, frontend=FrontendConfig(), mean=-8.0, std=4.0)


RAVEN = (
    "Selection\tView\tChannel\tBegin File\tBegin Time (s)\tEnd Time (s)\tLow Freq (Hz)\tHigh Freq (Hz)\tlabel\tScore\n"
    "1\tSpectrogram 1\t1\ta.wav\t0.5\t1.25\t0\t8000\tcall\t0.9\n"
)
TRACK = "0.500000\t1.250000\tcall\n\\\t100.0\t8000.0\n"
SEGMENTS = "file;start;end;label\na.wav;0,5;1,25;call\n"


def _label_seeds(folder: Path) -> None:
    (folder / "raven").write_text(RAVEN, encoding="utf-8")
    (folder / "audacity").write_text(TRACK, encoding="utf-8")
    (folder / "csv").write_text(SEGMENTS, encoding="utf-8")
    (folder / "utf16").write_text(SEGMENTS, encoding="utf-16")


def _labels(path: Path) -> None:
    from byola_hear import labels

    path.with_suffix(".wav").touch()  # the recording that a track of labels is about
    labels.read(path, missing="keep")


def _segments(path: Path) -> None:
    from byola_hear.labels.reading import read_segments

    path.with_suffix(".wav").touch()
    read_segments(path)


def _audio(path: Path) -> None:
    from byola_hear.audio.formats.content import content_of

    content_of(str(path))


def _list(path: Path) -> None:
    from byola_hear.extraction.clips import read_list

    read_list(io.BytesIO(path.read_bytes()))


def _list_seeds(folder: Path) -> None:
    for encoding in ("utf-8", "utf-8-sig", "utf-16"):
        (folder / encoding).write_text("a.wav\r\nb c.flac\n\n# comment\n", encoding=encoding)


def _table_seeds(ending: str) -> Callable[[Path], None]:
    def seeds(folder: Path) -> None:
        import numpy as np

        from byola_hear.extraction.clips import Clip
        from byola_hear.extraction.request import Request
        from byola_hear.extraction.rows import Done, Rows
        from byola_hear.tables import open_store

        clip = Clip("a.wav")
        request = Request("scene", None, None, "both 1", "0" * 64, 3)
        values = np.zeros(1), np.ones(1), None, np.ones((1, 3), np.float32)
        with tempfile.TemporaryDirectory() as other:
            table = Path(other) / f"t{ending}"
            with open_store(table, request, [clip]) as store:
                store.add(Rows(clip, *values))
                store.add(Done(clip, 1.0, None))
                store.finish()
            (folder / "small").write_bytes(table.read_bytes())

    return seeds


def _table(path: Path) -> None:
    from byola_hear.tables import TableError, read_table

    with contextlib.suppress(TableError):
        read_table(path)


def _archive_seeds(folder: Path) -> None:
    import tarfile
    import zipfile

    for mode in ("w", "w:gz"):
        with tarfile.open(folder / mode.replace(":", ""), mode) as archive:
            archive.add(CLIPS / "speech_english_8k.wav", "tasks/t/a.wav")
    with zipfile.ZipFile(folder / "zip", "w") as archive:
        archive.write(CLIPS / "speech_english_8k.wav", "tasks/t/a.wav")


def _archive(path: Path) -> None:
    from byola_hear.utils.archives import Limits
    from byola_hear.utils.unpack import extract

    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        extract(path, Path(folder) / "out", lambda name: name, Limits(members=100, total_bytes=1 << 20))


TARGETS = {
    "checkpoint": Target("checkpoints", ".safetensors", _checkpoint, _checkpoint_seeds),
    "classifier": Target("classifiers", ".safetensors", _classifier, _classifier_seeds),
    "legacy": Target("published .pth files", ".pth", _legacy, _legacy_seeds),
    "labels": Target("label files", ".txt", _labels, _label_seeds),
    "segments": Target("segment tables", ".csv", _segments, _label_seeds),
    "lists": Target("lists of files", ".txt", _list, _list_seeds),
    "audio": Target("headers and frames of audio files", ".mp3", _audio, _sounds),
    "parquet": Target("tables in Parquet", ".parquet", _table, _table_seeds(".parquet")),
    "npz": Target("tables in .npz", ".npz", _table, _table_seeds(".npz")),
    "csv": Target("tables in CSV", ".csv", _table, _table_seeds(".csv")),
    "archives": Target("archives of tasks", ".tar.gz", _archive, _archive_seeds),
}


def main() -> None:
    """Fuzz the target that the first argument names; the others are libFuzzer's."""
    import atheris  # type: ignore[import-untyped, unused-ignore]

    target = TARGETS[sys.argv[1]]
    with atheris.instrument_imports(include=["byola_hear"]), tempfile.TemporaryDirectory() as seeds:
        # The modules are imported, and so instrumented, by the first reading of a valid file.
        target.seeds(Path(seeds))
        for seed in sorted(Path(seeds).iterdir()):
            named = seed.rename(seed.with_name(f"{seed.name}{target.ending}"))
            with contextlib.suppress(*REFUSALS):
                target.read(named)
    warnings.simplefilter("ignore")
    path = Path(tempfile.mkdtemp(dir="/dev/shm" if os.path.isdir("/dev/shm") else None)) / f"fuzzed{target.ending}"

    def one(data: bytes) -> None:
        path.write_bytes(data)
        with contextlib.suppress(*REFUSALS):
            target.read(path)

    atheris.Setup([sys.argv[0], *sys.argv[2:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
