"""The cells of the table."""

from __future__ import annotations

import pytest

from benchmark.studies.size.cells import SizeCell
from benchmark.studies.size.run import cells_of


def test_cells_are_every_width_and_volume() -> None:
    assert cells_of([64, 32], [5, 1]) == [SizeCell(32, 1), SizeCell(64, 1), SizeCell(32, 5), SizeCell(64, 5)]
    both = cells_of([32], [1], [(64, 2), (16, 6)])
    assert both == [SizeCell(32, 1), SizeCell(16, 1, layers=6), SizeCell(64, 1, layers=2)]
    assert cells_of([], [1], [(16, 6)]) == [SizeCell(16, 1, layers=6)]
    for widths, volumes in (([], [1]), ([32], [0]), ([33], [1])):
        with pytest.raises(ValueError, match="expected"):
            cells_of(widths, volumes)
