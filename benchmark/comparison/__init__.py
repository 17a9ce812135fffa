"""From a folder of outcomes to the table, its statistics and an interactive page.

:func:`benchmark.comparison.command.write_comparison` does all of it; ``python -m benchmark table`` repeats it.
"""
