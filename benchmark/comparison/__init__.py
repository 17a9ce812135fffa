"""From a folder of outcomes to the table, its statistics and a page to look at and listen to.

:func:`benchmark.comparison.command.write_comparison` does all of it; ``python -m benchmark table`` does it again.
"""
