"""Measuring audio embeddings: labelled sets, probes, tables and the speed of the package.

Stands on :mod:`byola_hear` and never the other way round. ``python -m benchmark --help`` lists the commands.
"""
