"""A real HTTP server that treats a file as badly as servers do."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class ServedFile:
    """One file and the server's manners.

    Attributes
    ----------
    content : bytes
    break_after : list of int
        For each of the first requests: after how many bytes of the answer the connection is cut.
    statuses : list of int
        For each of the first requests: an error to answer instead.
    ranges : bool
        Whether ``Range`` is obeyed.
    tag : bool
        Whether the answer carries an ETag.
    becomes : bytes, optional
        Replaces the content after the first request.
    location : str
        Redirects there.
    length : bool
        Whether the answer says how long it is.
    shift : int
        How far beside the range asked for the answer is.
    seen : list of dict
        The requests' headers.
    """

    content: bytes = b""
    break_after: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    ranges: bool = True
    tag: bool = True
    becomes: bytes | None = None
    location: str = ""
    length: bool = True
    shift: int = 0
    retry_after: str = ""
    seen: list[dict[str, str]] = field(default_factory=list)


@contextmanager
def serving(files: dict[str, ServedFile]) -> Iterator[str]:
    """Serve files by path; give the server's address."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *args: object) -> None:
            pass

        def do_GET(self) -> None:
            self.close_connection = True
            file = files.get(self.path)
            if file is None:
                self.send_error(404)
                return
            file.seen.append(dict(self.headers))
            if file.statuses:
                self.send_response(file.statuses.pop(0))
                if file.retry_after:
                    self.send_header("Retry-After", file.retry_after)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            if file.location:
                self.send_response(302)
                self.send_header("Location", file.location)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content = file.content
            if file.becomes is not None:
                file.content, file.becomes = file.becomes, None
            tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            start = 0
            asked = self.headers.get("Range", "")
            fits = self.headers.get("If-Range", tag) == tag
            if file.ranges and asked and fits:
                start = int(asked.removeprefix("bytes=").rstrip("-")) + file.shift
                if start >= len(content):
                    self.send_error(416)
                    return
                self.send_response(206)
                self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
            else:
                self.send_response(200)
            if file.tag:
                self.send_header("ETag", tag)
            if file.length:
                self.send_header("Content-Length", str(len(content) - start))
            else:
                self.send_header("Connection", "close")
            self.end_headers()
            rest = content[start:]
            if file.break_after:
                rest = rest[: file.break_after.pop(0)]
            self.wfile.write(rest)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
