"""The WSGI servers that could serve us, and the command that starts each with as many workers and threads."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from benchmarks.processes import THREADS, WORKERS, free_port, plain_environment, running

PYTHON = sys.executable
BASELINE = "gunicorn gthread"
# The port, then the application as module:name.
_BJOERN = f"""
import importlib, os, sys, bjoern
module, name = sys.argv[2].split(":")
app = getattr(importlib.import_module(module), name)
bjoern.listen(app, "127.0.0.1", int(sys.argv[1]))
for _ in range({WORKERS - 1}):
    if os.fork() == 0:
        break
bjoern.run()
"""


def gunicorn_gthread(app: str, port: int) -> tuple[str, ...]:
    """Return the command that serves as ``replyguard serve`` does: processes with threads."""
    return (*_gunicorn(port, "gthread"), f"--threads={THREADS}", app)


def _gunicorn(port: int, kind: str) -> tuple[str, ...]:
    # without --keep-alive a connection is closed after 2 s of silence; sync knows no keep-alive
    return (
        PYTHON,
        "-m",
        "gunicorn",
        f"--bind=127.0.0.1:{port}",
        f"--workers={WORKERS}",
        f"--worker-class={kind}",
        "--keep-alive=75",
        "--log-level=error",
    )


SERVERS: dict[str, Callable[[str, int], tuple[str, ...]]] = {
    BASELINE: gunicorn_gthread,
    "gunicorn sync": lambda app, port: (*_gunicorn(port, "sync"), app),
    "gunicorn gevent": lambda app, port: (*_gunicorn(port, "gevent"), app),
    "granian": lambda app, port: (
        *(PYTHON, "-m", "granian", "--interface=wsgi", "--host=127.0.0.1", f"--port={port}"),
        *(f"--workers={WORKERS}", f"--blocking-threads={THREADS}", "--log-level=error"),
        *("--respawn-failed-workers", app),
    ),
    "uwsgi": lambda app, port: (
        *(os.path.join(os.path.dirname(PYTHON), "uwsgi"), f"--http11-socket=127.0.0.1:{port}", "--master"),
        *(
            f"--processes={WORKERS}",
            f"--threads={THREADS}",
            "--disable-logging",
            "--die-on-term",
            "--module",
            app,
        ),
    ),
    # threads, but one process
    "waitress": lambda app, port: (
        *(PYTHON, "-m", "waitress", f"--listen=127.0.0.1:{port}", f"--threads={WORKERS * THREADS}", app),
    ),
    # processes, but no threads
    "bjoern": lambda app, port: (PYTHON, "-c", _BJOERN, str(port), app),
}


@contextmanager
def running_server(name: str, app: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """Run an application on one of ``SERVERS``; yield its port and its first process."""
    port = free_port()
    with running(SERVERS[name](app, port), port, plain_environment()) as process:
        yield port, process
