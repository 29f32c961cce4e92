"""Starts what is measured in processes of its own: the service, or an app on some WSGI server."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks.wordpress_requests import BLOG, KEY

ROOT = Path(__file__).parents[1]
WORKERS = 2
THREADS = 4
# What the console script `replyguard` runs, but always from this checkout.
_REPLYGUARD = (sys.executable, "-c", "from service.cli import main; main()")


def free_port() -> int:
    """Return a port that nothing listens on at the moment of asking."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def running(
    command: Sequence[str], port: int, environment: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server until the block ends; the block begins when the port answers."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
            # a group of its own, so that workers of a server without a master end with it
            start_new_session=True,
        )
        try:
            deadline = time.monotonic() + 60
            while not _listens(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise RuntimeError(f"{' '.join(command)}: {log.read().decode()[-3000:]}")
                time.sleep(0.05)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def plain_environment() -> dict[str, str]:
    """Return this process's environment without settings of the service."""
    return {name: text for name, text in os.environ.items() if not name.startswith("REPLYGUARD_")}


@contextmanager
def prepared_service(port: int) -> Iterator[dict[str, str]]:
    """Make a data folder with a database and a key; yield the environment that points the service there."""
    with tempfile.TemporaryDirectory() as folder:
        environment = plain_environment() | {
            "REPLYGUARD_DATA_DIR": str(Path(folder, "data")),
            "REPLYGUARD_PORT": str(port),
            "REPLYGUARD_WORKERS": str(WORKERS),
            "REPLYGUARD_THREADS": str(THREADS),
        }
        for words in (("migrate",), ("keys", "create", "--key", KEY, "--site", BLOG)):
            done = subprocess.run(
                (*_REPLYGUARD, *words),
                cwd=ROOT,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode != 0:
                raise RuntimeError(f"replyguard {' '.join(words)}: {done.stdout}{done.stderr}")
        yield environment


@contextmanager
def running_service() -> Iterator[tuple[str, int]]:
    """Run ``replyguard serve`` on a fresh SQLite file; yield its address."""
    port = free_port()
    with prepared_service(port) as environment, running((*_REPLYGUARD, "serve"), port, environment):
        yield "127.0.0.1", port
