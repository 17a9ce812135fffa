"""``byola_hear.embed`` and ``byola_hear.read_table``: from files or waveforms to a table in memory."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Literal, overload

import numpy as np
import torch
from numpy.typing import NDArray

from byola_hear.audio.reading import AudioFileError
from byola_hear.extraction.clips import Clip
from byola_hear.extraction.extract import extract, extract_waveforms
from byola_hear.extraction.inputs import Inputs, at_rate, clips_of, is_waveform, listed
from byola_hear.extraction.request import request_for
from byola_hear.extraction.rows import Event, Failed, Rows
from byola_hear.models.loading import loaded
from byola_hear.models.model import ByolaModel
from byola_hear.utils.device import usable_device
from byola_hear.utils.files import PathLike
from byola_hear.utils.text import quantity

if TYPE_CHECKING:
    import pandas


@overload
def embed(
    inputs: Inputs,
    model: str | os.PathLike[str] | ByolaModel = ...,
    kind: Literal["scene", "timestamp"] = ...,
    *,
    window: float | None = ...,
    hop: float | None = ...,
    sample_rate: int | None = ...,
    output: Literal["pandas"] = ...,
    errors: Literal["raise", "skip"] = ...,
    device: str | torch.device | None = ...,
    precision: Literal["float32", "bfloat16", "int8", "auto"] | None = ...,
    workers: int | None = ...,
    progress: bool = ...,
    dimensions: int | None = ...,
) -> pandas.DataFrame: ...


@overload
def embed(
    inputs: Inputs,
    model: str | os.PathLike[str] | ByolaModel = ...,
    kind: Literal["scene", "timestamp"] = ...,
    *,
    window: float | None = ...,
    hop: float | None = ...,
    sample_rate: int | None = ...,
    output: Literal["numpy"],
    errors: Literal["raise", "skip"] = ...,
    device: str | torch.device | None = ...,
    precision: Literal["float32", "bfloat16", "int8", "auto"] | None = ...,
    workers: int | None = ...,
    progress: bool = ...,
    dimensions: int | None = ...,
) -> NDArray[np.float32]: ...


def embed(
    inputs: Inputs,
    model: str | os.PathLike[str] | ByolaModel = "both",
    kind: Literal["scene", "timestamp"] = "scene",
    *,
    window: float | None = None,
    hop: float | None = None,
    sample_rate: int | None = None,
    output: Literal["pandas", "numpy"] = "pandas",
    errors: Literal["raise", "skip"] = "raise",
    device: str | torch.device | None = None,
    precision: Literal["float32", "bfloat16", "int8", "auto"] | None = None,
    workers: int | None = None,
    progress: bool = False,
    dimensions: int | None = None,
) -> pandas.DataFrame | NDArray[np.float32]:
    """Embed audio files, folders, segments of files, or waveforms.

    The table is held in memory, 4 bytes for each dimension of a row: 12 kB for a whole embedding. For larger
    collections, use ``byola-hear embed``, which writes to disk as it proceeds and can be resumed.

    Args:
        inputs: one or several paths, or one or several waveforms.

            - Paths: audio files in any format that can be read, folders, glob patterns, and :class:`byola_hear.Clip`
              for a segment of a file.
            - Waveforms: ``(n_samples,)``, a batch ``(n_clips, n_samples)``, or a list of ``(n_samples_i,)``; NumPy
              arrays or torch tensors of floating point in [-1, 1] at ``sample_rate``.
        model: a name, a checkpoint's path, or a model.
        kind: ``"scene"`` for one embedding per clip, ``"timestamp"`` for embeddings along time.
        window: length of sound pooled into an embedding, s. The windows of scenes cover each clip from its beginning;
            those of timestamps are centred on their times. None: the whole clip (scene), or the model's own window
            (timestamp).
        hop: time from one embedding to the next, s. None: the window's length (scene), or the model's own hop
            (timestamp).
        sample_rate: sampling rate of the waveforms, Hz. They are resampled to the model's rate. Not for files, which
            know their rates.
        output: ``"pandas"`` for a table, ``"numpy"`` for an array.
        errors: what to do if a file does not exist or can't be embedded. ``"raise"``: raise an error. ``"skip"``: leave
            it out; the table's ``attrs["errors"]`` maps the file to the reason (to all reasons, if several segments of
            it failed). With ``output="numpy"``, there is a warning instead.
        device: where to compute; None for the model's current device.
        precision: arithmetic of the network; None for the model's own, which is ``"float32"`` unless it was changed.
            ``"int8"`` is the fastest on most CPUs, ``"auto"`` takes the fastest on this machine; see
            :meth:`~byola_hear.models.model.ByolaModel.in_precision`.
        workers: number of threads that decode files; None for half of the network's threads, but at least two.
        progress: show a progress bar.
        dimensions: length of short vectors, see :func:`byola_hear.load_model`; None for whole embeddings, or for what
            a model that was given makes.

    Returns:
        With ``output="pandas"``: a table with one row per embedding, float32 columns ``e0``, ``e1`` … and the index
        ``file``, ``start`` and ``end`` (s); for timestamps also ``time`` (s). Start and end of a
        :class:`~byola_hear.Clip` are as given, unless the file ends earlier. The ``file`` of a waveform is its
        position, ``"0"``, ``"1"`` … A clip that is given twice is in the table once.

        With ``output="numpy"``: the embeddings alone, ``(n_rows, size)`` float32, in the order of the inputs; a clip
        that is given twice is in the array twice.

    Raises:
        FileNotFoundError: if a path or pattern matches no file and ``errors`` is ``"raise"``.
        TypeError: if an input is neither a path, nor a clip, nor a waveform.
        AudioFileError: if a file can't be embedded and ``errors`` is ``"raise"``; see
            :class:`byola_hear.AudioFileError`, a ``ValueError``.
        ValueError: if an argument or a waveform is not as described, or the device can't be used.

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
    items = listed(inputs)
    network = loaded(model, dimensions)
    if device is not None:
        network = network.to(usable_device(device))
    if precision is not None:
        network = network.in_precision(precision)
    request = request_for(network, kind, window, hop)
    asked: list[Clip] | None = None
    absent: dict[str, str] = {}
    if is_waveform(items[0]):
        named = at_rate(items, sample_rate, network.sample_rate)
        events, n_clips = extract_waveforms(named, network, request), len(items)
    else:
        if sample_rate is not None:
            raise ValueError(f"sample_rate is for waveforms, files know their own; got sample_rate={sample_rate}")
        asked = clips_of(items, absent.__setitem__ if errors == "skip" else None)
        clips = list(dict.fromkeys(asked))
        events, n_clips = extract(clips, network, request, workers), len(clips)
    rows, failures = _collected(events, errors == "raise", n_clips, progress)
    failures = {**absent, **failures}
    if output == "numpy":
        if failures:
            file, reason = next(iter(failures.items()))
            lost = f"{quantity(len(failures), 'file')} could not be embedded"
            message = f"{lost}, so the array lacks rows; the first is {file}: {reason}"
            warnings.warn(message, stacklevel=2)
        return _array(rows, asked, request.size)
    from byola_hear.tables import to_dataframe

    table = to_dataframe(rows, request)
    table.attrs["errors"] = failures
    return table


