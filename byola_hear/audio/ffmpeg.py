"""Files that libsndfile can't read (M4A, WMA, video and others), decoded by the program ``ffmpeg`` if it is on PATH.

ffmpeg decodes the first audio track of a file into a pipe, with its own rate and channels. Mixing and resampling are
therefore the same as for every other file, and memory does not depend on the length. Errors of ffmpeg are errors here,
and so is a length that differs from the container's. Times count from the first sample of the track.
"""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing

import numpy as np
from numpy.typing import NDArray

from byola_hear.audio.formats.content import Content
from byola_hear.audio.source import TOLERANCE_S, AudioFileError, piece_frames, skipped
from byola_hear.utils.text import one_line

#: Further suffixes of audio files in folders if ffmpeg is installed.
FFMPEG_SUFFIXES = frozenset(
    (
        *(".m4a", ".m4b", ".mp4", ".mov", ".3gp", ".aac", ".wma", ".asf", ".mka", ".mkv", ".webm", ".avi", ".amr"),
        *(".ac3", ".eac3", ".dts", ".wv", ".ape", ".tta", ".mpc", ".spx", ".ra", ".dsf"),
    )
)
#: Header of an AU file, the simplest container that states its rate: magic, first byte of the samples, their size,
#: encoding (6 for 32-bit floating point), Hz, channels.
_AU_HEAD = struct.Struct(">4s5I")
_AU_FLOAT = 6
#: Local files only, whatever a name or a playlist says.
_LOCAL_ONLY = ("-protocol_whitelist", "file,pipe,subfile")
#: Formats that refer to other files.
_PLAYLISTS = frozenset(("concat", "hls", "dash", "imf"))
#: Lines of ffmpeg's log: format, length and streams of the file; then the output; then errors.
_CONTAINER = re.compile(r"^\[info\] Input #0, (\S+), from", re.MULTILINE)
_DURATION = re.compile(r"^\[info\] +Duration: (\d+):(\d\d):(\d\d(?:\.\d+)?)(?:, start: (\d+\.\d+))?", re.MULTILINE)
_STREAM = re.compile(r"^\[info\] +Stream #0:\d+[^:\n]*: (\w+): ([^\s,]+)", re.MULTILINE)
_ESTIMATED = "Estimating duration from bitrate"
_OUTPUT = "[info] Output #0, "
_ERROR = re.compile(r"^(?:\[[^]]*@[^]]*\] )?\[(?:error|fatal|panic)\] ")
#: What ffmpeg says of files that are damaged in another way, or not at all.
_NO_REASONS = ("Error marking filters as finished", "Guessed Channel Layout", "If you want to help, upload")
#: Containers whose headers state a length, which reveals a truncated file.
_TIMED = frozenset(("matroska", "mov", "asf", "ape", "tta", "wv"))
#: Characters of ffmpeg's error that are quoted, at most.
_LONGEST_REASON = 300


def available() -> bool:
    """Whether ``ffmpeg`` is on PATH."""
    return shutil.which("ffmpeg") is not None


def decoded_seconds(path: str) -> float | None:
    """The length of the audio that ffmpeg decodes from a file, regardless of errors.

    Args:
        path: a regular file.

    Returns:
        Seconds; None if ffmpeg is not installed or decodes nothing.
    """
    if not available():
        return None
    try:
        with closing(FfmpegSource(path, Content(os.path.getsize(path)), strict=False)) as source:
            try:
                for _ in source.pieces():
                    pass
            except AudioFileError:
                pass  # what came before counts
            return source.position / source.sample_rate or None
    except AudioFileError:
        return None


