"""The real server, with two worker processes, over HTTP."""

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from sqlalchemy import func, select

from model.classifier import SpamClassifier
from service.clock import utc_now
from service.db import Database
from service.keys import Keys
from service.pseudonyms import SECRET_FILE, Pseudonyms
from service.schema import api_keys, checks, daily_counts
from service.settings import Settings
from service.startup import open_database, open_registry, secret_of
from service.stores.keys import KeyStore
from service.stores.sites import SiteStore
from tests.builders import ALICE_SITE, a_form

pytestmark = pytest.mark.long
ROOT = Path(__file__).parents[2]
FAKE_MODEL = ("tests.functional.served",)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


class Served:
    """One running service."""

    def __init__(
        self, settings: Settings, log: Path, program: tuple[str, ...] = FAKE_MODEL, **more: str
    ) -> None:
        self.url = f"http://127.0.0.1:{(port := free_port())}"
        self.settings = settings
        environ = {name: value for name, value in os.environ.items() if not name.startswith("REPLYGUARD_")}
        environ |= {
            "REPLYGUARD_DATA_DIR": str(settings.data_dir),
            "REPLYGUARD_PORT": str(port),
            "REPLYGUARD_WORKERS": "2",
            # Whether a lock is waited for long enough is not what these tests ask.
            "REPLYGUARD_DATABASE_TIMEOUT_S": "10",
            "PYTHONPATH": str(ROOT),
        }
        environ |= {f"REPLYGUARD_{name}": value for name, value in more.items()}
        if settings.database_url is not None:
            environ["REPLYGUARD_DATABASE_URL"] = settings.database_url.get_secret_value()
        self._log = log.open("wb")
        self.process = subprocess.Popen(
            [sys.executable, "-m", *program],
            cwd=ROOT,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )

    def first_key(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().decode().removeprefix("first key: ").strip()

    def first_key_of_command(self) -> str:
        assert self.process.stdout is not None
        lines = iter(self.process.stdout.readline, b"")
        return next(line for line in lines if b"first API key" in line).decode().rpartition(" ")[2].strip()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with contextlib.suppress(requests.RequestException):
                if requests.get(f"{self.url}/readyz", timeout=5).status_code == 200:
                    return
            assert self.process.poll() is None, "the server ended"
            time.sleep(0.1)
        raise AssertionError("the server did not become ready")

    def workers(self) -> list[int]:
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()


@pytest.fixture
def served(settings: Settings, tmp_path: Path) -> Iterator[Served]:
    running = Served(settings, tmp_path / "log")
    try:
        yield running
    finally:
        running.stop()


def form(key: str, body: str) -> dict[str, str]:
    return a_form(api_key=key, blog=ALICE_SITE, comment_content=body)


def test_both_workers_give_the_same_answers(served: Served) -> None:
    key = served.first_key()
    served.wait_until_ready()
    deadline = time.monotonic() + 30
    while len(served.workers()) < 2 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(served.workers()) == 2
    answers = set()
    for _ in range(40):
        # A connection of its own for each, so that both workers get some.
        response = requests.post(f"{served.url}/1.1/comment-check", data=form(key, "casino"), timeout=10)
        answers.add((response.text, response.headers["X-Replyguard-Score"]))
    assert answers == {("true", "0.970000")}


def test_a_policy_reaches_every_worker_within_two_seconds(served: Served) -> None:
    key = served.first_key()
    served.wait_until_ready()
    for _ in range(20):
        assert (
            requests.post(f"{served.url}/1.1/comment-check", data=form(key, "casino"), timeout=10).text
            == "true"
        )
    environ = os.environ | {"REPLYGUARD_DATA_DIR": str(served.settings.data_dir)}
    if served.settings.database_url is not None:
        environ["REPLYGUARD_DATABASE_URL"] = served.settings.database_url.get_secret_value()
    command = (sys.executable, "-m", "service", "policy", "allow", ALICE_SITE, "word", "casino")
    subprocess.run(command, cwd=ROOT, env=environ, check=True, capture_output=True)
    time.sleep(2)
    answers = {
        requests.post(f"{served.url}/1.1/comment-check", data=form(key, "casino"), timeout=10).text
        for _ in range(40)
    }
    assert answers == {"false"}


def test_a_version_promoted_over_http_answers_on_every_worker_within_two_seconds(
    settings: Settings, tmp_path: Path
) -> None:
    running = Served(settings, tmp_path / "log", ("service", "serve"))
    try:
        running.wait_until_ready()
        registry = open_registry(settings)
        shipped = registry.champion()
        old = registry.load(shipped)
        registry.add(
            SpamClassifier(
                version="0.1.0-mine",
                params=old.params,
                weights=old.weights,
                bias=old.bias + 1.0,
                policy=old.policy,
                card=old.card,
            )
        )
        database = open_database(settings)
        pseudonyms = Pseudonyms(secret_of(settings))
        keys = Keys(KeyStore(database, SiteStore()), pseudonyms, utc_now)
        admin, key = keys.create_admin(label="console"), keys.create(label="alice").text
        database.close()
        headers = {"Authorization": f"Bearer {admin.text}"}

        def answering() -> set[str]:
            return {
                requests.post(
                    f"{running.url}/1.1/comment-check", data=form(key, "casino"), timeout=10
                ).headers["X-Replyguard-Model"]
                for _ in range(40)
            }

        assert answering() == {shipped}
        for path, body, version in (
            ("promote", {"version": "0.1.0-mine"}, "0.1.0-mine"),
            ("rollback", {}, shipped),
        ):
            done = requests.post(f"{running.url}/v1/models/{path}", json=body, headers=headers, timeout=10)
            assert done.json()["version"] == version
            time.sleep(2)
            assert answering() == {version}
    finally:
        running.stop()


def test_a_request_sent_again_is_one_check_on_whichever_worker(served: Served, settings: Settings) -> None:
    headers = {"Authorization": f"Bearer {served.first_key()}"}
    served.wait_until_ready()
    body = {"site": ALICE_SITE, "content": "casino", "id": "comment-1"}
    told = [
        requests.post(f"{served.url}/v1/check", json=body, headers=headers, timeout=10).json()
        for _ in range(20)
    ]
    assert len({each["guid"] for each in told}) == 1
    assert [each["repeated"] for each in told] == [False, *[True] * 19]
    verdict = requests.get(f"{served.url}/v1/verdicts/{told[0]['guid']}", headers=headers, timeout=10).json()
    assert (verdict["answer"], verdict["reasons"][0]["text"]) == ("spam", 'word "casino"')
    corrected = {"label": "ham", "guid": told[0]["guid"]}
    answer = requests.post(f"{served.url}/v1/feedback", json=corrected, headers=headers, timeout=10)
    assert answer.json() == {"label": "ham", "site": "alice.example.com", "new": True}
    refused = requests.get(f"{served.url}/v1/sites", headers=headers, timeout=10)
    assert (refused.status_code, refused.headers["Content-Type"]) == (403, "application/problem+json")


def test_a_revoked_key_stops_working_on_every_worker_within_two_seconds(served: Served) -> None:
    key = served.first_key()
    served.wait_until_ready()
    for _ in range(20):
        assert requests.post(f"{served.url}/1.1/verify-key", data={"key": key}, timeout=10).text == "valid"
    environ = os.environ | {"PYTHONPATH": str(ROOT), "REPLYGUARD_DATA_DIR": str(served.settings.data_dir)}
    if served.settings.database_url is not None:
        environ["REPLYGUARD_DATABASE_URL"] = served.settings.database_url.get_secret_value()
    subprocess.run(
        [sys.executable, "-m", "service", "keys", "revoke", key],
        cwd=ROOT,
        env=environ,
        check=True,
        timeout=60,
    )
    time.sleep(2.0)
    for _ in range(20):
        assert requests.post(f"{served.url}/1.1/verify-key", data={"key": key}, timeout=10).text == "invalid"


def test_killing_a_worker_under_load_loses_no_answered_check(served: Served) -> None:
    key = served.first_key()
    served.wait_until_ready()
    seen: list[tuple[str, str]] = []
    broken: list[str] = []
    done = threading.Event()

    def post(number: int) -> None:
        session = requests.Session()
        count = 0
        while not done.is_set():
            count += 1
            body = f"casino {number} {count}" if count % 2 else f"hello {number} {count}"
            try:
                response = session.post(f"{served.url}/1.1/comment-check", data=form(key, body), timeout=30)
            except requests.RequestException as error:
                broken.append(type(error).__name__)
                session = requests.Session()
                continue
            if response.text in ("true", "false"):
                assert response.text == ("true" if "casino" in body else "false")
                seen.append((response.headers["X-akismet-guid"], response.text))

    threads = [threading.Thread(target=post, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        time.sleep(1.0)
        os.kill(served.workers()[0], signal.SIGKILL)
    time.sleep(1.5)
    done.set()
    for thread in threads:
        thread.join(timeout=60)
    served.wait_until_ready()

    database = Database(served.settings.sqlalchemy_url, timeout_s=10)
    with database.read() as connection:
        kept = {row.guid: row.answer for row in connection.execute(select(checks.c.guid, checks.c.answer))}
        calls = connection.execute(select(func.sum(daily_counts.c.calls))).scalar_one()
    database.close()
    assert len(seen) > 50
    assert broken, "no connection broke: the kill hit nothing"
    assert [pair for pair in seen if kept.get(pair[0]) != pair[1]] == []
    assert calls == len(kept)


def test_two_first_starts_at_once_share_one_secret_and_one_key(settings: Settings, tmp_path: Path) -> None:
    both = [Served(settings, tmp_path / f"log{number}") for number in range(2)]
    try:
        keys = {each.first_key() for each in both}
        for each in both:
            each.wait_until_ready()
    finally:
        for each in both:
            each.stop()
    assert len(keys) == 2
    assert "none" in keys
    assert len(bytes.fromhex((settings.data_dir / SECRET_FILE).read_text())) == 32
    database = Database(settings.sqlalchemy_url, timeout_s=10)
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(api_keys)).scalar_one() == 1
    database.close()


def test_the_log_of_the_server_names_no_address(served: Served, tmp_path: Path) -> None:
    key = served.first_key()
    served.wait_until_ready()
    requests.post(f"{served.url}/1.1/comment-check", data=form(key, "a private remark"), timeout=10)
    with socket.create_connection(("127.0.0.1", int(served.url.rpartition(":")[2])), timeout=10) as raw:
        raw.sendall(b"\x16\x03 no HTTP\r\n\r\n")
        raw.recv(4096)
    log = (tmp_path / "log").read_text()
    assert "a request that is not HTTP was refused" in log
    for secret in ("private remark", "198.51.100.7", key, "ip="):
        assert secret not in log


def test_the_command_serves_the_shipped_model_and_its_curl_line_works(
    settings: Settings, tmp_path: Path
) -> None:
    served = Served(settings, tmp_path / "log", ("service", "serve"))
    try:
        served.wait_until_ready()
        assert served.process.stdout is not None
        curl = next(line for line in iter(served.process.stdout.readline, b"") if b"curl" in line).decode()
        words = shlex.split(curl)
        fields = [words[number + 1] for number, word in enumerate(words) if word == "--data-urlencode"]
        response = requests.post(words[2], data=dict(field.split("=", 1) for field in fields), timeout=10)
    finally:
        served.stop()
    assert response.text in ("true", "false")
    assert 0.0 <= float(response.headers["X-Replyguard-Score"]) <= 1.0


def test_another_wsgi_server_can_take_the_application_from_its_module(
    prepared: Settings, tmp_path: Path
) -> None:
    program = "from service.wsgi import application as a; print(a.test_client().get('/healthz').json)"
    environ = {name: value for name, value in os.environ.items() if not name.startswith("REPLYGUARD_")}
    for port, exit_code in (("80", 0), ("eighty", 2)):
        done = subprocess.run(
            [sys.executable, "-c", program],
            cwd=ROOT,
            env=environ | {"REPLYGUARD_DATA_DIR": str(prepared.data_dir), "REPLYGUARD_PORT": port},
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == exit_code
        assert (b"alive" in done.stdout) == (exit_code == 0)
        assert b"Traceback" not in done.stderr
