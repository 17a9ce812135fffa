"""Files that libsndfile does not read, by the program ``ffmpeg`` where it is on PATH: M4A, WMA, video and others.

ffmpeg decodes the file's first audio track into a pipe, at its own rate and with its own channels, so that mixing
down and changing the rate are the same code as for every other file. Memory does not depend on the length.
Whatever ffmpeg calls an error is one, a truncated file too as far as it notices. Times count from the first
sample of the track.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from byola_hear.audio.source import AudioFileError, piece_frames, skipped

#: Names that are taken for audio, too, when a folder is searched and ffmpeg is there.
FFMPEG_SUFFIXES = frozenset(
    (
        *(".m4a", ".m4b", ".mp4", ".mov", ".3gp", ".aac", ".wma", ".asf", ".mka", ".mkv", ".webm", ".avi", ".amr"),
        *(".ac3", ".eac3", ".dts", ".wv", ".ape", ".tta", ".mpc", ".spx", ".ra", ".dsf"),
    )
)
#: The head of an AU file, the simplest form of samples that says its rate: magic, where the samples begin, their
#: length, 6 for 32-bit floating point, Hz, channels.
_AU_HEAD = struct.Struct(">4s5I")
_AU_FLOAT = 6
#: A file, whatever its name looks like, and nothing over a network even where a playlist says so.
_LOCAL_ONLY = ("-protocol_whitelist", "file,pipe")
#: Formats that name other files to be read in their place.
_PLAYLISTS = frozenset(("concat", "hls", "dash", "imf"))
#: What ffmpeg says of the file: its format, length and streams; then of what it writes; then what goes wrong.
_CONTAINER = re.compile(r"^\[info\] Input #0, (\S+), from", re.MULTILINE)
_DURATION = re.compile(r"^\[info\] +Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)", re.MULTILINE)
_STREAM = re.compile(r"^\[info\] +Stream #0:\d+[^:\n]*: (\w+): ([^\s,]+)", re.MULTILINE)
_OUTPUT = "[info] Output #0, "
_ERROR = re.compile(r"^(?:\[[^]]*@[^]]*\] )?\[(?:error|fatal|panic)\] ")
#: Containers with a length in the header, by which a missing end shows.
_TIMED = frozenset(("matroska", "mov", "asf", "ape", "tta", "wv"))
#: How much less than this length the samples may be, s: a packet or two.
_HEADER_TOLERANCE_S = 0.25
#: Characters of ffmpeg's last words that an error repeats.
_LONGEST_REASON = 300


def available() -> bool:
    """Whether ``ffmpeg`` is on PATH."""
    return shutil.which("ffmpeg") is not None


class FfmpegSource:
    """A file that ffmpeg decodes; see :class:`~byola_hear.audio.source.Source`.

    Args:
        path: a regular file.

    Raises:
        AudioFileError: if ffmpeg is not there, can't be started or can't read the file.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        # What a container says is a time, not a number of samples, and in many an estimate.
        self.frames: int | None = None
        self.position = self._to_skip = 0
        self._messages = tempfile.TemporaryFile()  # noqa: SIM115, closed with the source
        try:
            self._process = subprocess.Popen(
                [
                    *(
                        shutil.which("ffmpeg") or "ffmpeg",
                        "-nostdin",
                        "-hide_banner",
                        "-nostats",
                        "-v",
                        "level+info",
                        "-xerror",
                    ),
                    *(*_LOCAL_ONLY, "-i", f"file:{path}", "-map", "0:a:0", "-c:a", "pcm_f32be", "-f", "au", "pipe:1"),
                ],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self._messages,
            )
        except (OSError, ValueError) as error:
            self._messages.close()
            raise AudioFileError(f"{path}: ffmpeg can't be started ({error})") from error
        try:
            self.sample_rate, self.channels = self._head()
            told = self._said().partition(_OUTPUT)[0]
            streams = _STREAM.findall(told)
            audio = [codec for kind, codec in streams if kind == "Audio"]
            self.container, self.codec = _first(_CONTAINER, told), audio[0] if audio else "unknown"
            if self.container.split(",")[0] in _PLAYLISTS:
                raise AudioFileError(f"{path}: expected an audio file, got a playlist of other files")
            hours, minutes, seconds = (_DURATION.findall(told) or [("0", "0", "0")])[0]
            self.header_seconds = int(hours) * 3600 + int(minutes) * 60 + float(seconds) or None
            #: Whether the time in the header is this track's, and no estimate.
            self._is_alone = len(streams) == 1 and self.container.split(",")[0] in _TIMED
        except BaseException:
            self.close()
            raise

    def skip_to(self, frame: int) -> None:
        """Go on at a sample, having decoded and dropped what is before: only that is exact in every format."""
        self._to_skip = frame

    def pieces(self) -> Iterator[NDArray[np.float32]]:
        """The rest of the file, ``(n_samples, channels)`` each."""
        decoded = self._decoded()
        return skipped(decoded, self._to_skip) if self._to_skip else decoded

    def close(self) -> None:
        """End ffmpeg, wherever it is."""
        if self._process.poll() is None:
            self._process.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait()
        self._messages.close()

    def _read(self, n_bytes: int) -> bytes:
        assert self._process.stdout is not None  # it is a pipe, see above
        return self._process.stdout.read(n_bytes)

    def _head(self) -> tuple[int, int]:
        """The rate in Hz and the number of channels, from the head of what ffmpeg writes."""
        head = self._read(_AU_HEAD.size)
        if len(head) < _AU_HEAD.size:
            raise AudioFileError(f"{self.path}: not an audio file that can be read (ffmpeg: {self._last_words()})")
        magic, offset, _, encoding, sample_rate, channels = _AU_HEAD.unpack(head)
        if magic != b".snd" or encoding != _AU_FLOAT or offset < _AU_HEAD.size or not sample_rate or not channels:
            raise AudioFileError(f"{self.path}: what ffmpeg writes is not what it was asked for, {head!r}")
        self._read(offset - _AU_HEAD.size)
        return sample_rate, channels

    def _decoded(self) -> Iterator[NDArray[np.float32]]:
        frame_bytes = 4 * self.channels
        while data := self._read(piece_frames(self.channels) * frame_bytes):
            whole = len(data) - len(data) % frame_bytes
            samples = np.frombuffer(data[:whole], ">f4").astype(np.float32).reshape(-1, self.channels)
            self.position += len(samples)
            if len(samples):
                yield samples
        if trouble := self._trouble():
            raise AudioFileError(
                f"{self.path}: damaged or truncated: decoding ends after {self.position / self.sample_rate:.2f} s "
                f"({trouble})"
            )

    def _trouble(self) -> str | None:
        """What is wrong with a file that ffmpeg came to the end of; None if nothing."""
        if self._process.wait() != 0:
            return f"ffmpeg: {self._last_words()}"
        for line in self._said().partition(_OUTPUT)[2].splitlines():
            # What the writer of the pipe says, of timestamps, is not about the file.
            if _ERROR.search(line) and not line.startswith("[au @"):
                return f"ffmpeg: {_without_level(line)}"
        seconds = self.position / self.sample_rate
        if self._is_alone and self.header_seconds is not None and seconds < self.header_seconds - _HEADER_TOLERANCE_S:
            return f"the header says {self.header_seconds:.2f} s"
        return None

    def _last_words(self) -> str:
        """The last error that ffmpeg told of, without the path, which the message begins with already."""
        code = self._process.wait()
        # The path goes first, as it may hold line breaks.
        said = self._said().replace(f"file:{self.path}: ", "")
        lines = [" ".join(line.split()) for line in said.splitlines() if line.strip()]
        errors = [line for line in lines if _ERROR.search(line) and "Error marking filters as finished" not in line]
        warnings = [line for line in lines if "[warning]" in line or not line.startswith("[")]
        last = (errors or warnings or [f"it ended with exit code {code}"])[-1]
        return _without_level(last)[:_LONGEST_REASON].rstrip(".")

    def _said(self) -> str:
        if hasattr(os, "pread"):
            # ffmpeg goes on at the offset that the file has, which this leaves alone.
            descriptor = self._messages.fileno()
            said = os.pread(descriptor, os.fstat(descriptor).st_size, 0)
        else:  # Windows
            self._messages.seek(0)
            said = self._messages.read()
        return said.decode("utf-8", "replace")


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[1] if found else "unknown"


def _without_level(line: str) -> str:
    return re.sub(r"^(?:\[[^]]*@[^]]*\] )?\[\w+\] ", "", line)
