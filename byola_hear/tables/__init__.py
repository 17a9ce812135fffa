"""Tables of embeddings: written as they are computed, resumed after a crash, read back.

:func:`open_store` takes an extraction's events and makes a table of them, in any of the formats of
:mod:`byola_hear.tables.formats.registry`; :func:`read_table` gives any of these back as a DataFrame.
"""

from byola_hear.tables.errors import TableError, TableRefused
from byola_hear.tables.formats.registry import ENDINGS
from byola_hear.tables.frame import read_table, to_dataframe
from byola_hear.tables.output import check_output
from byola_hear.tables.store import Finished, Store, open_store

__all__ = [
    "ENDINGS",
    "Finished",
    "Store",
    "TableError",
    "TableRefused",
    "check_output",
    "open_store",
    "read_table",
    "to_dataframe",
]
