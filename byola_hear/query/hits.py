"""Search of a table by sounds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray

from byola_hear.analysis.search import COSINES, best
from byola_hear.models.model import ByolaModel
from byola_hear.query.network import model_of
from byola_hear.query.sounds import ONE, Sounds, clips_of, embedded, segment_of
from byola_hear.query.table import Frame, indexed, scored
from byola_hear.tables import Scan, open_scan
from byola_hear.tables.search_index import Rows
from byola_hear.utils.device import usable_device
from byola_hear.utils.files import PathLike

if TYPE_CHECKING:
    import pandas


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

    By default, the cosine is ``"standardised"``. The mean of the collection is subtracted from its embeddings. Each
    dimension is divided by the square root of its standard deviation, and 64 principal components are compared. More
    neighbours share a label this way than by the plain cosine; ``python -m benchmark search`` measures how many. Scores
    then depend on the collection: 0 means no more alike than any two of its clips. Tables with fewer than 20 rows are
    searched by the plain cosine.

    If the table is of windows and the query is longer than a window, the query is cut into windows of that length,
    which count as several queries; silent ones are left out. A table that does not say how it was made, as a CSV file,
    is searched by the whole query.

    Args:
        table: a table of scene embeddings: a path, in any format that ``byola-hear embed`` writes, or a DataFrame from
            :func:`byola_hear.embed` or :func:`byola_hear.read_table`, whose columns ``e0``, ``e1`` … count.
        query: the sound to look for: one or several audio files, folders of them, patterns, or
            :class:`byola_hear.Clip` for a segment of a file.
        n: number of hits.
        start: where the sound begins in the query's only file, s.
        end: where it ends, s.
        exclude: sounds to stay away from, such as wrong hits of a search before.
        cosine: ``"standardised"`` or ``"plain"``.
        merge: whether rows of one file that touch or overlap make one hit. Rows are taken from the best on until there
            are ``n`` hits; if there never are, as many rows as give the most hits.
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
    if not isinstance(exclude, ONE):
        exclude = list(exclude)  # an iterator can be read once only
    source: Scan | Frame = Frame.of(table) if isinstance(table, pd.DataFrame) else open_scan(table)
    network = model_of(source.request, source.name, model, dimensions)
    if device is not None:
        network = network.to(usable_device(device))
    if index is not None and (isinstance(source, Frame) or cosine != "standardised"):
        what = "a table in memory" if isinstance(source, Frame) else f"the {cosine} cosine"
        raise ValueError(f"an index is for the standardised cosine and a table on disk, got {what}")
    window = None if source.request is None else source.request.window
    queries = embedded(segment_of(clips_of(query, "query"), start, end), network, window)
    excluded = embedded(clips_of(exclude, "sound to exclude"), network, window) if exclude != [] else None
    if index is None or isinstance(source, Frame):
        scores, rows = scored(source, queries, excluded, cosine)
    else:
        kept = indexed(source, index, queries.shape[1])
        rows, scores = kept.rows, kept.vectors @ kept.space.direction(queries, excluded)
    return hits_of(scores, rows, int(n), merge)


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
