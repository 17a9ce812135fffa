"""Silence for C libraries, and not for us."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import os, sys
from byola_hear.utils.quiet import native_messages_hidden

print("before", file=sys.stderr)
try:
    with native_messages_hidden():
        os.write(2, b"a library\\n")
        print("ours \u266b", file=sys.stderr)
        raise ValueError
except ValueError:
    os.write(2, b"after\\n")
    print("the end", file=sys.stderr)
"""


def test_only_our_own_messages_are_seen() -> None:
    done = subprocess.run([sys.executable, "-X", "utf8", "-c", PROGRAM], capture_output=True, encoding="utf-8")
    assert done.returncode == 0
    assert done.stderr.splitlines() == ["before", "ours \u266b", "after", "the end"]


def test_nothing_happens_where_standard_error_is_captured(capsys) -> None:
    from byola_hear.utils.quiet import native_messages_hidden

    with native_messages_hidden():
        print("ours", file=sys.stderr)
    assert capsys.readouterr().err == "ours\n"
