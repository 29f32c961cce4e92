"""Stands where rest.akismet.com would be: clients reach the service under test through it, unchanged.

A client is told of it as of any HTTP proxy, and trusts its certificate as it would trust a company's. Calls
to other hosts are refused and remembered, so that no test reaches out to the real service unnoticed.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import trustme

DOMAINS = ("rest.akismet.com", "spam.example", "spam.example.org")
"""Names we answer for, each with one label (the key) in front of it or none."""

HOP_BY_HOP = frozenset({"connection", "keep-alive", "proxy-connection", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request as it left the client, and what the service answered."""

    scheme: str
    path: str
    host: str
    form: dict[str, list[str]]
    status: int
    headers: dict[str, str]
    body: str

    @property
    def score(self) -> str:
        return self.headers["x-replyguard-score"]


@dataclass
class Front:
    """Address of the running front, and everything that went through it."""

    url: str
    tls_port: int
    authority: Path
    exchanges: list[Exchange] = field(default_factory=list)
    strays: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])

    def environment(self) -> dict[str, str]:
        """Return the variables that clients of all these languages know: a proxy, and whom to trust."""
        return {
            "HTTP_PROXY": self.url,
            "HTTPS_PROXY": self.url,
            "http_proxy": self.url,
            "https_proxy": self.url,
            "PERL_LWP_ENV_PROXY": "1",
            "SSL_CERT_FILE": str(self.authority),
            "REQUESTS_CA_BUNDLE": str(self.authority),
            "NODE_EXTRA_CA_CERTS": str(self.authority),
        }


def answers_for(host: str) -> bool:
    """Tell whether a host name, port aside, is one that we stand in for."""
    name = host.rsplit(":", 1)[0].lower()
    return name in (*DOMAINS, "127.0.0.1") or name.partition(".")[2] in DOMAINS


class _Server(ThreadingHTTPServer):
    def __init__(self, upstream: tuple[str, int], context: ssl.SSLContext, *, tls: bool) -> None:
        self.upstream = upstream
        self.context = context
        self.tls = tls
        self.front: Front | None = None
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Whole answers leave in one packet; Nagle and delayed acknowledgements would add 40 ms to each otherwise.
    disable_nagle_algorithm = True
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.scheme = "http"
        if self.server.tls:
            self._start_tls()

    def finish(self) -> None:
        super().finish()
        self.connection.close()

    def log_message(self, *_args: object) -> None:
        """Keep the tests' own output clean; what went through is in ``Front.exchanges``."""

    def _start_tls(self) -> None:
        self.connection = self.server.context.wrap_socket(self.connection, server_side=True)
        self.rfile.close()
        self.rfile = self.connection.makefile("rb", -1)
        self.wfile = self.connection.makefile("wb", 0)
        self.scheme = "https"

    def do_CONNECT(self) -> None:
        if not answers_for(self.path):
            self._refuse_stray(self.path)
            return
        self.send_response(200, "Connection established")
        self.end_headers()
        self._start_tls()
        self.close_connection = False

    def do_GET(self) -> None:
        self._relay()

    def do_POST(self) -> None:
        self._relay()

    def _relay(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = urlsplit(self.path)
        host = self.headers.get("Host", parts.netloc)
        if not answers_for(host):
            self._refuse_stray(host)
            return
        answer, content = self._ask(parts._replace(scheme="", netloc="").geturl(), body)
        front = self.server.front
        assert front is not None
        front.exchanges.append(
            Exchange(
                scheme=self.scheme,
                path=parts.path,
                host=host,
                form=parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True),
                status=answer.status,
                headers={name.lower(): value for name, value in answer.getheaders()},
                body=content.decode("utf-8"),
            )
        )
        self.send_response_only(answer.status, answer.reason)
        for name, value in answer.getheaders():
            if name.lower() not in HOP_BY_HOP:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def _ask(self, target: str, body: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        # A connection for each request: one kept idle may be closed by the service just as it is used again.
        with closing(http.client.HTTPConnection(*self.server.upstream, timeout=20)) as upstream:
            upstream.putrequest(self.command, target, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in HOP_BY_HOP:
                    upstream.putheader(name, value)
            upstream.endheaders(body)
            answer = upstream.getresponse()
            return answer, answer.read()

    def _refuse_stray(self, host: str) -> None:
        assert self.server.front is not None
        self.server.front.strays.append(host)
        self.close_connection = True
        self.send_error(403, "only the Akismet API is served here")


@contextmanager
def running_front(upstream: tuple[str, int], folder: Path) -> Iterator[Front]:
    """Serve until the block ends.

    Parameters
    ----------
    upstream : tuple of (str, int)
        Host and port of the service under test, plain HTTP.
    folder : Path
        Where the certificate authority, made for this run, is written.
    """
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    certificate = authority.issue_cert(*DOMAINS, *(f"*.{name}" for name in DOMAINS), "127.0.0.1")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    plain, tls = (_Server(upstream, context, tls=tls) for tls in (False, True))
    front = Front(
        url=f"http://127.0.0.1:{plain.server_port}",
        tls_port=tls.server_port,
        authority=folder / "authority.pem",
    )
    for server in (plain, tls):
        server.front = front
        threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield front
    finally:
        for server in (plain, tls):
            server.shutdown()
            server.server_close()


def free_port() -> int:
    """Return a port that nothing listens on at the moment of asking."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
