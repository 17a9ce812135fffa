"""Numbers and names as text in Markdown tables."""

from __future__ import annotations

import html
import re

from benchmark.reporting.markdown import NOTHING
from byola_hear.utils.text import one_line


def escaped(text: str) -> str:
    """Escape text, so that it is plain text in a Markdown table.

    Example:
        >>> escaped("a|b <i>c</i>")
        'a\\\\|b &lt;i&gt;c&lt;/i&gt;'
    """
    line = html.escape(one_line(text), quote=False)
    for sign in "\\|`*[]":
        line = line.replace(sign, f"\\{sign}")
    return line


def unescaped(line: str) -> str:
    """Undo :func:`escaped`, except for changes of blanks.

    Example:
        >>> unescaped(escaped("a|b & <i>*c*</i>"))
        'a|b & <i>*c*</i>'
    """
    return html.unescape(re.sub(r"\\([\\|`*\[\]])", r"\1", line))


def number(value: float | None, low: float | None, high: float | None, digits: int, scale: float = 100) -> str:
    """Format a number ± half its interval.

    Example:
        >>> number(0.8471, 0.83, 0.87, 1), number(0.5, None, None, 1), number(None, None, None, 1)
        ('84.7 ± 2.0', '50.0', '–')
    """
    if value is None:
        return NOTHING
    half = "" if low is None or high is None else f" ± {scale * (high - low) / 2:.{digits}f}"
    return f"{scale * value:.{digits}f}{half}".replace("-", "−")


def with_limits(value: float | None, low: float | None, high: float | None, digits: int) -> str:
    """Format a number and its limits, for asymmetric intervals.

    Example:
        >>> with_limits(0.83, 0.727, 1.0, 2), with_limits(-0.5, None, None, 2), with_limits(None, None, None, 2)
        ('0.83 [0.73, 1.00]', '−0.50', '–')
    """
    if value is None:
        return NOTHING
    limits = "" if low is None or high is None else f" [{low:.{digits}f}, {high:.{digits}f}]"
    return f"{value:.{digits}f}{limits}".replace("-", "−")


def signed(value: float, low: float | None, high: float | None) -> str:
    """Format a difference in points ± half its interval.

    Example:
        >>> signed(0.0123, None, None), signed(-0.02, -0.05, 0.01)
        ('+1.2', '−2.0 ± 3.0')
    """
    half = "" if low is None or high is None else f" ± {50 * (high - low):.1f}"
    return f"{100 * value:+.1f}{half}".replace("-", "−")


def p_value(value: float | None) -> str:
    """Format a p-value; a dash if there is none.

    Example:
        >>> p_value(0.0421), p_value(0.00004), p_value(None)
        ('0.042', '< 0.001', '–')
    """
    return NOTHING if value is None else "< 0.001" if value < 0.001 else f"{value:.3f}"
