"""A server of files on this machine that can be told to misbehave."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What it serves, how, and what it was asked for."""

    url: str
    files: dict[str, bytes] = field(default_factory=dict)
    ranges: bool = True
    etag: str | None = '"1"'
    content_type: str = "application/octet-stream"
    #: Called before each answer with the number of the request; a status means: that, and nothing else.
    refuse: Callable[[int], int | None] = lambda _: None
    #: Bytes after which the connection is cut, by the number of the request.
    cut: Callable[[int], int | None] = lambda _: None
    redirect: dict[str, str] = field(default_factory=dict)
    length: bool = True
    asked: list[tuple[str, str | None]] = field(default_factory=list)


@contextmanager
def serving() -> Iterator[FileServer]:
    server = FileServer("")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            number = len(server.asked)
            path, wanted = self.path.split("?")[0], self.headers.get("Range")
            server.asked.append((path, wanted))
            status = server.refuse(number)
            if path in server.redirect:
                self.send_response(302)
                self.send_header("Location", server.redirect[path])
                self.end_headers()
                return
            if status is not None or path not in server.files:
                self.send_response(status or 404)
                self.send_header("Retry-After", "0")
                self.end_headers()
                return
            content, start = server.files[path], 0
            stale = self.headers.get("If-Range") not in (None, server.etag)
            if wanted and server.ranges and not stale:
                begun = re.fullmatch(r"bytes=(\d+)-", wanted)
                assert begun, wanted
                start = int(begun[1])
                if start >= len(content):
                    self.send_response(416)
                    self.send_header("Content-Range", f"bytes */{len(content)}")
                    self.end_headers()
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            self.send_header("Content-Type", server.content_type)
            if server.length:
                self.send_header("Content-Length", str(len(content) - start))
            if server.etag:
                self.send_header("ETag", server.etag)
            self.end_headers()
            cut = server.cut(number)
            # A client that has seen enough goes.
            with suppress(ConnectionError):
                self.wfile.write(content[start:] if cut is None else content[start : start + cut])

        def log_message(self, *_: object) -> None:
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{http.server_address[1]}"
    thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join()
