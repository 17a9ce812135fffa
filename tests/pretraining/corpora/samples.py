"""Packages, archives and a mirror, made small for the tests of the corpora."""

from __future__ import annotations

import gzip
import hashlib
import io
import lzma
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

COMPRESSIONS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    ".gz": gzip.compress,
    ".xz": lambda data: lzma.compress(data, preset=0),
}


def noise(seconds: float, rate: int = 16000, seed: int = 0) -> NDArray[np.float32]:
    """White noise, ``(n_samples,)`` float32."""
    random = np.random.default_rng(seed)
    return (0.2 * random.standard_normal(round(seconds * rate))).clip(-1, 1).astype(np.float32)


def wav(samples: NDArray[np.float32], rate: int = 16000, form: str = "WAV", subtype: str | None = None) -> bytes:
    """The bytes of an audio file."""
    stream = io.BytesIO()
    soundfile.write(stream, samples, rate, format=form, subtype=subtype)
    return stream.getvalue()


def streamed_flac(samples: NDArray[np.float32]) -> bytes:
    """A FLAC file as a program writes it into a pipe: the number of its samples is 0 in its header."""
    content = bytearray(wav(samples, form="FLAC"))
    content[21] &= 0xF0
    content[22:26] = bytes(4)
    return bytes(content)


def tar_of(files: Mapping[str, bytes], links: Mapping[str, str] | None = None) -> bytes:
    """A tar with regular files and symbolic links under unchecked names."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for name, target in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = tarfile.SYMTYPE, target
            tar.addfile(info)
    return stream.getvalue()


def ar_of(members: Mapping[str, bytes]) -> bytes:
    """An ar archive, the outer layer of a .deb."""
    parts = [b"!<arch>\n"]
    for name, content in members.items():
        header = f"{name:<16}{0:<12}{0:<6}{0:<6}{'100644':<8}{len(content):<10}".encode() + b"`\n"
        parts += [header, content, b"\n" * (len(content) % 2)]
    return b"".join(parts)


def deb_of(
    name: str,
    files: Mapping[str, bytes],
    links: Mapping[str, str] | None = None,
    version: str = "1:2.0-3",
    compression: str = ".xz",
) -> bytes:
    """A Debian package with the files and a copyright."""
    copyright_file = {f"./usr/share/doc/{name}/copyright": b"Copyright: somebody\nLicense: CC0-1.0\n"}
    control = f"Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: x\nDescription: y\n z\n"
    press = COMPRESSIONS[compression]
    return ar_of(
        {
            "debian-binary": b"2.0\n",
            f"control.tar{compression}": press(tar_of({"./control": control.encode()})),
            f"data.tar{compression}": press(tar_of({**copyright_file, **files}, links)),
        }
    )


class Mirror:
    """The files of a local mirror, and the requests that it got.

    Attributes:
        address: address of the mirror.
        files: content of each path below the address.
        asked: path and ``Range`` header of each request.
        breaks: number of bytes after which the connection of a path breaks, once.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self.files: dict[str, bytes] = {}
        self.asked: list[tuple[str, str | None]] = []
        self.breaks: dict[str, int] = {}

    def add_packages(self, packages: Mapping[str, bytes], suite: str = "bookworm") -> None:
        """Put packages and their index on the mirror."""
        stanzas = []
        for name, content in packages.items():
            path = f"pool/main/{name[0]}/{name}/{name}_2.0-3_all.deb"
            self.files[path] = content
            stanzas.append(
                f"Package: {name}\nVersion: 1:2.0-3\nDescription: y\n z\nFilename: {path}\n"
                f"Size: {len(content)}\nSHA256: {hashlib.sha256(content).hexdigest()}\n"
            )
        index = lzma.compress("\n".join(stanzas).encode(), preset=0)
        self.files[f"dists/{suite}/main/binary-amd64/Packages.xz"] = index

    def answer(self, path: str, wanted: str | None) -> tuple[int, bytes, int, str]:
        """The status, the content, how many of its bytes to send, and the content range."""
        self.asked.append((path, wanted))
        content = self.files.get(path)
        if content is None:
            return 404, b"", 0, ""
        status, part = 200, ""
        if wanted:
            first, size = int(wanted.removeprefix("bytes=").rstrip("-")), len(content)
            status, content, part = 206, content[first:], f"bytes {first}-{size - 1}/{size}"
        return status, content, min(len(content), self.breaks.pop(path, len(content))), part


@contextmanager
def running_mirror() -> Iterator[Mirror]:
    """Run a mirror on this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            status, content, sent, part = mirror.answer(self.path.lstrip("/"), self.headers.get("Range"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            if part:
                self.send_header("Content-Range", part)
            self.end_headers()
            self.wfile.write(content[:sent])

        def log_message(self, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    mirror = Mirror(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield mirror
    finally:
        server.shutdown()
        server.server_close()


def write_package(folder: Path, name: str, files: Mapping[str, bytes]) -> Path:
    """Write a package as if it had been fetched."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}_2.0-3_all.deb"
    path.write_bytes(deb_of(name, files, compression=""))
    return path
