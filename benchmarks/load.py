"""A closed-loop HTTP client: so many connections, each with one request under way at any time.

One thread and raw sockets, so that the client costs little and the same whatever it talks to.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Run:
    """What was measured.

    Attributes
    ----------
    latencies_s : ndarray of float64, shape (n_requests,)
        From the first byte sent (for a new connection: from its opening) to the last byte read.
    elapsed_s : float
        Of the whole run.
    bodies : Counter of str
        How often each body was answered.
    """

    latencies_s: NDArray[np.float64]
    elapsed_s: float
    bodies: Counter[str]

    @property
    def per_second(self) -> float:
        return len(self.latencies_s) / self.elapsed_s

    def percentile_ms(self, percent: float) -> float:
        return float(np.percentile(self.latencies_s, percent) * 1000)


class _Connection:
    def __init__(self, address: tuple[str, int], payloads: Iterator[bytes], *, keep_alive: bool) -> None:
        self._address = address
        self._payloads = payloads
        self._keep_alive = keep_alive
        self.socket: socket.socket | None = None
        self.started = 0.0
        self._received = b""

    def send(self) -> socket.socket:
        """Send the next request; open a connection first where there is none."""
        payload = next(self._payloads)
        self.started = time.perf_counter()
        if self.socket is None:
            self.socket = socket.create_connection(self._address, timeout=30)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.sendall(payload)
        self._received = b""
        return self.socket

    def receive(self) -> str | None:
        """Read what is there; return the body once the answer is complete."""
        assert self.socket is not None
        chunk = self.socket.recv(65536)
        self._received += chunk
        head, complete, body = self._received.partition(b"\r\n\r\n")
        if not complete:
            if not chunk:
                raise ConnectionError("the server hung up before it had answered")
            return None
        length, closes = _framing(head)
        if len(body) < length:
            if not chunk:
                raise ConnectionError("the server hung up in the middle of a body")
            return None
        status, text = head.split(b" ", 2)[1], body[:length].decode()
        # "unavailable" is an answer, if not one that was hoped for: it is counted, with its latency.
        if status != b"200" and (status, text) != (b"503", "unavailable"):
            raise ConnectionError(f"answered {head.splitlines()[0].decode()}: {text[:200]}")
        if closes or not self._keep_alive:
            self.close()
        return text

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


def _framing(head: bytes) -> tuple[int, bool]:
    lines = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:])
    if b"content-length" not in lines:
        raise ConnectionError("an answer without Content-Length")
    return int(lines[b"content-length"]), lines.get(b"connection", b"").strip() == b"close"


def run(
    address: tuple[str, int], payloads: Sequence[bytes], *, concurrency: int, keep_alive: bool, seconds: float
) -> Run:
    """Send the payloads round and round for a time.

    Parameters
    ----------
    payloads : sequence of bytes
        Whole requests, head and body; with ``Connection: close`` where ``keep_alive`` is False.
    seconds : float
        No new request is sent after that; those under way are waited for.

    Raises
    ------
    ConnectionError
        If the server hangs up early, or answers anything but 200 or that it is unavailable.
    """

    def forever() -> Iterator[bytes]:
        while True:
            yield from payloads

    stream = forever()
    latencies: list[float] = []
    bodies: Counter[str] = Counter()
    begin = time.perf_counter()
    deadline = begin + seconds
    with selectors.DefaultSelector() as selector:
        connections = [_Connection(address, stream, keep_alive=keep_alive) for _ in range(concurrency)]
        busy = len(connections)
        for connection in connections:
            selector.register(connection.send(), selectors.EVENT_READ, connection)
        try:
            while busy:
                ready = selector.select(timeout=30)
                if not ready:
                    raise ConnectionError("no answer within 30 s")
                for key, _ in ready:
                    connection = key.data
                    opened = connection.socket
                    body = connection.receive()
                    if body is None:
                        continue
                    now = time.perf_counter()
                    latencies.append(now - connection.started)
                    bodies[body] += 1
                    if now >= deadline:
                        busy -= 1
                        selector.unregister(opened)
                    elif connection.socket is None:
                        selector.unregister(opened)
                        selector.register(connection.send(), selectors.EVENT_READ, connection)
                    else:
                        connection.send()
        finally:
            for connection in connections:
                connection.close()
    return Run(np.array(latencies), time.perf_counter() - begin, bodies)
