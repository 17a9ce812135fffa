"""``byola_hear.search``: the segments of a collection that are most like some sounds."""

from byola_hear.query.hits import hits_of, search
from byola_hear.query.network import model_of

__all__ = ["hits_of", "model_of", "search"]
