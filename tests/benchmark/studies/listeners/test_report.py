"""What the report of the study with listeners says of its numbers."""

from __future__ import annotations

from benchmark import RESULTS
from benchmark.studies.findings import read_numbers
from benchmark.studies.listeners.findings import sentences
from benchmark.studies.listeners.report import NAME


def test_what_is_left_without_the_descriptors_is_called_smaller_only_if_it_is() -> None:
    numbers = read_numbers(RESULTS, NAME)
    assert "the correlation over pairs is still above 0, but smaller: 21" in " ".join(sentences(numbers, {}))
    of_both = (numbers["model"] == "both") & (numbers["measure"] == "partial") & numbers["reference"].isna()
    numbers.loc[of_both, ["value", "low", "high"]] += 0.3
    assert "the correlation over pairs is still above 0: 21" in " ".join(sentences(numbers, {}))
