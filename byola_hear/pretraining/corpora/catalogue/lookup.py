"""Look up corpora of the modules ``speech`` and ``nonspeech``."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from byola_hear.pretraining.corpora.catalogue.corpus import Corpus
from byola_hear.pretraining.corpora.catalogue.nonspeech import NONSPEECH
from byola_hear.pretraining.corpora.catalogue.speech import SPEECH


def catalogue(set_name: str | None = None) -> list[Corpus]:
    """List the known corpora, in the order in which they are built.

    Args:
        set_name: ``speech`` or ``nonspeech``. None lists both sets.
    """
    return [corpus for corpus in (*SPEECH, *NONSPEECH) if set_name in (None, corpus.set_name)]


def find(names: Iterable[str], set_name: str | None = None) -> list[Corpus]:
    """Look up corpora by name.

    Args:
        names: names of corpora. A package may be in both sets and is then found twice.
        set_name: ``speech`` or ``nonspeech``. None searches both sets.

    Raises:
        ValueError: if a name is not in the catalogue. The message gives similar names.
    """
    known = catalogue(set_name)
    found = []
    for name in names:
        matching = [corpus for corpus in known if corpus.name == name]
        if not matching:
            near = get_close_matches(name, [corpus.name for corpus in known], n=3)
            where = f"in the {set_name} set" if set_name else "in the catalogue"
            hint = f"; similar: {', '.join(near)}" if near else ""
            raise ValueError(f"expected the name of a corpus {where}, got {name!r}{hint}")
        found += matching
    return found
