"""Tables of embeddings: written while they are computed, resumed after a crash, and read.

:func:`open_store` makes a table of the events of an extraction, in any of the formats in
:mod:`byola_hear.tables.formats.registry`. :func:`read_table` reads such a table as a DataFrame.
"""

from byola_hear.tables.errors import TableError, TableRefused
from byola_hear.tables.formats.registry import ENDINGS
from byola_hear.tables.frame import read_table, to_dataframe
from byola_hear.tables.output import check_output
from byola_hear.tables.scan import Scan, open_scan
from byola_hear.tables.store import Finished, Store, open_store

__all__ = [
    "ENDINGS",
    "Finished",
    "Scan",
    "Store",
    "TableError",
    "TableRefused",
    "check_output",
    "open_scan",
    "open_store",
    "read_table",
    "to_dataframe",
]
