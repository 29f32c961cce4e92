"""The queue on a real Redis: a retraining that one process asks for is done by a worker of another."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import redis

from service.clock import utc_now
from service.settings import Settings
from service.startup import open_database
from service.stores.runs import Run, RunStore
from tests.commands import ROOT

pytestmark = [
    pytest.mark.clients,
    pytest.mark.skipif(
        shutil.which("redis-server") is None and os.environ.get("CLIENTS_MUST_RUN") != "1",
        reason="redis-server is not installed: apt-get install redis-server",
    ),
]


def eventually(found: Callable[[], bool], *, within_s: float = 30.0) -> None:
    give_up = time.monotonic() + within_s
    while not found():
        assert time.monotonic() < give_up, f"not within {within_s:.0f} s"
        time.sleep(0.05)


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    words = ("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path))
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    with redis.Redis(port=port) as client:

        def answers() -> bool:
            try:
                return bool(client.ping())
            except redis.ConnectionError:
                return False

        eventually(answers)
    yield f"redis://127.0.0.1:{port}/0"
    process.terminate()
    process.wait(10)


@pytest.fixture
def environ(redis_url: str, prepared: Settings) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPLYGUARD_")}
    return inherited | {
        "REPLYGUARD_DATA_DIR": str(prepared.data_dir),
        "REPLYGUARD_REDIS_URL": redis_url,
        "REPLYGUARD_LOG_LEVEL": "error",
    }


def request(environ: dict[str, str]) -> None:
    words = (sys.executable, "-m", "service", "retrain")
    subprocess.run(words, cwd=ROOT, env=environ, check=True, capture_output=True, timeout=60)


def test_a_worker_takes_a_retraining_from_redis_at_once_and_not_only_with_its_minute(
    environ: dict[str, str], redis_url: str, prepared: Settings
) -> None:
    database = open_database(prepared)
    runs = RunStore(database, utc_now)

    def latest() -> Run:
        return runs.latest(1)[0]

    request(environ)
    assert latest().state == "requested"
    with redis.Redis.from_url(redis_url) as client:
        assert any(b"replyguard" in key for key in client.scan_iter()), "the message does not wait in Redis"
    assert not (prepared.data_dir / "jobs.db").exists()
    worker = subprocess.Popen((sys.executable, "-m", "service", "worker"), cwd=ROOT, env=environ)
    try:
        # What waited before it came.
        eventually(lambda: latest().has_ended)
        first = latest()
        assert (first.state, first.reason) == ("refused", "no moderator has said anything yet")
        # Without messages a worker looks once a minute, so five in a row would take five minutes.
        for _ in range(5):
            request(environ)
            eventually(lambda: latest().has_ended, within_s=8.0)
        ended = runs.latest(10)
        assert len(ended) == 6
        assert len({run.holder for run in ended}) == 1
    finally:
        worker.terminate()
        worker.wait(20)
        database.close()
