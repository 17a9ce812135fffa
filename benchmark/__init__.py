"""Measuring audio embeddings: labelled sets, probes, tables and the speed of the package.

Stands on :mod:`byola_hear` and never the other way round. ``python -m benchmark --help`` lists the commands.
"""

from pathlib import Path

#: The folder that contains this package.
CHECKOUT = Path(__file__).resolve().parents[1]
#: Real clips in several formats.
CLIPS = CHECKOUT / "tests" / "data"
#: Results that are kept.
RESULTS = CHECKOUT / "benchmark" / "results"
