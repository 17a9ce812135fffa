"""``byola_hear.embed``: files, folders or waveforms in, a table out."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import TYPE_CHECKING, Any, Literal, overload

import numpy as np
import soxr
import torch
from numpy.typing import NDArray
from torch import Tensor

from byola_hear.audio.reading import AudioFileError
from byola_hear.extraction.clips import Clip, find_clips
from byola_hear.extraction.extract import extract, extract_waveforms
from byola_hear.extraction.folders import OnMissing
from byola_hear.extraction.request import request_for
from byola_hear.extraction.rows import Event, Failed, Rows
from byola_hear.models.loading import resolve
from byola_hear.models.model import ByolaModel
from byola_hear.utils.device import usable_device

if TYPE_CHECKING:
    import pandas

Path = str | os.PathLike[str]
Waveform = NDArray[np.floating[Any]] | Tensor


@overload
def embed(
    inputs: Path | Iterable[Path | Waveform | Clip] | Waveform,
    model: str | os.PathLike[str] | ByolaModel = ...,
    kind: Literal["scene", "timestamp"] = ...,
    *,
    window: float | None = ...,
    hop: float | None = ...,
    sample_rate: int | None = ...,
    output: Literal["pandas"] = ...,
    errors: Literal["raise", "skip"] = ...,
    device: str | torch.device | None = ...,
    precision: Literal["float32", "bfloat16"] = ...,
    workers: int | None = ...,
    progress: bool = ...,
) -> pandas.DataFrame: ...


@overload
def embed(
    inputs: Path | Iterable[Path | Waveform | Clip] | Waveform,
    model: str | os.PathLike[str] | ByolaModel = ...,
    kind: Literal["scene", "timestamp"] = ...,
    *,
    window: float | None = ...,
    hop: float | None = ...,
    sample_rate: int | None = ...,
    output: Literal["numpy"],
    errors: Literal["raise", "skip"] = ...,
    device: str | torch.device | None = ...,
    precision: Literal["float32", "bfloat16"] = ...,
    workers: int | None = ...,
    progress: bool = ...,
) -> NDArray[np.float32]: ...


def embed(
    inputs: Path | Iterable[Path | Waveform | Clip] | Waveform,
    model: str | os.PathLike[str] | ByolaModel = "both",
    kind: Literal["scene", "timestamp"] = "scene",
    *,
    window: float | None = None,
    hop: float | None = None,
    sample_rate: int | None = None,
    output: Literal["pandas", "numpy"] = "pandas",
    errors: Literal["raise", "skip"] = "raise",
    device: str | torch.device | None = None,
    precision: Literal["float32", "bfloat16"] = "float32",
    workers: int | None = None,
    progress: bool = False,
) -> pandas.DataFrame | NDArray[np.float32]:
    """Embed audio files, folders of them, stretches of them, or waveforms.

    The whole table is in memory: 12 kB a row. For collections beyond that, ``byola-hear embed`` writes to disk as it
    goes and resumes.

    Args:
        inputs: a path, several, or waveforms. Of paths: files in any format that can be read, folders, glob patterns,
            and :class:`~byola_hear.Clip` for a segment of a file. Of waveforms: one ``(n_samples,)``, a batch
            ``(n_clips, n_samples)`` or several ``(n_samples_i,)``, floating point in [-1, 1] at ``sample_rate``.
        model: a name, a checkpoint's path, or a model.
        kind: ``"scene"``, an embedding a clip, or ``"timestamp"``, embeddings along time.
        window: s of sound to an embedding. For scenes, windows cover each clip from its beginning; for timestamps,
            each is centred on its time. None: the whole clip, or the model's own window.
        hop: s from one embedding to the next. None: the window's length (scenes), or the model's frames.
        sample_rate: Hz, of waveforms, which are resampled if it is not the model's; files know their own.
        output: ``"pandas"`` or ``"numpy"``.
        errors: what a file that can't be embedded, or is not there, does: ``"raise"`` an error, or ``"skip"``: it has
            no row, and the table's ``attrs["errors"]`` maps its name to the reason; of several stretches, to their
            reasons. An array can't say which rows it lacks: there, a warning does.
        device: where to compute; None for where the model is.
        precision: of the network's arithmetic. ``"bfloat16"`` is about twice as fast where the processor has it, and
            within 2 % of float32: see :meth:`~byola_hear.models.model.ByolaModel.in_precision`.
        workers: threads that decode files; None for half as many as the network has, at least two.
        progress: show a bar.

    Returns:
        A table with a row for each embedding: float32 columns ``e0``, ``e1`` … and the index ``file``, ``start``,
        ``end`` (s), for timestamps also ``time`` (s). A waveform's file is its position, ``"0"``, ``"1"`` …
        Or, as numpy, the ``(n_rows, size)`` float32 embeddings alone. What is there twice among the inputs is in the
        table once, as its name says which it is, and in the array as often as among the inputs.

    Raises:
        FileNotFoundError: if a path or pattern stands for no file and ``errors`` is ``"raise"``.
        TypeError: if the inputs are neither paths, nor clips, nor waveforms.
        ValueError: if an argument or a waveform is not as described, the device can't be used, or
            (:class:`~byola_hear.AudioFileError`) a file can't be embedded and ``errors`` is ``"raise"``.

    Example:
        >>> import numpy as np
        >>> noise = np.random.default_rng(0).normal(0, 0.1, 32000)
        >>> table = embed([noise, noise[:9000]], "speech", sample_rate=16000)
        >>> table.shape, table.index.names
        ((2, 3072), FrozenList(['file', 'start', 'end']))
        >>> embed(noise, "speech", "timestamp", hop=0.5, sample_rate=16000).index.get_level_values("time")
        Index([0.015, 0.515, 1.015, 1.515], dtype='float64', name='time')
    """
    for name, value, known in (("output", output, ("pandas", "numpy")), ("errors", errors, ("raise", "skip"))):
        if value not in known:
            raise ValueError(f"{name} must be {known[0]!r} or {known[1]!r}, got {value!r}")
    if isinstance(inputs, Iterator):
        inputs = list(inputs)  # it is looked at more than once
    network = model if isinstance(model, ByolaModel) else resolve(model)
    if device is not None:
        network = network.to(usable_device(device))
    network = network.in_precision(precision)
    request = request_for(network, kind, window, hop)
    waveforms = _waveforms(inputs)
    asked: list[Clip] | None = None
    absent: dict[str, str] = {}
    if waveforms is None:
        if sample_rate is not None:
            raise ValueError(f"sample_rate is for waveforms, files know their own; got sample_rate={sample_rate}")
        asked = _clips(inputs, absent.__setitem__ if errors == "skip" else None)
        if not asked and not absent:
            raise ValueError("expected at least one file, got none")
        clips = list(dict.fromkeys(asked))
        events, n_clips = extract(clips, network, request, workers), len(clips)
    else:
        named = _at_rate(waveforms, sample_rate, network.sample_rate)
        events, n_clips = extract_waveforms(named, network, request), len(waveforms)
    rows, failures = _collected(events, errors == "raise", n_clips, progress)
    failures = {**absent, **failures}
    if output == "numpy":
        if failures:
            file, reason = next(iter(failures.items()))
            message = f"files that can't be embedded, {len(failures)} in all, have no rows: the first, {file}: {reason}"
            warnings.warn(message, stacklevel=2)
        return _array(rows, asked, request.size)
    from byola_hear.tables import to_dataframe

    table = to_dataframe(rows, request)
    table.attrs["errors"] = failures
    return table


def read_table(path: Path) -> pandas.DataFrame:
    """Read a table that ``byola-hear embed`` wrote, in any of its formats.

    Args:
        path: the table.

    Returns:
        What :func:`embed` returns for the same clips.

    Raises:
        FileNotFoundError: if there is no such table.
        TableError: if it is none, or needs a package that is not installed.
    """
    from byola_hear import tables

    return tables.read_table(path)


def _collected(
    events: Iterator[Event], strict: bool, n_clips: int, progress: bool
) -> tuple[list[Rows], dict[str, str]]:
    """The rows of the clips that were completed, and the others' names and reasons."""
    from tqdm import tqdm

    rows: list[Rows] = []
    failures: dict[str, dict[str, None]] = {}
    complete = 0  # rows of completed clips
    # Closed at once, as who holds the error holds all that is open here.
    with closing(events), tqdm(total=n_clips, unit="clip", disable=not progress) as bar:  # type: ignore[type-var]
        for event in events:
            if isinstance(event, Rows):
                rows.append(event)
                continue
            bar.update()
            if isinstance(event, Failed):
                if strict:
                    raise AudioFileError(f"{event.clip.file}: {event.reason}")
                del rows[complete:]
                failures.setdefault(event.clip.file, {})[event.reason] = None
            complete = len(rows)
    return rows, {file: "; ".join(reasons) for file, reasons in failures.items()}


