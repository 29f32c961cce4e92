"""``replyguard import`` as a shell runs it: its words, its exit codes, and what a death in the middle leaves."""

from __future__ import annotations

import gzip
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.builders import ALICE_SITE
from tests.commands import Commands
from tests.service.importing.exports import wxr, wxr_comment

ROOT = Path(__file__).parents[2]
Run = Callable[..., "subprocess.CompletedProcess[str]"]
N_ROWS = 9_000


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPLYGUARD_")}
    return inherited | {"REPLYGUARD_DATA_DIR": str(tmp_path / "var"), "REPLYGUARD_LOG_LEVEL": "error"}


@pytest.fixture
def run(commands: Commands, environ: dict[str, str]) -> Run:
    def call(*arguments: object) -> subprocess.CompletedProcess[str]:
        return commands.run(*arguments, settings=environ)

    return call


def labels(tmp_path: Path) -> list[tuple[str, str]]:
    """The effective labels that are on disk, by the text of their comments."""
    connection = sqlite3.connect(tmp_path / "var" / "replyguard.db", timeout=10)
    try:
        return connection.execute("SELECT body, label FROM feedback WHERE superseded_by IS NULL").fetchall()
    finally:
        connection.close()


def a_table(n_rows: int) -> str:
    lines = (f"comment number {number},{'spam' if number % 3 else 'ham'}\n" for number in range(n_rows))
    return "content,label\n" + "".join(lines)


