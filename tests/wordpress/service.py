"""The real service, started as an operator starts it, in a temporary data folder."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

from tests.wordpress.servers import free_port, stop
from tests.wordpress.site import REPOSITORY

# what the command `replyguard` runs, but always from this checkout
REPLYGUARD = (sys.executable, "-m", "service")
READY_TIMEOUT_S = 60.0


class Service:
    """`replyguard serve` on a free port.

    Parameters
    ----------
    data : Path
        Data folder; made if it is not there.
    key : str
        The key to create, which serves any site.
    settings : str
        Further settings, without their prefix: ``unsure="hold"``.
    """

    def __init__(self, data: Path, key: str, **settings: str) -> None:
        self.key = key
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._log = data.with_suffix(".log")
        chosen = {"data_dir": str(data), "port": str(self.port), "workers": "1", **settings}
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPLYGUARD_")}
        self._environment = inherited | {f"REPLYGUARD_{name.upper()}": text for name, text in chosen.items()}
        command = (*REPLYGUARD, "keys", "create", "--key", key)
        done = subprocess.run(
            command, cwd=REPOSITORY, env=self._environment, capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"no key could be made:\n{done.stdout}{done.stderr}")
        self.start()

    def start(self) -> None:
        """Serve, on the same port and data as before if it was stopped."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                (*REPLYGUARD, "serve"), cwd=REPOSITORY, env=self._environment, stdout=log, stderr=log
            )
        deadline = time.monotonic() + READY_TIMEOUT_S
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"the service is not ready:\n{self._log.read_text()[-4000:]}")
            time.sleep(0.1)

    def _is_ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except requests.ConnectionError:
            return False

    def stop(self) -> None:
        stop(self._process)

    def statistics(self, site: str) -> dict[str, Any]:
        """What the service counted for a site."""
        fields = {"key": self.key, "blog": site, "from": "all"}
        statistics: dict[str, Any] = requests.post(f"{self.url}/1.1/get-stats", fields, timeout=10).json()
        return statistics
