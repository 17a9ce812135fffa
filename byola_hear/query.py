"""``byola_hear.search``: the segments of a collection that are most like some sounds."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from byola_hear.analysis.search import COSINES, LEAST_ROWS, SAMPLE_ROWS, Space, best
from byola_hear.audio.reading import AudioFileError, read_audio
from byola_hear.dataframe import embed
from byola_hear.extraction.clips import Clip, PathLike, find_clips
from byola_hear.extraction.request import Request
from byola_hear.models.loading import in_precision_of, resolve
from byola_hear.models.model import ByolaModel
from byola_hear.models.zoo import list_models
from byola_hear.tables import Scan, TableError, TableRefused, open_scan
from byola_hear.tables.batches import BATCH_BYTES, Batch, names_array, rows_in
from byola_hear.tables.scan import spread_rows
from byola_hear.tables.search_index import Index, Rows, RowsBuilder, about_table, read_index, write_index
from byola_hear.utils.device import usable_device

if TYPE_CHECKING:
    import pandas

#: A query whose largest sample is below this is silent: half a step of 16 bits.
_SILENT = 2.0**-16
#: Bytes of embeddings up to which a table on disk is read once instead of twice, first for the standardisation.
_KEPT_BYTES = 3 << 29
#: Types of a single sound.
_ONE = (str, bytes, os.PathLike, Clip)
Sounds = PathLike | Clip | Iterable[PathLike | Clip]


def search(
    table: PathLike | pandas.DataFrame,
    query: Sounds,
    n: int = 20,
    *,
    start: float | None = None,
    end: float | None = None,
    exclude: Sounds = (),
    cosine: Literal["standardised", "plain"] = "standardised",
    merge: bool = True,
    index: PathLike | None = None,
    model: str | os.PathLike[str] | ByolaModel | None = None,
    device: str | torch.device | None = None,
    dimensions: int | None = None,
) -> pandas.DataFrame:
    """Find the segments of a collection that are most like a sound.

    Every row of the table is compared, in blocks, so that the table may be larger than the memory. The score of a row
    is its cosine with the query. With several queries, it is the mean of the cosines. With sounds to stay away from, a
    quarter of the mean of the cosines with those is subtracted.

    By default, embeddings are standardised over the collection before they are compared, and reduced to 64 principal
    components. Of the five nearest neighbours of the clips of ESC-50 (folds 1 to 4), taken from other recordings, 55 %
    share the class this way, and 49 % by the plain cosine. Scores then depend on the collection: 0 is as like as any
    two of its clips. Tables with less than 20 rows are searched by the plain cosine.

    If the table is of windows and the query is longer than a window, the query is cut into windows of that length,
    which count as several queries; silent ones are left out.

    Args:
        table: a table of scene embeddings: a path, in any format that ``byola-hear embed`` writes, or a DataFrame from
            :func:`byola_hear.embed` or :func:`byola_hear.read_table`.
        query: the sound to look for: one or several audio files, folders of them, patterns, or
            :class:`byola_hear.Clip` for a segment of a file.
        n: number of hits.
        start: where the sound begins in the query's only file, s.
        end: where it ends, s.
        exclude: sounds to stay away from, such as wrong hits of a search before.
        cosine: ``"standardised"`` or ``"plain"``.
        merge: whether rows of one file that touch or overlap make one hit. Rows are taken from the best on until there
            are ``n`` hits, or, if there are never so many, most hits.
        index: a file that keeps what is compared, smaller than the table; made if it does not exist or the table has
            changed. A search with it reads no embeddings and gives the same hits. None for no index.
        model: the network that made the table: a name, a checkpoint's path, or a model. None: the one that the table
            names. CSV files and tables that were put together in pandas do not name one.
        device: where the query is embedded; None for the model's current device.
        dimensions: length of the table's vectors, if the table does not say, and they are short
            (:func:`byola_hear.load_model`).

    Returns:
        A row for each hit, the best first: ``file``, ``start``, ``end`` (s) and ``score`` (the best row's). Segments of
        the query itself, if the table holds them, are among the hits.

    Raises:
        FileNotFoundError: if the table or a query does not exist.
        AudioFileError: if a query can't be read, is silent, or is shorter than a frame of the network, 40 ms; see
            :class:`byola_hear.AudioFileError`, a ``ValueError``.
        TableError: if the table is damaged, empty, holds NaN or infinity, or (:class:`~byola_hear.tables.TableRefused`)
            is of another network or of timestamps; if the index is damaged.
        OSError: if the index can't be written.
        ValueError: if an argument is not as described.

    Example:
        >>> import byola_hear
        >>> table = byola_hear.embed("tests/data", "speech")
        >>> hits = byola_hear.search(table, "tests/data/speech_french_16k.wav", n=2)
        >>> hits["file"].tolist()
        ['tests/data/speech_french_16k.wav', 'tests/data/speech_english_8k.wav']
    """
    import pandas as pd

    if cosine not in COSINES:
        raise ValueError(f"cosine must be one of {', '.join(COSINES)}, got {cosine!r}")
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < 1:
        raise ValueError(f"n must be a positive number of hits, got {n!r}")
    if not isinstance(exclude, _ONE):
        exclude = list(exclude)  # an iterator can be read once only
    source: Scan | _Frame = _Frame.of(table) if isinstance(table, pd.DataFrame) else open_scan(table)
    network = model_of(source.request, source.name, model, dimensions)
    if device is not None:
        network = network.to(usable_device(device))
    if index is not None and (isinstance(source, _Frame) or cosine != "standardised"):
        what = "a table in memory" if isinstance(source, _Frame) else f"the {cosine} cosine"
        raise ValueError(f"an index is for the standardised cosine and a table on disk, got {what}")
    window = None if source.request is None else source.request.window
    queries = _embedded(_segment(_clips(query, "query"), start, end), network, window)
    excluded = _embedded(_clips(exclude, "sound to exclude"), network, window) if exclude != [] else None
    if index is None or isinstance(source, _Frame):
        scores, rows = _scored(source, queries, excluded, cosine)
    else:
        indexed = _indexed(source, index, queries.shape[1])
        rows, scores = indexed.rows, indexed.vectors @ indexed.space.direction(queries, excluded)
    return hits_of(scores, rows, int(n), merge)


def model_of(
    request: Request | None,
    table: str,
    model: str | os.PathLike[str] | ByolaModel | None,
    dimensions: int | None = None,
) -> ByolaModel:
    """Load the network that made a table.

    Args:
        request: what the table says about itself; None if it says nothing.
        table: the table, for messages.
        model: the network to use; None for the one that the table names.
        dimensions: length of the table's vectors; None for what the table says, else for whole embeddings.

    Returns:
        The network, in the precision in which it made the table.

    Raises:
        TableRefused: if the table is of timestamps, of another network or of other dimensions.
        ValueError: if there is no such model, or it has not so many directions.
    """
    if request is not None and request.kind != "scene":
        raise TableRefused(f"{table} is a table of timestamps; expected one of scenes, as embed makes by default")
    if request is None and model is None:
        raise TableRefused(f"{table} does not say which model made it; give the model")
    made = "" if request is None else request.model.rpartition(" ")[0]
    if model is None and request is not None and made not in list_models():
        raise TableRefused(
            f"{table} was made with the model {request.model}, which is not in the package; give the model"
        )
    if request is not None and dimensions not in (None, request.size):
        raise TableRefused(f"{table} has embeddings of {request.size} dimensions, not {dimensions}")
    dimensions = dimensions if request is None else request.size
    network = (
        model if isinstance(model, ByolaModel) else resolve(made if model is None else model, dimensions=dimensions)
    )
    if dimensions not in (None, network.scene_embedding_size):
        raise TableRefused(
            f"{table} has embeddings of {dimensions} dimensions, the model makes {network.scene_embedding_size}"
        )
    if request is None:
        return network
    network = in_precision_of(network, request.fingerprint)
    if request.fingerprint != network.fingerprint():
        mine = f"{network.config.name} {network.config.version}"
        other = "other weights of the same name" if request.model == mine else f"the model {request.model}"
        arithmetic = "" if network.precision == "float32" else f" in {network.precision}"
        raise TableRefused(f"{table} was made with {other}, not with {mine}{arithmetic}; a query needs the same")
    return network


@dataclass(frozen=True)
class _Frame:
    """A table in memory, read as a :class:`~byola_hear.tables.Scan` is."""

    frame: pandas.DataFrame
    request: Request | None
    name: str = "the table"

    @classmethod
    def of(cls, frame: pandas.DataFrame) -> _Frame:
        missing = [name for name in ("file", "start", "end") if name not in frame.index.names]
        if missing:
            raise TableRefused(f"expected a table with the index file, start, end; no {', '.join(missing)} in it")
        about = frame.attrs.get("request")
        request = None if about is None else Request(**about)
        if request is None and "time" in frame.index.names:
            raise TableRefused("expected a table of scenes, got one of timestamps")
        return cls(frame, request)

    def batches(self) -> Iterator[Batch]:
        values = self.frame.to_numpy(np.float32)
        columns = [np.asarray(self.frame.index.get_level_values(name)) for name in ("file", "start", "end")]
        step = rows_in(BATCH_BYTES, max(1, values.shape[1]))
        for first in range(0, len(values), step):
            file, start, end = (column[first : first + step] for column in columns)
            yield Batch(
                names_array(file), start.astype(np.float64), end.astype(np.float64), None, values[first : first + step]
            )


def _clips(sounds: Sounds, what: str) -> list[Clip]:
    several = [sounds] if isinstance(sounds, _ONE) else list(sounds)
    clips: list[Clip] = []
    for each in several:
        if not isinstance(each, _ONE):
            raise TypeError(f"expected a {what} as a path or a clip, got {type(each).__name__}")
        clips += [each] if isinstance(each, Clip) else find_clips([each])
    if not clips:
        raise ValueError(f"expected at least one {what}, got none")
    return clips


def _segment(clips: list[Clip], start: float | None, end: float | None) -> list[Clip]:
    """The segment of the only clip."""
    if start is None and end is None:
        return clips
    if len(clips) > 1:
        raise ValueError(f"start and end are for one query, got {len(clips)}")
    (clip,) = clips
    return [replace(clip, start=clip.start if start is None else start, end=clip.end if end is None else end)]


def _embedded(clips: Sequence[Clip], network: ByolaModel, window: float | None) -> NDArray[np.float32]:
    """Embeddings of sounds, each in windows if it is longer than one."""
    rate = network.sample_rate
    stride, hop = network.config.encoder.stride, network.config.frontend.hop_length
    sounds: list[NDArray[np.float32]] = []
    for clip in clips:
        samples = read_audio(clip.file, rate, clip.start, clip.end)
        if len(samples) < stride * hop:
            raise AudioFileError(
                f"{clip.file}: expected a query of at least {stride * hop / rate:g} s, got {len(samples) / rate:.3f} s"
            )
        length = len(samples) if window is None else round(window * rate)
        audible = [piece for piece in _windows(samples, length) if _is_heard(piece)]
        if not audible:
            raise AudioFileError(f"{clip.file}: the query is silent")
        sounds += audible
    return embed(sounds, network, sample_rate=rate, output="numpy")


def _windows(samples: NDArray[np.float32], length: int) -> Iterator[NDArray[np.float32]]:
    """Windows of a length that cover the samples at equal distances; all samples if they are fewer."""
    count = -(-len(samples) // length)
    for first in np.linspace(0, max(0, len(samples) - length), count).round().astype(int):
        yield samples[first : first + length]


def _is_heard(samples: NDArray[np.float32]) -> bool:
    return float(np.abs(samples - samples.mean()).max()) >= _SILENT


def _scored(
    source: Scan | _Frame, queries: NDArray[np.float32], excluded: NDArray[np.float32] | None, cosine: str
) -> tuple[NDArray[np.float32], Rows]:
    """The score of each row of a table."""
    space, batches = _space(source, queries.shape[1]) if cosine == "standardised" else (Space(), None)
    direction = space.direction(queries, excluded)
    builder, scores = RowsBuilder(), []
    for batch in _checked(source, queries.shape[1]) if batches is None else batches:
        scores.append(space.scores(batch.embeddings, direction))
        _refuse(source, batch, ~np.isnan(scores[-1]))
        builder.add(batch)
    if not scores:
        raise TableError(f"{source.name}: the table is empty")
    return np.concatenate(scores), builder.finish()


def _indexed(source: Scan, path: PathLike, size: int) -> Index:
    """The index of a table, made if there is none of its present state."""
    about = about_table(source)
    index = read_index(path, about)
    if index is not None:
        width = index.vectors.shape[1] if index.space.axes is None else len(index.space.axes)
        if width != size:
            raise TableRefused(f"{os.fsdecode(path)} is of embeddings of {width} dimensions, the query's has {size}")
        return index
    space, batches = _space(source, size)
    builder, vectors = RowsBuilder(), []
    for batch in _checked(source, size) if batches is None else batches:
        vectors.append(space.units(batch.embeddings))
        _refuse(source, batch, np.asarray(np.isfinite(vectors[-1]).all(1)))
        builder.add(batch)
    if not vectors:
        raise TableError(f"{source.name}: the table is empty")
    index = Index(space, np.concatenate(vectors), builder.finish())
    write_index(path, index, about)
    return index


def _space(source: Scan | _Frame, size: int) -> tuple[Space, list[Batch] | None]:
    """The standardisation of a table, and its batches if they may be kept in memory."""
    kept = list(_checked(source, size)) if _fits(source) else None
    sample = spread_rows(iter(_checked(source, size) if kept is None else kept), SAMPLE_ROWS)
    # What is not finite is reported when its row is compared.
    usable = len(sample) >= LEAST_ROWS and np.isfinite(sample).all()
    return Space.fitted(sample) if usable else Space(), kept


def _refuse(source: Scan | _Frame, batch: Batch, finite: NDArray[np.bool_]) -> None:
    """Refuse a batch with rows that are not finite."""
    if not finite.all():
        raise TableError(f"{source.name}: holds NaN or infinity, first in a row of {batch.file[finite.argmin()]}")


def hits_of(scores: NDArray[np.float32], rows: Rows, n: int, merge: bool) -> pandas.DataFrame:
    """The best rows as a table of hits.

    Args:
        scores: ``(n,)``, the score of each row.
        rows: the rows.
        n: number of hits.
        merge: see :func:`search`.
    """
    import pandas as pd

    hits = best(scores, rows.number, rows.start, rows.end, n, merge)
    return pd.DataFrame(
        {
            "file": pd.Series([rows.names[hit.file] for hit in hits], dtype=object),
            "start": [hit.start for hit in hits],
            "end": [hit.end for hit in hits],
            "score": [hit.score for hit in hits],
        }
    )


def _fits(source: Scan | _Frame) -> bool:
    """Whether a table is in memory, or may be kept there."""
    if isinstance(source, _Frame):
        return True
    request, n_rows = source.request, source.n_rows
    return request is not None and n_rows is not None and n_rows * request.size * 4 <= _KEPT_BYTES


def _checked(source: Scan | _Frame, size: int) -> Iterator[Batch]:
    """The batches of a table, if they are of scenes and of the queries' size."""
    for batch in source.batches():
        if batch.time is not None:
            raise TableRefused(f"{source.name} is a table of timestamps; expected one of scenes")
        if batch.embeddings.shape[1] != size:
            raise TableRefused(
                f"{source.name} has embeddings of {batch.embeddings.shape[1]} dimensions, the query's has {size}; "
                "a query needs the model that made the table"
            )
        yield batch