def _array(rows: list[Rows], asked: list[Clip] | None, size: int) -> NDArray[np.float32]:
    """Embeddings without an index: of clips, in the order and as often as they were asked for."""
    arrays = [each.embeddings for each in rows]
    if asked is not None:
        of_clip: dict[Clip, list[NDArray[np.float32]]] = {}
        for each in rows:
            of_clip.setdefault(each.clip, []).append(each.embeddings)
        arrays = [embeddings for clip in asked for embeddings in of_clip.get(clip, [])]
    return np.concatenate([np.zeros((0, size), np.float32), *arrays])


def _waveforms(inputs: object) -> list[Tensor] | None:
    """Inputs as a list of 1-D tensors if they are waveforms, None if they are paths."""
    if isinstance(inputs, (np.ndarray, Tensor)) and not _is_text(inputs):
        if inputs.ndim not in (1, 2):
            raise ValueError(f"expected waveforms (n_samples,) or (n_clips, n_samples), got {tuple(inputs.shape)}")
        inputs = [inputs] if inputs.ndim == 1 else list(inputs)
    if isinstance(inputs, (str, os.PathLike, Clip)) or not isinstance(inputs, Iterable):
        return None
    items = list(inputs)
    arrays = [isinstance(item, (np.ndarray, Tensor)) and not _is_text(item) for item in items]
    if not any(arrays):
        return None
    if not all(arrays):
        other = items[arrays.index(False)]
        raise ValueError(f"expected either paths or waveforms, got both, a {type(other).__name__} among waveforms")
    return [torch.as_tensor(item) for item in items]


