"""How a WSGI server behaves when it matters: odd but legal requests, silent clients, a killed worker."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack

from benchmarks.processes import THREADS, WORKERS
from benchmarks.wsgi_servers import running_server


def _exchange(port: int, *pieces: bytes, pause_s: float = 0.0, timeout_s: float = 3.0) -> bytes:
    """Send pieces with a pause between them; return the answer up to the end of the first body line."""
    with socket.create_connection(("127.0.0.1", port), timeout=timeout_s) as connection:
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(pause_s)
        received = b""
        while not received.endswith(b"false"):
            chunk = connection.recv(65536)
            if not chunk:
                break
            received += chunk
        return received


HEAD = b"POST /1.1/comment-check HTTP/1.1\r\nHost: rest.akismet.com\r\nContent-Type: text/plain\r\n"


def _answers(port: int, *pieces: bytes, pause_s: float = 0.0) -> bool:
    try:
        answer = _exchange(port, *pieces, pause_s=pause_s)
    except OSError:
        return False
    return b" 200 " in answer and answer.endswith(b"false")


def _plain_request_is_answered(port: int) -> bool:
    return _answers(port, HEAD + b"Content-Length: 3\r\nConnection: close\r\n\r\na=b")


def _takes_chunks(port: int) -> bool:
    return _answers(
        port, HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\na=b\r\n0\r\n\r\n"
    )


def _takes_expect_continue(port: int) -> bool:
    expecting = HEAD + b"Expect: 100-continue\r\nContent-Length: 3\r\nConnection: close\r\n\r\n"
    return _answers(port, expecting, b"a=b", pause_s=0.2)


def _takes_absolute_target(port: int) -> bool:
    absolute = HEAD.replace(b"POST /", b"POST http://rest.akismet.com/")
    return _answers(port, absolute + b"Content-Length: 3\r\nConnection: close\r\n\r\na=b")


def _stands_silent_clients(port: int) -> bool:
    """Tell whether requests get through while many more clients than threads sit on half a request each."""
    # every worker must be there to take its share of them
    time.sleep(2)
    with ExitStack() as held:
        for _ in range(8 * WORKERS * THREADS):
            client = held.enter_context(socket.create_connection(("127.0.0.1", port), timeout=3))
            client.sendall(HEAD)
            time.sleep(0.01)
        return all(_plain_request_is_answered(port) for _ in range(8))


def _replaces_killed_worker(port: int, first: subprocess.Popen[bytes]) -> bool:
    """Tell whether requests are answered again, by as many processes, after one was killed."""
    time.sleep(2)
    workers = _children(first.pid)
    if not workers:
        return False
    os.kill(workers[0], signal.SIGKILL)
    time.sleep(4)
    answered = all(_plain_request_is_answered(port) for _ in range(8))
    return answered and len(_children(first.pid)) == len(workers)


def _children(parent: int) -> list[int]:
    """Return the child processes that are alive; a dead one that nobody has asked about is not."""
    done = subprocess.run(
        ("ps", "-o", "pid=,stat=", "--ppid", str(parent)), capture_output=True, text=True, check=False
    )
    rows = (line.split() for line in done.stdout.splitlines())
    return [int(number) for number, state in rows if not state.startswith("Z")]


def behaviour(name: str) -> dict[str, bool]:
    """Return what a server can stand, each probe on a fresh one."""
    found = {}
    probes: dict[str, Callable[[int], bool]] = {
        "chunked body": _takes_chunks,
        "100-continue": _takes_expect_continue,
        "absolute target": _takes_absolute_target,
        "silent clients": _stands_silent_clients,
    }
    for label, probe in probes.items():
        with running_server(name, "benchmarks.noop:app") as (port, _):
            found[label] = probe(port)
    with running_server(name, "benchmarks.noop:app") as (port, first):
        found["worker killed"] = _replaces_killed_worker(port, first)
    return found
