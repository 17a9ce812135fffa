from __future__ import annotations

import pytest

from byola_hear.pretraining.corpora.catalogue.lookup import find


def test_unknown_name_is_an_error_with_similar_names() -> None:
    with pytest.raises(ValueError, match=r"'hedgewar-data'.*hedgewars-data"):
        find(["hedgewar-data"])
    assert [found.set_name for found in find(["hedgewars-data"])] == ["speech", "nonspeech"]
