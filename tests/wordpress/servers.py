"""Servers that a test WordPress needs: started on loopback, stopped by their own process."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from pathlib import Path

START_TIMEOUT_S = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for_port(port: int, process: subprocess.Popen[bytes], what: str) -> None:
    """Wait until something listens, or say that it died or took too long."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"{what} ended at once with status {process.returncode}")
        with socket.socket() as probe:
            probe.settimeout(1.0)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{what} did not listen within {START_TIMEOUT_S:.0f} s")


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class Database:
    """A MariaDB server in a folder, reached by a socket only."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "mariadb"
        # a path of a Unix socket may have 107 characters, which a long temporary folder uses up
        self.socket = Path(f"/tmp/replyguard-test-{os.getpid()}-{free_port()}.sock")
        self.log = folder / "mariadb.log"
        options = ["--no-defaults", f"--datadir={self.data}"]
        if os.geteuid() == 0:
            options.append("--user=root")
        with self.log.open("wb") as log:
            subprocess.run(
                [
                    "mariadb-install-db",
                    *options,
                    "--auth-root-authentication-method=normal",
                    "--skip-test-db",
                ],
                stdout=log,
                stderr=log,
                check=True,
            )
            self._process = subprocess.Popen(
                ["mariadbd", *options, "--skip-networking", f"--socket={self.socket}", "--skip-log-bin"],
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self.socket.exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.close()
                raise RuntimeError(f"MariaDB did not start:\n{self.log.read_text(errors='replace')}")
            time.sleep(0.05)

    def create(self, name: str) -> None:
        statement = f"DROP DATABASE IF EXISTS {name}; CREATE DATABASE {name} CHARACTER SET utf8mb4"
        subprocess.run(
            ["mariadb", "--no-defaults", f"--socket={self.socket}", "-uroot", "-e", statement], check=True
        )

    def close(self) -> None:
        stop(self._process)
        self.socket.unlink(missing_ok=True)
