"""Starts the real service, as an operator would: by settings in the environment and the command line."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clients.front import free_port

ROOT = Path(__file__).parents[2]
# What the console script `replyguard` runs, but always from this checkout.
REPLYGUARD = (sys.executable, "-c", "from service.cli import main; main()")


@dataclass(frozen=True)
class Service:
    """Address and folder of a running service."""

    port: int
    data_dir: Path
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def _environment(data_dir: Path, port: int) -> dict[str, str]:
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("REPLYGUARD_")}
    return inherited | {
        "REPLYGUARD_DATA_DIR": str(data_dir),
        "REPLYGUARD_PORT": str(port),
        "REPLYGUARD_WORKERS": "2",
        "PYTHONUNBUFFERED": "1",
    }


def is_ready(url: str) -> bool:
    """Tell whether ``/readyz`` says so."""
    try:
        with urllib.request.urlopen(f"{url}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as error:
        error.close()
        return False
    except OSError:
        return False


@contextmanager
def running_service(data_dir: Path, keys: dict[str, str | None]) -> Iterator[Service]:
    """Make the keys, serve with two workers until the block ends.

    Parameters
    ----------
    data_dir : Path
        An empty folder.
    keys : dict
        Key to the site it is tied to, or to None.
    """
    port = free_port()
    environment = _environment(data_dir, port)
    log = data_dir.with_suffix(".log")

    def say(*words: str) -> None:
        done = subprocess.run(
            (*REPLYGUARD, *words), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"replyguard {' '.join(words)} failed:\n{done.stdout}{done.stderr}"

    say("migrate")
    for key, site in keys.items():
        say("keys", "create", "--key", key, *(("--site", site) if site else ()))
    with log.open("wb") as output:
        process = subprocess.Popen(
            (*REPLYGUARD, "serve"), cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        service = Service(port, data_dir, process)
        try:
            deadline = time.monotonic() + 60
            while not is_ready(service.url):
                ended = process.poll() is not None or time.monotonic() > deadline
                assert not ended, f"not ready:\n{log.read_text()[-4000:]}"
                time.sleep(0.1)
            yield service
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
