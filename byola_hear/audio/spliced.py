"""Views of a file in which some bytes are left out or replaced."""

from __future__ import annotations

import io
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import BinaryIO

#: Bytes, or the first byte and the end of a part of the file.
Part = bytes | tuple[int, int]


class Spliced(io.RawIOBase):
    """A read-only view of a file.

    Args:
        file: opened for reading, seekable; it is closed with the view.
        parts: the parts of the view, in order.

    Example:
        >>> view = Spliced(io.BytesIO(b"one two three"), [b"0", (3, 8), b"3"])
        >>> view.read()
        b'0 two 3'
    """

    def __init__(self, file: BinaryIO, parts: Sequence[Part]) -> None:
        self._file = file
        self._parts = [part for part in parts if _length(part)]
        #: Positions of the parts in the view.
        self._begins = list(accumulate(map(_length, self._parts), initial=0))
        self._place = 0

    def readable(self) -> bool:
        """True."""
        return True

    def seekable(self) -> bool:
        """True."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a byte of the view; see :meth:`io.IOBase.seek`."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._begins[-1]}[whence]
        self._place = max(0, start + offset)
        return self._place

    def tell(self) -> int:
        """The position in the view."""
        return self._place

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """Read from one or more parts; see :meth:`io.RawIOBase.readinto`."""
        target = memoryview(buffer).cast("B")
        n_read = 0
        while n_read < len(target) and self._place < self._begins[-1]:
            index = bisect_right(self._begins, self._place) - 1
            part, offset = self._parts[index], self._place - self._begins[index]
            wanted = min(len(target) - n_read, _length(part) - offset)
            if isinstance(part, bytes):
                data = part[offset : offset + wanted]
            else:
                self._file.seek(part[0] + offset)
                data = self._file.read(wanted)
            if not data:
                break
            target[n_read : n_read + len(data)] = data
            n_read += len(data)
            self._place += len(data)
        return n_read

    def close(self) -> None:
        """Close the view and the file."""
        if not self.closed:
            self._file.close()
        super().close()


def overwritten(patches: Mapping[int, bytes], end: int) -> tuple[Part, ...]:
    """The parts of a view in which some bytes of a file are replaced.

    Args:
        patches: positions in the file, and the bytes to put there.
        end: end of the view, in bytes of the file.

    Example:
        >>> Spliced(io.BytesIO(b"data:???? and more"), overwritten({5: b"1234"}, 13)).read()
        b'data:1234 and'
    """
    parts: list[Part] = []
    place = 0
    for at, new in sorted(patches.items()):
        parts += [(place, at), new]
        place = at + len(new)
    return (*parts, (place, end))


def _length(part: Part) -> int:
    return len(part) if isinstance(part, bytes) else max(0, part[1] - part[0])