def _is_text(array: np.ndarray | Tensor) -> bool:
    """Whether an array holds file names."""
    return isinstance(array, np.ndarray) and array.dtype.kind in "OSU"


def _clips(inputs: Any, on_missing: OnMissing | None) -> list[Clip]:
    """Files, folders, patterns and stretches as clips, as often as they were asked for."""
    if not isinstance(inputs, (str, os.PathLike, Clip, Iterable)):
        raise TypeError(f"expected paths, clips or waveforms, got {type(inputs).__name__}")
    items = [inputs] if isinstance(inputs, (str, os.PathLike, Clip)) else list(inputs)
    clips: list[Clip] = []
    for item in items:
        if isinstance(item, Clip):
            clips.append(item)
        elif isinstance(item, (str, os.PathLike)):
            clips += find_clips([item], on_missing=on_missing)
        else:
            raise TypeError(f"expected paths, clips or waveforms, got {type(item).__name__}")
    return clips


def _at_rate(waveforms: Sequence[Tensor], sample_rate: int | None, rate: int) -> Iterator[tuple[Clip, Tensor]]:
    """Waveforms, named by their positions, float32 at the rate wanted."""
    if sample_rate is None:
        raise ValueError(f"waveforms need their sample_rate in Hz (the model's is {rate}), got none")
    if isinstance(sample_rate, bool) or not isinstance(sample_rate, (int, np.integer)) or sample_rate < 1:
        raise ValueError(f"sample_rate must be a positive integer, got {sample_rate!r}")
    for index, waveform in enumerate(waveforms):
        if not waveform.dtype.is_floating_point:
            raise ValueError(
                f"expected waveform {index} as floating point in [-1, 1], got {waveform.dtype}; "
                "divide integers by their range first"
            )
        if waveform.ndim != 1:
            raise ValueError(f"expected waveform {index} of shape (n_samples,), got {tuple(waveform.shape)}")
        samples = waveform.detach().cpu().float()
        if sample_rate != rate and len(samples):
            resampled = soxr.resample(samples.numpy(), sample_rate, rate, quality="HQ")
            # Less than one sample at the new rate still is a sound: its mean.
            samples = torch.from_numpy(resampled if len(resampled) else samples.numpy().mean(keepdims=True))
        yield Clip(str(index)), samples
