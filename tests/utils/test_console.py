"""Warnings of this package are one line on standard error; those of others stay as they are."""

from __future__ import annotations

import warnings

import pytest

from byola_hear.audio import AudioFileWarning
from byola_hear.utils.console import warn_in_one_line


def test_warning_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        others: list[str] = []
        warnings.showwarning = lambda message, *more: others.append(str(message))
        warn_in_one_line()
        warnings.warn("a\nb.wav: loud", AudioFileWarning, stacklevel=1)
        warnings.warn("not ours", UserWarning, stacklevel=1)
    assert capsys.readouterr().err == "warning: a b.wav: loud\n"
    assert others == ["not ours"]
