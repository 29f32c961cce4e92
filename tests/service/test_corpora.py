from __future__ import annotations

import fcntl
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.commands import Commands
from tests.service.file_server import ServedFile, serving
from tests.toy import TOY_PARAMS
from tests.training import archives
from training import datasets, run

ROOT = Path(__file__).parents[2]
WORDS = (sys.executable, "-m", "service", "corpora")
Corpora = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def files() -> dict[str, ServedFile]:
    return {
        "/youtube.zip": ServedFile(archives.youtube_zip(), break_after=[300]),
        "/sms.zip": ServedFile(archives.sms_zip()),
        "/spam.txt": ServedFile(b"casino bonus\ncheap pills\n"),
    }


@pytest.fixture
def corpora(commands: Commands, files: dict[str, ServedFile], tmp_path: Path) -> Iterator[Corpora]:
    """Return a function that runs ``replyguard corpora`` on a list of three files of a real server and one source
    without."""
    with serving(files) as server:
        entries = [
            '[[source]]\nname = "closed"\nkind = "blog"\nlicence = "not stated"\nreason = "no licence"\n'
        ]
        for name, form, path, pinned in (
            ("tubes", "youtube-csv", "/youtube.zip", True),
            ("texts", "sms-tabs", "/sms.zip", True),
            ("chat", "lines", "/spam.txt", False),
        ):
            entries.append(
                f'[[source]]\nname = "{name}"\nkind = "sms"\nlicence = "CC0"\nconvert = "{form}"\n'
                f'[[source.files]]\nurl = "{server}{path}"\nlabel = "spam"\nabout_bytes = 100000\n'
                + (f'sha256 = "{hashlib.sha256(files[path].content).hexdigest()}"\n' if pinned else "")
            )
        (tmp_path / "list.toml").write_text("\n".join(entries))

        def call(command: str, *arguments: str) -> subprocess.CompletedProcess[str]:
            words = ("corpora", command, "--catalogue", str(tmp_path / "list.toml"), *arguments)
            return commands.run(*words, settings={"REPLYGUARD_CORPORA": str(tmp_path / "corpora")})

        yield call


def test_the_sources_are_listed_with_what_speaks_against_one(corpora: Corpora) -> None:
    done = corpora("list")
    assert done.returncode == 0
    assert "no: no licence" in done.stdout
    assert "0.1 MB" in done.stdout


def test_what_was_fetched_can_be_fitted_on(corpora: Corpora, tmp_path: Path) -> None:
    done = corpora("fetch")
    folder = tmp_path / "corpora"
    assert (done.returncode, done.stdout) == (0, f"REPLYGUARD_CORPORA={folder}\n")
    assert "tubes: 24 spam, 24 ham (CC0)" in done.stderr
    assert "no checksum of spam.txt is published" in done.stderr
    rows = datasets.read_folder(folder)
    assert {row.source for row in rows} == {"tubes", "texts", "chat"}
    assert run.fit_version(rows, TOY_PARAMS).version
    again = corpora("fetch", "chat", "tubes")
    assert (again.returncode, "no checksum" in again.stderr) == (0, False)


def test_a_file_without_published_checksum_is_held_to_its_first(
    corpora: Corpora, files: dict[str, ServedFile], tmp_path: Path
) -> None:
    assert corpora("fetch", "chat").returncode == 0
    folder = tmp_path / "corpora"
    assert list(json.loads((folder / "checksums.json").read_text()).values()) == [
        hashlib.sha256(b"casino bonus\ncheap pills\n").hexdigest()
    ]
    (folder / "archives" / "chat" / "spam.txt").unlink()
    files["/spam.txt"].content = b"something else\n"
    done = corpora("fetch", "chat")
    assert (done.returncode, "wrong checksum" in done.stderr) == (1, True)
    (folder / "checksums.json").write_text("{")
    assert "is damaged" in corpora("fetch", "chat").stderr


def test_one_source_that_fails_does_not_stop_the_others(
    corpora: Corpora, files: dict[str, ServedFile], tmp_path: Path
) -> None:
    del files["/sms.zip"]
    done = corpora("fetch")
    assert done.returncode == 1
    assert "404" in done.stderr
    assert "not fetched: texts" in done.stderr
    assert "Traceback" not in done.stderr
    assert {path.name for path in (tmp_path / "corpora").glob("*.gz")} == {"tubes.jsonl.gz", "chat.jsonl.gz"}


def test_what_is_not_what_it_should_be_is_told(
    corpora: Corpora, files: dict[str, ServedFile], tmp_path: Path
) -> None:
    files["/spam.txt"].content = b"\xff\xfe\n"
    done = corpora("fetch", "chat")
    assert (done.returncode, "spam.txt is not what its source says" in done.stderr) == (1, True)


@pytest.mark.parametrize(("name", "told"), [("closed", "no licence"), ("nosuch", "corpora list")])
def test_a_source_that_cannot_be_had_is_refused(corpora: Corpora, name: str, told: str) -> None:
    done = corpora("fetch", name)
    assert (done.returncode, told in done.stderr) == (2, True)


def test_comments_of_the_users_own_are_not_replaced(corpora: Corpora, tmp_path: Path) -> None:
    own = tmp_path / "corpora" / "texts.jsonl.gz"
    own.parent.mkdir()
    own.write_bytes(b"mine")
    done = corpora("fetch", "texts")
    assert (done.returncode, "--force" in done.stderr, own.read_bytes()) == (1, True, b"mine")
    assert corpora("fetch", "texts", "--force").returncode == 0


def test_two_do_not_fetch_into_one_folder(corpora: Corpora, tmp_path: Path) -> None:
    (tmp_path / "corpora").mkdir()
    with (tmp_path / "corpora" / ".fetch.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        done = corpora("fetch", "chat")
    assert (done.returncode, "another `corpora fetch`" in done.stderr) == (1, True)


def test_a_folder_that_cannot_be_made_is_named(corpora: Corpora, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = corpora("fetch", "chat", "--to", str(tmp_path / "file" / "below"))
    assert (done.returncode, "--to" in done.stderr, "Traceback" in done.stderr) == (1, True, False)
