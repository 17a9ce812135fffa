"""Run the commands of pre-training as a user does, with a small and quick network."""

from __future__ import annotations

import pytest

from byola_hear.pretraining.cli import main

#: Options of ``train`` for a small network and a quick run.
QUICK = [
    *("--batch-size", "4", "--crop-frames", "32", "--channels", "4", "--hidden-size", "16", "--projector-hidden", "16"),
    *("--warm-up-steps", "2", "--threads", "1", "--device", "cpu", "--precision", "float32"),
]
#: The same for a transformer and masked prediction.
QUICK_MASKED = [
    *("--method", "masked", "--batch-size", "4", "--crop-frames", "40", "--width", "16", "--layers", "2"),
    *("--masks", "2", "--decoder-width", "16", "--warm-up-steps", "2", "--threads", "1", "--device", "cpu"),
    *("--precision", "float32"),
]


def run(*arguments: object) -> int:
    """Run a command in this process and return its exit code."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0)