class FfmpegSource:
    """A file that ffmpeg decodes; see :class:`~byola_hear.audio.source.Source`.

    Args:
        path: a regular file.
        content: its structure.
        form: ffmpeg's name of the format, for files without a header.
        strict: whether errors of ffmpeg end the reading. If the structure shows the length, they don't, but a
            different length does.

    Raises:
        AudioFileError: if ffmpeg is not installed, can't be started or can't read the file.
    """

    def __init__(self, path: str, content: Content, form: str | None = None, strict: bool = True) -> None:
        self.path = path
        self._strict = strict and content.seconds is None
        self._known_seconds = content.seconds
        # Containers state a time, not a number of samples, and often an estimate.
        self.frames: int | None = None
        self.position = self._to_skip = 0
        self._input_name = self._input(content)
        try:
            self._messages = tempfile.TemporaryFile()  # noqa: SIM115, closed with the source
        except OSError as error:  # no folder for it, for example
            raise AudioFileError(f"{path}: can't be read: ffmpeg needs a temporary file ({error})") from error
        try:
            self._process = subprocess.Popen(
                [
                    *(shutil.which("ffmpeg") or "ffmpeg", "-nostdin", "-hide_banner", "-nostats", "-v", "level+info"),
                    *(*(("-xerror",) if self._strict else ()), *_LOCAL_ONLY),
                    *(*(("-f", form) if form else ()), "-i", self._input_name),
                    *("-map", "0:a:0", "-c:a", "pcm_f32be", "-f", "au", "pipe:1"),
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
            hours, minutes, seconds, start = (_DURATION.findall(told) or [("0", "0", "0", "")])[0]
            length = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
            is_timed = self.container.split(",")[0] in _TIMED
            if is_timed and start:
                # A part of a longer recording may begin later than at 0, and its length be that from 0 on.
                length -= float(start)
            self.header_seconds = length if length > 0 else None
            #: Whether the length in the header is exact and that of this track.
            self._is_alone = len(streams) == 1 and is_timed and _ESTIMATED not in told
        except BaseException:
            self.close()
            raise

    def skip_to(self, frame: int) -> None:
        """Continue at a sample. All samples before it are decoded and dropped, which is exact in every format."""
        self._to_skip = frame

    def pieces(self) -> Iterator[NDArray[np.float32]]:
        """The remaining samples, ``(n_samples, channels)`` each."""
        decoded = self._decoded()
        return skipped(decoded, self._to_skip) if self._to_skip else decoded

    def close(self) -> None:
        """Stop ffmpeg."""
        if self._process.poll() is None:
            self._process.kill()
        if self._process.stdout is not None:
            self._process.stdout.close()
        self._process.wait()
        self._messages.close()

    def _input(self, content: Content) -> str:
        """The input for ffmpeg: the file without the tags around it, some of which ffmpeg takes for damage."""
        if not content.start and content.end >= os.path.getsize(self.path):
            return f"file:{self.path}"
        return f"subfile,,start,{content.start},end,{content.end},,:file:{self.path}"

    def _read(self, n_bytes: int) -> bytes:
        assert self._process.stdout is not None  # it is a pipe, see above
        return self._process.stdout.read(n_bytes)

    def _head(self) -> tuple[int, int]:
        """Rate in Hz and number of channels, from the header of ffmpeg's output."""
        head = self._read(_AU_HEAD.size)
        if len(head) < _AU_HEAD.size:
            said = self._last_words()
            if "matches no streams" in said:  # of a video, for instance
                raise AudioFileError(f"{self.path}: not an audio file that can be read: it contains no audio track")
            raise AudioFileError(f"{self.path}: not an audio file that can be read (ffmpeg: {said})")
        magic, offset, _, encoding, sample_rate, channels = _AU_HEAD.unpack(head)
        if magic != b".snd" or encoding != _AU_FLOAT or offset < _AU_HEAD.size or not sample_rate or not channels:
            raise AudioFileError(f"{self.path}: unexpected output of ffmpeg: {head!r}")
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
        """What is wrong with a file that ffmpeg has decoded; None if nothing is."""
        code = self._process.wait()
        seconds = self.position / self.sample_rate
        if self._known_seconds is not None:
            if abs(seconds - self._known_seconds) <= TOLERANCE_S:
                return None
            return f"it contains {self._known_seconds:.2f} s"
        if code != 0:
            return f"ffmpeg: {self._last_words()}"
        for line in self._said().partition(_OUTPUT)[2].splitlines():
            # Messages of the AU writer concern timestamps, not the file.
            if self._strict and _ERROR.search(line) and not line.startswith("[au @"):
                return f"ffmpeg: {_without_level(line)}"
        # A codec that this ffmpeg lacks may give nothing, and no error.
        is_exact = self._strict and self._is_alone
        promised = self.header_seconds if is_exact or not self.position else None
        if promised is not None and seconds < promised - TOLERANCE_S:
            return f"the header states {promised:.2f} s"
        return None

    def _last_words(self) -> str:
        """The last error that ffmpeg reported, without the path, with which our message begins."""
        code = self._process.wait()
        # The path is removed first, because it may contain line breaks.
        said = self._said()
        for name in (self._input_name, f"file:{self.path}", self.path):
            said = said.replace(f"{name}: ", "")
        lines = [one_line(line) for line in said.splitlines() if line.strip()]
        lines = [line for line in lines if not any(words in line for words in _NO_REASONS)]
        errors = [line for line in lines if _ERROR.search(line)]
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
