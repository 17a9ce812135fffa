"""Labels of recordings: read from and written to the files of annotation programs.

:func:`read` gives a DataFrame of segments and their labels, from Raven selection tables, Audacity label tracks, CSV,
Parquet and folders; :func:`write` writes one.
"""

from byola_hear.labels.reading import FORMATS, read, read_segments
from byola_hear.labels.writing import text_of, write

__all__ = ["FORMATS", "read", "read_segments", "text_of", "write"]