def read_table(path: PathLike) -> pandas.DataFrame:
    """Read a table of embeddings that ``byola-hear embed`` wrote, in any of its formats.

    Args:
        path: the table, a file or a folder.

    Returns:
        The same table that :func:`embed` returns for the same clips.

    Raises:
        FileNotFoundError: if the table does not exist.
        TableError: if it is not such a table, is damaged, or needs a package that is not installed; see
            :class:`byola_hear.TableError`.
    """
    from byola_hear import tables

    return tables.read_table(path)


def _collected(
    events: Iterator[Event], strict: bool, n_clips: int, progress: bool
) -> tuple[list[Rows], dict[str, str]]:
    """The rows of the clips that succeeded, and for each file of the others the reasons."""
    from tqdm import tqdm

    rows: list[Rows] = []
    failures: dict[str, dict[str, None]] = {}
    complete = 0  # rows of clips that succeeded
    # Closed explicitly, because an error that is raised here would keep the threads alive.
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
    """Embeddings without an index: those of clips in the order and as often as they were asked for."""
    arrays = [each.embeddings for each in rows]
    if asked is not None:
        of_clip: dict[Clip, list[NDArray[np.float32]]] = {}
        for each in rows:
            of_clip.setdefault(each.clip, []).append(each.embeddings)
        arrays = [embeddings for clip in asked for embeddings in of_clip.get(clip, [])]
    return np.concatenate([np.zeros((0, size), np.float32), *arrays])
