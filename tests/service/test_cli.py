from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Run = Callable[..., "subprocess.CompletedProcess[str]"]
COMMENTS = [
    {"id": 1, "content": "Thank you, this helped."},
    {"content": "cheap casino pills, visit my site", "author": "Best Casino"},
]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a function that runs the command as a shell would, in a data folder of its own."""

    def call(*arguments: str, stdin: bytes = b"", **environ: str) -> subprocess.CompletedProcess[str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPLYGUARD_")}
        done = subprocess.run(
            [sys.executable, "-m", "service", *arguments],
            cwd=ROOT,
            env=inherited
            | {"REPLYGUARD_DATA_DIR": str(tmp_path / "var"), "REPLYGUARD_LOG_LEVEL": "error"}
            | environ,
            input=stdin,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(), done.stderr.decode()
        )

    return call


def lines(comments: list[dict[str, object]]) -> bytes:
    return "\n".join(json.dumps(comment) for comment in comments).encode()


def test_keys_are_made_listed_and_revoked(run: Run) -> None:
    made = run("keys", "create", "--label", "alice", "--site", "https://www.Alice.example.com/")
    key = made.stdout.strip()
    assert (made.returncode, len(key)) == (0, 12)
    chosen = run("keys", "create", "--key", "A11CE0000009")
    assert chosen.stdout == "a11ce0000009\n"
    again = run("keys", "create", "--key", "a11ce0000009")
    assert (again.returncode, "exists already" in again.stderr) == (1, True)
    listed = run("keys", "list").stdout
    assert "alice.example.com" in listed
    assert key not in listed
    assert key[-4:] in listed
    assert run("keys", "revoke", key).stdout == "Key 1 is revoked.\n"
    assert run("keys", "revoke", "2").returncode == 0
    assert run("keys", "revoke", "2").returncode == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "create", "--key", "0123456789abc"),
        ("keys", "create", "--site", "no site"),
        ("keys", "revoke", "x"),
        ("no-such-command",),
    ],
)
def test_what_makes_no_sense_is_refused_without_a_traceback(run: Run, arguments: tuple[str, ...]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["serve", "migrate", "score"])
def test_a_malformed_setting_stops_every_command(run: Run, command: str) -> None:
    arguments = (command, "-") if command == "score" else (command,)
    done = run(*arguments, REPLYGUARD_PORT="eighty", REPLYGUARD_HOTS="x")
    assert done.returncode == 2
    assert "REPLYGUARD_PORT: " in done.stderr
    assert "did you mean REPLYGUARD_HOST" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_waits_for_the_admin_is_listed_and_decided(run: Run) -> None:
    assert "ID" in run("feedback", "list", "--doubtful").stdout
    refused = run("feedback", "accept", "7")
    assert (refused.returncode, "no correction 7" in refused.stderr) == (1, True)
    assert run("feedback", "reject", "x").returncode == 2


def test_a_site_that_was_never_taught_cannot_be_rebuilt(run: Run) -> None:
    refused = run("site", "rebuild", "--site", "https://alice.example.com")
    assert (refused.returncode, "taught nothing" in refused.stderr) == (1, True)
    assert run("site", "rebuild", "--site", "no site").returncode == 2


def test_migrate_may_be_run_again(run: Run) -> None:
    assert run("migrate").stdout == run("migrate").stdout == "The database has the schema 0005.\n"


def test_another_secret_is_refused_at_the_start(run: Run) -> None:
    run("migrate")
    done = run("migrate", REPLYGUARD_SECRET="s" * 40)
    assert (done.returncode, "the secret is not the one" in done.stderr) == (1, True)
    told = run("doctor", REPLYGUARD_SECRET="s" * 40)
    assert (told.returncode, "no API key will be known" in told.stdout) == (1, True)


def test_a_database_of_a_newer_release_is_refused(run: Run, tmp_path: Path) -> None:
    import sqlite3

    run("migrate")
    connection = sqlite3.connect(tmp_path / "var" / "replyguard.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    done = run("migrate")
    assert (done.returncode, "made by a newer one" in done.stderr) == (1, True)
    assert "Traceback" not in done.stderr


def test_score_judges_each_line(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "comments.jsonl"
    file.write_bytes(lines(COMMENTS))
    done = run("score", str(file))
    assert (done.returncode, done.stderr) == (0, "")
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer.get("id") for answer in answers] == [1, None]
    assert all(0.0 <= answer["score"] <= 1.0 for answer in answers)
    assert all(answer["verdict"] in ("ham", "unsure", "spam") for answer in answers)
    assert answers[0]["reasons"][0].keys() == {"text", "weight", "field"}
    packed = tmp_path / "comments.txt"
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert run("score", str(packed)).stdout == done.stdout
    assert run("score", "-", stdin=packed.read_bytes()).stdout == done.stdout
    assert run("score", "-", stdin=file.read_bytes()).stdout == done.stdout


def test_score_tells_of_bad_lines_and_scores_the_rest(run: Run) -> None:
    bad = [b"{", b"[]", b'{"content": 5}', b'{"author": "x"}', b"\xff", b"", b'{"content": "x", "tags": "y"}']
    done = run(
        "score", "-", stdin=lines(COMMENTS[:1]) + b"\n" + b"\n".join(bad) + b"\n" + lines(COMMENTS[1:])
    )
    assert done.returncode == 1
    assert len(done.stdout.splitlines()) == 2
    told = done.stderr.splitlines()
    assert [line.partition(":")[0] for line in told[:-1]] == [f"line {n}" for n in (2, 3, 4, 5, 6, 8)]
    assert "field 'content' is int" in told[2]
    assert "6 lines could not be read" in told[-1]


def test_score_tells_of_files_it_cannot_read(run: Run, tmp_path: Path) -> None:
    missing = run("score", str(tmp_path / "none.jsonl"))
    assert (missing.returncode, "No such file" in missing.stderr) == (1, True)
    torn = tmp_path / "torn.gz"
    torn.write_bytes(gzip.compress(lines(COMMENTS) * 100)[:60])
    done = run("score", str(torn))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


def test_the_doctor_finds_everything_well_after_a_start(run: Run) -> None:
    run("keys", "create")
    done = run("doctor")
    assert (done.returncode, "broken" in done.stdout) == (0, False)
    for subject in ("settings", "data folder", "secret", "database", "keys", "model", "disk"):
        assert subject in done.stdout


def test_the_doctor_says_what_to_do(run: Run, tmp_path: Path) -> None:
    assert "start the service once" in run("doctor").stdout
    run("migrate")
    data_dir = tmp_path / "var"
    os.chmod(data_dir, 0o755)
    os.chmod(data_dir / "secret", 0o644)
    warned = run("doctor")
    assert warned.returncode == 0
    assert f"chmod 700 {data_dir}" in warned.stdout
    assert f"chmod 600 {data_dir / 'secret'}" in warned.stdout
    assert "replyguard keys create" in warned.stdout
    for path in (data_dir / "models").glob("*/weights*"):
        path.write_bytes(b"damaged")
    (data_dir / "replyguard.db").write_bytes(b"damaged" * 1000)
    (data_dir / "replyguard.db-wal").unlink(missing_ok=True)
    broken = run("doctor")
    assert broken.returncode == 1
    assert "the database file is damaged" in broken.stdout
    assert "put the folder back from a backup" in broken.stdout
    assert run("doctor", REPLYGUARD_PORT="x").returncode == 1