def test_an_export_is_imported_once_however_often(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "export.xml.gz"
    path.write_bytes(
        gzip.compress(
            wxr(
                wxr_comment("one"),
                wxr_comment("two", approved="spam"),
                wxr_comment("three", approved="0"),
                wxr_comment("four", approved="trash"),
            ).encode()
        )
    )
    command = ("import", "wordpress-xml", path, "--site", ALICE_SITE)
    refused = run(*command)
    assert (refused.returncode, f"replyguard keys create --site {ALICE_SITE}" in refused.stderr) == (1, True)
    run("keys", "create", "--site", ALICE_SITE)
    done = run(*command)
    assert (done.returncode, done.stderr) == (0, "")
    assert "4 comments read: 1 ham, 1 spam, 2 passed over." in done.stdout
    assert "2 labels imported." in done.stdout
    assert "leaves the spam queue out" in done.stdout
    again = run(*command)
    assert "0 labels imported." in again.stdout
    assert "2 were there already" in again.stdout
    assert sorted(labels(tmp_path)) == [("one", "ham"), ("two", "spam")]


def test_of_a_damaged_file_nothing_is_imported_unless_asked_for(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "export.xml"
    path.write_text(wxr(*(wxr_comment(f"number {number}") for number in range(700)))[:-500])
    run("keys", "create")
    command = ("import", "wordpress-xml", path, "--site", ALICE_SITE)
    done = run(*command)
    assert done.returncode == 1
    assert f"{path}, line " in done.stderr
    assert "the XML is malformed" in done.stderr
    assert "xmllint --recover" in done.stderr
    assert "--up-to-error" in done.stderr
    assert "Nothing was imported" in done.stderr
    assert labels(tmp_path) == []
    taken = run(*command, "--up-to-error")
    assert taken.returncode == 0
    assert "Only what stands before that is taken" in taken.stdout
    assert len(labels(tmp_path)) == 699


def test_of_a_gzip_file_that_breaks_off_what_came_is_taken_if_asked_for(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl.gz"
    rows = [{"content": random_text(number), "label": "ham", "date": "soon"} for number in range(249)]
    rows.insert(0, {"content": "dated", "label": "spam", "date": "2024-05-01"})
    whole = gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode())
    path.write_bytes(whole[: len(whole) * 2 // 3])
    run("keys", "create")
    command = ("import", "jsonl", path, "--site", ALICE_SITE)
    refused = run(*command)
    assert refused.returncode == 1
    assert "the gzip file is damaged or cut off" in refused.stderr
    assert "--up-to-error" in refused.stderr
    taken = run(*command, "--up-to-error")
    assert "Only what stands before that is taken" in taken.stdout
    n_taken = len(labels(tmp_path))
    assert 100 < n_taken < 250
    assert f"{n_taken - 1} without a date that can be read" in taken.stdout
    path.write_bytes(whole)
    run(*command)
    assert "There are more; these are the newest 200." in run("feedback", "list").stdout


def random_text(seed: int) -> str:
    return random.Random(seed).randbytes(60).hex()


def test_a_rehearsal_shows_mistakes_and_keeps_nothing(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "export.jsonl"
    rows = [
        {
            "content": "see you\x1b]0;title\x07 \u202e tomorrow" if number else "hello",
            "author": f"Maud {number}",
            "label": "spam" if number > 6 else "ham",
            "date": f"2024-05-{number + 1:02}",
            "akismet_result": "true",
        }
        for number in range(10)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    mistakes = tmp_path / "mistakes.jsonl"
    command = ("import", "jsonl", path, "--site", ALICE_SITE, "--dry-run", "--show", "1")
    done = run(*command, "--mistakes", mistakes)
    assert (done.returncode, done.stderr) == (0, "")
    assert "3 comments judged (written 2024-05-08 to 2024-05-10)" in done.stdout
    assert "Beside Akismet" in done.stdout
    assert "Spam that would have been called ham: 3, of which the worst 1:" in done.stdout
    assert "see you ]0;title" in done.stdout
    assert not {"\x1b", "\x07", "\u202e"} & set(done.stdout)
    written = [json.loads(line) for line in mistakes.read_text().splitlines()]
    assert [row["date"][:10] for row in written] == ["2024-05-08", "2024-05-09", "2024-05-10"]
    assert mistakes.stat().st_mode & 0o077 == 0
    assert not (tmp_path / "var" / "replyguard.db").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("csv", "x.csv", "--site", "no site"), "--site: "),
        (("csv", "x.csv", "--site", ALICE_SITE, "--since", "2024-01-01"), "go with --dry-run"),
        (("csv", "x.csv", "--site", ALICE_SITE, "--dry-run", "--since", "soon"), "--since: "),
        (("csv", "x.csv", "--site", ALICE_SITE, "--column", "x=y"), "--column: write FIELD=NAME"),
        (("spreadsheet", "x"), "No such command"),
    ],
)
def test_what_makes_no_sense_is_refused(run: Run, arguments: tuple[str, ...], told: str) -> None:
    done = run("import", *arguments)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
    assert told in done.stderr


@pytest.mark.long
def test_an_import_that_is_killed_at_any_moment_loses_nothing_and_counts_nothing_twice(
    run: Run, environ: dict[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "export.csv"
    path.write_text(a_table(N_ROWS))
    run("keys", "create")
    command = [sys.executable, "-m", "service", "import", "csv", str(path), "--site", ALICE_SITE]
    chance = random.Random(7)
    n_before, n_deaths = 0, 0
    while n_deaths < 4:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while len(labels(tmp_path)) == n_before and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.005)
        time.sleep(chance.random() * 0.05)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=10)
        n_now = len(labels(tmp_path))
        assert n_now >= n_before
        if process.returncode != -signal.SIGKILL:
            break
        n_before, n_deaths = n_now, n_deaths + 1
    assert n_deaths > 0
    done = run(*command[3:])
    assert done.returncode == 0
    there = labels(tmp_path)
    assert len(there) == N_ROWS
    assert dict(there) == {
        f"comment number {number}": "spam" if number % 3 else "ham" for number in range(N_ROWS)
    }
    connection = sqlite3.connect(tmp_path / "var" / "replyguard.db")
    try:
        assert connection.execute("SELECT count(*) FROM feedback").fetchone() == (N_ROWS,)
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        connection.close()
