"""Text: counts with nouns; one-line messages; names of files; files of other programs in UTF-8, UTF-16 and UTF-32."""

from __future__ import annotations

import codecs
import os
import unicodedata
from collections.abc import Iterable

#: Byte order marks and what they announce; those of UTF-32 first, because one of UTF-16's begins another.
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: Bytes that are enough to recognise UTF-16 without a byte order mark.
_SAMPLE = 4096


def quantity(count: int, noun: str) -> str:
    """Format a count with its noun, in singular or plural.

    Example:
        >>> quantity(1, "clip"), quantity(6, "row")
        ('1 clip', '6 rows')
    """
    return f"{count} {noun}{'' if count == 1 else 's'}"


def one_line(text: object) -> str:
    """Text or the message of an exception on one line; an exception without a message is called by its type.

    Example:
        >>> one_line(ValueError("expected 1,\\n  got 2")), one_line(KeyboardInterrupt())
        ('expected 1, got 2', 'KeyboardInterrupt')
    """
    return " ".join(str(text).split()) or (type(text).__name__ if isinstance(text, BaseException) else "")


def as_bytes(name: str) -> bytes:
    """A file's name as bytes on disk."""
    return name.encode("utf-8", "surrogateescape")


def as_text(name: bytes | str) -> str:
    """A file's name as a Python string."""
    return name if isinstance(name, str) else name.decode("utf-8", "surrogateescape")


def is_text(names: Iterable[str]) -> bool:
    """Whether all names are valid Unicode."""
    try:
        for name in names:
            name.encode()
    except UnicodeEncodeError:
        return False
    return True


def one_spelling(path: str) -> str:
    """One spelling for all that name one file: accents are letters or follow them; on Windows, case is ignored.

    macOS and its archives write ``é`` as ``e`` and an accent, most other programs as one letter.

    Example:
        >>> one_spelling("e\u0301te\u0301.wav") == one_spelling("été.wav") == "été.wav"
        True
    """
    return unicodedata.normalize("NFC", os.path.normcase(path))


def same_anywhere(name: str) -> str:
    """A form that two names share if they are one file on some system: macOS and Windows ignore the case of letters.

    Example:
        >>> same_anywhere("Été.wav") == same_anywhere("E\u0301TE\u0301.WAV")
        True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def shortened(name: str, n_bytes: int) -> str:
    """A file's name, or as much of its beginning as fits: file systems take 255 bytes.

    Args:
        name: the name.
        n_bytes: what it may take in UTF-8.

    Returns:
        The name.

    Example:
        >>> shortened("day", 4), shortened("日日日", 7)
        ('day', '日日')
    """
    content = as_bytes(name)
    return name if len(content) <= n_bytes else content[:n_bytes].decode("utf-8", "ignore")


def as_utf8(content: bytes, name: str) -> bytes:
    """Convert a text file's content to UTF-8 without a byte order mark.

    Windows PowerShell's ``>`` and Excel's "Unicode text" write UTF-16 with a mark. Content without a mark is returned
    as it is, so that file names in it that are not UTF-8 keep their bytes.

    Args:
        content: the file's bytes.
        name: the file, for the message.

    Returns:
        The text in UTF-8.

    Raises:
        ValueError: if the content is not in the encoding that its mark announces, or is UTF-16 without a mark.

    Example:
        >>> as_utf8(b"\\xff\\xfea\\0\\n\\0", "list.txt")
        b'a\\n'
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            rest = content[len(mark) :]
            try:
                return rest if encoding == "utf-8" else rest.decode(encoding).encode()
            except UnicodeDecodeError:
                named = encoding[:6].upper()
                raise ValueError(
                    f"expected text, got bytes that are not {named} after a mark of {named}: {name}"
                ) from None
    if _is_unmarked_utf16(content[:_SAMPLE]):
        raise ValueError(f"expected text in UTF-8, got UTF-16 without a byte order mark: {name}")
    return content


def _is_unmarked_utf16(sample: bytes) -> bool:
    """Whether every second byte of ASCII letters, dots and line breaks is zero.

    Names separated by NUL (``find -print0``) look like this only if all of them have one letter.
    """
    even, odd = sample[::2], sample[1::2]
    for letters, zeros in ((even, odd), (odd, even)):
        many = len(zeros) >= 4 and zeros.count(0) > 0.4 * len(zeros)
        if many and 0 not in letters and any(mark in letters for mark in b"./\n"):
            return True
    return False
