from __future__ import annotations

import gzip
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from model.classifier import SpamClassifier
from model.registry import Registry
from service.cli.main import COMMANDS, cli
from service.migrating import newest_revision
from tests.commands import Commands

ROOT = Path(__file__).parents[2]
Run = Callable[..., "subprocess.CompletedProcess[str]"]
COMMENTS = [
    {"id": 1, "content": "Thank you, this helped."},
    {"content": "cheap casino pills, visit my site", "author": "Best Casino"},
]


@pytest.fixture
def run(commands: Commands, tmp_path: Path) -> Run:
    """Return a function that runs the command as a shell would, in a data folder of its own."""

    def call(*arguments: str, stdin: bytes = b"", **environ: str) -> subprocess.CompletedProcess[str]:
        settings = {"REPLYGUARD_DATA_DIR": str(tmp_path / "var"), "REPLYGUARD_LOG_LEVEL": "error"}
        return commands.run(*arguments, settings=settings | environ, stdin=stdin)

    return call


def lines(comments: list[dict[str, object]]) -> bytes:
    return "\n".join(json.dumps(comment) for comment in comments).encode()


def test_the_list_of_commands_imports_none_of_them_and_says_of_each_what_it_says_itself() -> None:
    program = (
        "import sys; from service.cli.main import cli; cli(['--help'], standalone_mode=False);"
        " print([name for name in ('numpy', 'sqlalchemy', 'flask', 'service.settings') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    *told, imported = done.stdout.splitlines()
    assert imported == "[]"
    words = " ".join(" ".join(told).split())
    for name, (_, line) in COMMANDS.items():
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        assert command.name == name
        assert " ".join((command.help or "").split("\n\n")[0].split()) == line
        assert f"{name} {line}" in words


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


def test_a_key_for_administration_is_long_random_and_marked(run: Run) -> None:
    key = run("keys", "create", "--admin", "--label", "console").stdout.strip()
    assert (len(key), key[:4]) == (44, "rga_")
    listed = run("keys", "list").stdout
    assert "administration" in listed
    assert key not in listed
    assert run("keys", "revoke", key).stdout == "Key 1 is revoked.\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "create", "--admin", "--site", "a.example"),
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
    refused = run("feedback", "accept", "9" * 30)
    assert (refused.returncode, "no correction 99" in refused.stderr) == (1, True)
    assert run("feedback", "reject", "x").returncode == 2


def test_a_site_that_was_never_taught_cannot_be_rebuilt(run: Run) -> None:
    refused = run("site", "rebuild", "--site", "https://alice.example.com")
    assert (refused.returncode, "taught nothing" in refused.stderr) == (1, True)
    assert run("site", "rebuild", "--site", "no site").returncode == 2


def test_migrate_may_be_run_again(run: Run) -> None:
    assert (
        run("migrate").stdout
        == run("migrate").stdout
        == f"The database has the schema {newest_revision()}.\n"
    )


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


def test_score_tells_what_its_reasons_add_up_to_and_where_they_stand(run: Run) -> None:
    done = run("score", "--spans", "-", stdin=lines(COMMENTS))
    for comment, line in zip(COMMENTS, done.stdout.splitlines(), strict=True):
        told = json.loads(line)
        weights = [reason["weight"] for reason in told["reasons"]]
        assert told["bias"] + sum(weights) == pytest.approx(told["log_odds"], abs=1e-4 * (len(weights) + 1))
        assert told["score"] == pytest.approx(1 / (1 + math.exp(-told["log_odds"])), abs=1e-5)
        assert any(reason["spans"] for reason in told["reasons"])
        for reason in told["reasons"]:
            text = str(
                comment.get({"body": "content", "link": "content"}.get(reason["field"], reason["field"]), "")
            )
            assert all(0 <= start < end <= len(text) for start, end in reason["spans"])


def test_score_shows_the_passage_that_was_judged(run: Run) -> None:
    before = (
        "We tried it in the old greenhouse last week, and my brother asks whether frost hurts seeds. Our "
        "neighbour keeps his trays on the kitchen table until April, which the cat finds wonderful and his "
        "wife does not. I would rather wait for a warmer month, since the window on the north side lets a "
        "draught in at night. Two of the beans came up crooked, though that may be because I watered them "
        "with what was left of the tea. "
    )
    after = (
        "What did you mean by the second sowing, is that for the same bed or for the one behind the shed? In "
        "our village nobody plants potatoes before the fair, and my grandmother had a saying about it that I "
        "have forgotten. The drawing of the roots was the part I liked most, please do one for leeks as well "
        "when you find the time. Until then I will follow your list from the top and tell you in autumn how "
        "it all went. "
    )
    spam = "Best casino bonus, cheap viagra pills online! http://cheap-pills.example.top/buy"
    body = f"{before}{spam} {after}"
    done = run("score", "-", stdin=lines([{"content": body}, {"content": spam}]))
    long, short = [json.loads(line) for line in done.stdout.splitlines()]
    first, last = long["passage"]
    assert "casino bonus" in body[first:last]
    shown = long["reasons"][0]["text"].partition(': "')[2].rstrip('"…')
    assert 20 < len(shown) <= 60
    assert body[first:last].split()[:3] == shown.split()[:3]
    assert "passage" not in short


def test_score_tells_what_would_flip_a_verdict(run: Run) -> None:
    words = "Thank you, the second diagram made it clear why the index was not used."
    spam = f"{words} casino bonus pills http://cheap-pills.example.top/buy"
    comments: list[dict[str, object]] = [{"content": spam, "author": "best casino pills"}, {"content": ""}]
    done = run("score", "--flip", "-", stdin=lines(comments), REPLYGUARD_UNSURE_FROM="0.5")
    first, second = [json.loads(line) for line in done.stdout.splitlines()]
    assert first["verdict"] != "ham"
    assert first["flip"]["verdict"] == "ham"
    assert first["flip"]["score"] < 0.5
    for removal in first["flip"]["remove"]:
        text = {"body": spam, "author": "best casino pills"}[removal["field"]]
        assert removal["text"][:20] in text
        assert all(0 <= start < end <= len(text) for start, end in removal["spans"])
    assert second["flip"] is None
    assert "flip" not in json.loads(run("score", "-", stdin=lines(comments[:1])).stdout)


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


def test_policies_are_set_and_shown(run: Run) -> None:
    site = "https://www.Blog.example.org/"
    done = run("policy", "set", site, "--budget", "10", "--unsure", "hold", "--no-discard", "--log-only")
    assert done.returncode == 0, done.stderr
    for told in ("blog.example.org", "10 in 1,000", "hold", "always answered false", "0 of 230 needed"):
        assert told in done.stdout
    assert run("policy", "deny", site, "word", "Cheap CASINO").stdout == "Entry 1: deny word cheap casino\n"
    assert run("policy", "allow", site, "email", "maud@x.org").stdout == "Entry 2: allow email m...@x.org\n"
    shown = run("sites", "show", "blog.example.org").stdout
    assert "deny      word cheap casino (entry 1)" in shown
    assert "blog.example.org" in run("sites", "list").stdout
    assert run("policy", "remove", site, "word", "cheap casino").stdout == "Removed.\n"
    kept = run("policy", "set", site, "--unsure", "default", "--no-log-only").stdout
    assert "publish (from the settings)" in kept
    assert "10 in 1,000" in kept


@pytest.mark.parametrize(
    ("arguments", "told", "code"),
    [
        (("policy", "set", "a.example"), "at least one option", 2),
        (
            ("policy", "set", "a.example", "--budget", "2000"),
            "--budget: give real comments held per thousand",
            2,
        ),
        (
            ("policy", "set", "a.example", "--budget", "nan"),
            "--budget: give real comments held per thousand",
            2,
        ),
        (
            ("policy", "set", "a.example", "--budget", "few"),
            "--budget: give real comments held per thousand",
            2,
        ),
        (("policy", "set", "no site", "--budget", "10"), "SITE: it is not a web address", 2),
        (("policy", "deny", "a.example", "ip", "300.1.1.1"), "VALUE: is no IP address", 2),
        (("policy", "remove", "a.example", "word", "x"), "VALUE: it is on no list", 1),
        (("sites", "show", "a.example"), "SITE: no check, key or policy has named a.example", 1),
    ],
)
def test_a_policy_that_makes_no_sense_is_refused_with_a_remedy(
    run: Run, arguments: tuple[str, ...], told: str, code: int
) -> None:
    done = run(*arguments)
    assert (done.returncode, told in done.stderr, "Traceback" in done.stderr) == (code, True, False)


def test_near_copies_are_listed_and_corrected(run: Run, tmp_path: Path) -> None:
    assert run("retrospect", "list").stdout == "Nothing that was let through looks like known spam.\n"
    for arguments in (("correct",), ("correct", "--all", "0" * 32)):
        done = run("retrospect", *arguments)
        assert (done.returncode, "VERDICT: give names" in done.stderr) == (2, True)
    done = run("retrospect", "correct", "0" * 32)
    assert (done.returncode, "no verdict is named" in done.stderr) == (1, True)
    assert run("retrospect", "correct", "--all").stdout == "0 corrected; 0 were called spam before.\n"


def test_a_webhook_takes_a_key_of_the_site(run: Run) -> None:
    key = run("keys", "create", "--site", "a.example").stdout.strip()
    assert "is told of comments" in run("policy", "webhook", "a.example", "--key", key).stdout
    assert run("policy", "webhook", "a.example", "--off").stdout == "a.example is told nothing.\n"
    for site, arguments in (("b.example", ("--key", key)), ("a.example", ()), ("a.example", ("--key", "x"))):
        done = run("policy", "webhook", site, *arguments)
        assert (done.returncode, "--key: " in done.stderr) == (2, True)


def test_versions_are_listed_shown_compared_promoted_and_rolled_back(run: Run, tmp_path: Path) -> None:
    listed = run("models", "list")
    assert (listed.returncode, listed.stderr) == (0, "")
    [shipped] = [line.split()[0] for line in listed.stdout.splitlines()[1:]]
    registry = Registry(tmp_path / "var" / "models")
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
    assert run("models", "rollback").returncode == 1
    assert run("models", "promote", "0.1.0-mine", "--why", "it is mine").stdout == (
        "0.1.0-mine answers from now on.\n"
    )
    assert "answers already" in run("models", "promote", "0.1.0-mine").stdout
    assert "it is mine" in run("models", "show").stdout
    compared = run("models", "compare", shipped, "0.1.0-mine", "--json")
    assert json.loads(compared.stdout)["reason"].startswith("too little to judge on")
    assert "does not pass the gate" in run("models", "compare", shipped, "0.1.0-mine").stdout
    assert run("models", "rollback").stdout == f"{shipped} answers again, instead of 0.1.0-mine.\n"
    wrong = run("models", "promote", "0.9.9-none")
    assert (wrong.returncode, "replyguard models list" in wrong.stderr) == (1, True)


def test_a_retraining_is_asked_for_shown_and_cancelled(run: Run) -> None:
    assert "no retraining yet" in run("retrain", "--list").stdout
    asked = run("retrain")
    assert (asked.returncode, "is requested" in asked.stderr) == (0, True)
    assert "is requested already" in run("retrain").stderr
    assert "is told to stop" in run("retrain", "--cancel").stdout
    assert run("retrain", "--cancel").returncode == 1
    waited = run("retrain", "--wait")
    assert (waited.returncode, "No moderator has said anything yet" in waited.stdout) == (0, True)
    assert run("retrain", "--list").stdout.count("Retraining ") == 2
    assert run("retrain", "--wait", "--cancel").returncode == 2


def test_a_site_s_retention_is_set_and_a_purge_shown(run: Run) -> None:
    done = run("policy", "retention", "a.example", "--comments", "5", "--counts", "0")
    assert done.returncode == 0, done.stderr
    assert re.search(r"comments +5 days +\(the site's own\)", done.stdout)
    assert re.search(r"company +5 days", done.stdout)
    assert re.search(r"feedback +730 days +\(from the settings\)", done.stdout)
    refused = run("policy", "retention", "a.example", "--comments", "soon")
    assert (refused.returncode, "--comments: give days, 0 to 3650, or default" in refused.stderr) == (2, True)
    assert "Nothing was deleted." in run("purge", "--dry-run").stdout
    assert run("purge", "--status").stdout == "There was no purge yet.\n"
    done = run("purge", "--vacuum")
    assert (done.returncode, "Backups keep" in done.stdout) == (0, True)
    assert "comments 0" in run("purge", "--status").stdout
    assert run("purge", "--status", "--dry-run").returncode == 2


def test_a_secret_from_a_setting_is_changed_by_its_owner(run: Run) -> None:
    old, new = "a" * 40, "b" * 40
    unmade = run("secret", "rotate", REPLYGUARD_SECRET=old)
    assert (unmade.returncode, "Traceback" in unmade.stderr) == (1, False)
    assert run("migrate", REPLYGUARD_SECRET=old).returncode == 0
    done = run("secret", "rotate", REPLYGUARD_SECRET=old)
    assert (done.returncode, "add a line to its end" in done.stderr) == (1, True)
    done = run("secret", "rotate", "--drop-hashes", REPLYGUARD_SECRET=f"{old}\n{new}")
    assert (done.returncode, "Restart the service" in done.stdout) == (0, True)
    assert run("keys", "list", REPLYGUARD_SECRET=f"{old}\n{new}").returncode == 0
    assert "not the one this database was made with" in run("keys", "list", REPLYGUARD_SECRET=old).stderr


def test_a_secret_that_everybody_can_read_stops_the_start(run: Run, tmp_path: Path) -> None:
    run("migrate")
    (tmp_path / "var" / "secret").chmod(0o644)
    done = run("keys", "list")
    assert (done.returncode, f"chmod 600 {tmp_path / 'var' / 'secret'}" in done.stderr) == (1, True)
