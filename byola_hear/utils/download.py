"""Downloads that can be continued, are checked, and appear under their names only when complete."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import re
import shutil
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, BinaryIO

from tqdm import tqdm

from byola_hear.utils.files import locked
from byola_hear.utils.remote import DownloadError, Mismatch, Missing, Remote, check, verify

#: Requests without progress after which an address is given up.
ATTEMPTS = 5

#: Requests after which an address is given up, even if each made progress.
MOST_REQUESTS = 100

#: Seconds without data after which a connection counts as interrupted.
TIMEOUT_S = 60

#: The longest pause between two requests, seconds.
LONGEST_PAUSE_S = 60.0

__all__ = ["DownloadError", "Missing", "Remote", "download", "open_url"]

_BLOCK = 1 << 18
_PASSING = (408, 425, 429, 500, 502, 503, 504)
_MISSING = (403, 404, 410)


class _Interrupted(OSError):
    """A request that may succeed if it is repeated, after ``pause`` seconds if the server asked for a pause."""

    def __init__(self, reason: str, pause: float | None = None) -> None:
        super().__init__(reason)
        self.pause = pause


def download(remote: Remote, folder: Path, progress: bool = False, pause_s: float = 1.0) -> Path:
    """Download a file, unless it exists.

    An incomplete download is kept as ``FILE.part``. The next call continues it, if the server supports that and the
    file is still the same. If ``remote.noted``, ``FILE.sha256`` contains the hash of the file in the form of
    ``sha256sum``.

    Args:
        remote: the file.
        folder: where to save the file; created if necessary.
        progress: whether to show a progress bar on stderr.
        pause_s: pause before the second request, s; it doubles with each further request.

    Returns:
        ``FOLDER/FILE``.

    Raises:
        Missing: if the file is not available from any address.
        DownloadError: if the download fails at all addresses, or the file is too large or not the expected one.
    """
    check(remote)
    folder.mkdir(parents=True, exist_ok=True)
    target, part = folder / remote.file, folder / f"{remote.file}.part"
    if target.is_file():
        verify(remote, target, target)
        return target
    with open(part, "ab") as file:
        if not locked(file):
            raise DownloadError(f"{part}: another process is downloading it")
        # Another process may just have finished the download.
        if not target.is_file():
            _get_whole(remote, target, part, file, progress, pause_s)
    if not target.is_file():
        os.replace(part, target)
    part.unlink(missing_ok=True)
    _validator_file(part).unlink(missing_ok=True)
    return target


def _get_whole(remote: Remote, target: Path, part: Path, file: BinaryIO, progress: bool, pause_s: float) -> None:
    """Complete a partial download from any of the addresses, and check it."""
    reasons: list[str] = []
    missing = True
    bar = tqdm(
        desc=f"download {remote.file}", total=remote.size, unit="B", unit_scale=True, disable=not progress, leave=False
    )
    with bar:
        for url in remote.urls:
            continued = _length(file) > 0
            try:
                _get(url, remote, part, file, bar, pause_s)
                try:
                    verify(remote, target, part)
                except DownloadError:
                    # The earlier part may belong to another file, so that the download is repeated in one piece.
                    if not continued:
                        raise
                    file.truncate(0)
                    _get(url, remote, part, file, bar, pause_s)
                    verify(remote, target, part)
                return
            except DownloadError as error:
                if isinstance(error, Mismatch):
                    file.truncate(0)
                missing = missing and isinstance(error, Missing)
                reasons.append(str(error) if url in str(error) else f"{url}: {error}")
    if not _length(file):
        with contextlib.suppress(PermissionError):  # Windows removes no open file; an empty one does no harm
            part.unlink(missing_ok=True)
        _validator_file(part).unlink(missing_ok=True)
    raise (Missing if missing else DownloadError)("; ".join(reasons))


def _length(file: BinaryIO) -> int:
    return os.fstat(file.fileno()).st_size


def _validator_file(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _get(url: str, remote: Remote, part: Path, file: BinaryIO, bar: Any, pause_s: float) -> None:
    """Request the missing part from one address until it is complete or the address is given up."""
    furthest, failures, pause = _length(file), 0, pause_s
    for _ in range(MOST_REQUESTS):
        try:
            _request(url, remote, part, file, bar)
            os.fsync(file.fileno())
            return
        except (OSError, http.client.HTTPException) as error:
            _raise_if_final(url, error)
            if _length(file) > furthest:
                furthest, failures, pause = _length(file), 0, pause_s
            else:
                failures += 1
            reason = str(error) or type(error).__name__
            if failures == ATTEMPTS:
                break
            asked = getattr(error, "pause", None)
            time.sleep(min(pause if asked is None else asked, LONGEST_PAUSE_S))
            pause *= 2
    kept = f"; {_length(file)} bytes are kept, and the same command continues there" if _length(file) else ""
    raise DownloadError(f"{url}: {reason}{kept}")


def _raise_if_final(url: str, error: Exception) -> None:
    """Raise an error that no further request can resolve."""
    cause = getattr(error, "reason", None)
    if isinstance(cause, ssl.SSLCertVerificationError):
        raise DownloadError(f"{url}: its certificate can't be verified: {cause.verify_message}") from error


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirections to http and https only, and never from https to http."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        scheme = urllib.parse.urlsplit(newurl).scheme
        if scheme not in ("http", "https") or (req.type == "https" and scheme == "http"):
            raise DownloadError(f"{req.full_url}: leads to {newurl!r}, expected a redirection to https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def open_url(url: str, headers: dict[str, str] | None = None) -> http.client.HTTPResponse:
    """Open an address. Redirections are followed, but never from https to http.

    Raises:
        DownloadError: if it redirects to another scheme.
        urllib.error.HTTPError: if the server responds with an error.
        OSError: if the connection fails.
    """
    request = urllib.request.Request(url, headers={"User-Agent": "byola-hear", **(headers or {})})
    response: http.client.HTTPResponse = urllib.request.build_opener(_Redirects).open(request, timeout=TIMEOUT_S)
    return response


def _request(url: str, remote: Remote, part: Path, file: BinaryIO, bar: Any) -> None:
    """One request for the missing part."""
    have = _length(file)
    headers = {"Accept-Encoding": "identity"}
    validator = _validator(url, part) if have else None
    if have and (validator or remote.checksum):
        headers["Range"] = f"bytes={have}-"
        if validator:
            headers["If-Range"] = validator
    try:
        response = open_url(url, headers)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416:
                if (error.headers.get("Content-Range") or "").rpartition("/")[2] == str(have):
                    return
                file.truncate(0)
                raise _Interrupted("the server has a file of another length") from error
            if error.code in _PASSING:
                asked = error.headers.get("Retry-After") or ""
                wait = float(asked) if asked.isdecimal() else None
                raise _Interrupted(f"{error.code} {error.reason}", wait) from error
            kind = Missing if error.code in _MISSING else DownloadError
            raise kind(f"{url}: {error.code} {error.reason}") from error
    with response:
        _receive(url, remote, part, file, bar, response)


def _receive(
    url: str, remote: Remote, part: Path, file: BinaryIO, bar: Any, response: http.client.HTTPResponse
) -> None:
    """Append what the server sends, or start again with it."""
    have = _length(file)
    if response.headers.get_content_type() == "text/html":
        raise DownloadError(f"{url}: expected a file, got a web page")
    if response.status == 206:
        continues = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", response.headers.get("Content-Range") or "")
        if not continues or int(continues[1]) != have:
            file.truncate(0)
            raise _Interrupted("the server sent another part of the file than requested")
    else:
        file.truncate(0)
        have = 0
    length = response.headers.get("Content-Length") or ""
    total = have + int(length) if length.isdecimal() else None
    if total is not None:
        _check_total(url, remote, part, have, total)
    _validator_file(part).write_text(json.dumps({"url": url, "validator": _strong_validator(response)}))
    bar.reset(total or remote.size)
    bar.update(have)
    while block := response.read(_BLOCK):
        if have + len(block) > remote.limit:
            file.truncate(0)
            raise DownloadError(f"{url}: expected at most {remote.limit} bytes, got more")
        try:
            file.write(block)
            file.flush()
        except OSError as error:
            raise DownloadError(f"{part}: could not be written: {error.strerror}") from error
        have += len(block)
        bar.update(len(block))
    if total is not None and have != total:
        raise _Interrupted(f"the connection ended after {have} of {total} bytes")


def _check_total(url: str, remote: Remote, part: Path, have: int, total: int) -> None:
    if remote.size is not None and total != remote.size:
        raise DownloadError(f"{url}: expected {remote.size} bytes, the server offers {total}")
    if total > remote.limit:
        raise DownloadError(f"{url}: expected at most {remote.limit} bytes, the server offers {total}")
    free = shutil.disk_usage(part.parent).free
    if total - have > free:
        raise DownloadError(f"{url}: {total - have} bytes more are needed in {part.parent}, {free} are free")


def _strong_validator(response: http.client.HTTPResponse) -> str | None:
    """The validator by which a server recognises the version of a partial download."""
    etag = response.headers.get("ETag")
    return etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified")


def _validator(url: str, part: Path) -> str | None:
    try:
        kept = json.loads(_validator_file(part).read_text())
        return str(kept["validator"]) if kept["url"] == url and kept["validator"] else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
