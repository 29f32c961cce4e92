"""Hundreds of corrections that wait for the admin, accepted or rejected by one command."""

from __future__ import annotations

import subprocess
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, select, update

from model.comment import Label
from service.db import Database
from service.pseudonyms import Pseudonyms
from service.schema import feedback, site_learning, sites
from service.settings import Settings
from service.sites import parse_site
from service.stores.feedback import FeedbackStore, State
from service.stores.sites import SiteStore
from service.stores.waiting import WaitingStore
from tests.builders import ALICE_SITE, BOB_SITE
from tests.commands import Commands
from tests.fakes import FrozenClock
from tests.feedback_rows import Moderator, some_comments

Run = Callable[..., "subprocess.CompletedProcess[str]"]
ALICE = parse_site(ALICE_SITE)
N_EACH = 20


@pytest.fixture
def alice(database: Database, pseudonyms: Pseudonyms, clock: FrozenClock) -> Moderator:
    """A moderator all of whose corrections wait, as do those of bob."""
    found = Moderator(database, pseudonyms, clock)
    found.moderate(N_EACH)
    Moderator(database, pseudonyms, clock, BOB_SITE).moderate(3)
    with database.write() as connection:
        connection.execute(update(feedback).values(state="doubtful", learnt_at=None))
        # As many are surplus.
        connection.execute(update(feedback).where(feedback.c.id % 4 < 2).values(state="surplus"))
    return found


@pytest.fixture
def run(commands: Commands, prepared: Settings) -> Run:
    def call(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[str]:
        environ = {"REPLYGUARD_DATA_DIR": str(prepared.data_dir), "REPLYGUARD_LOG_LEVEL": "error"}
        if prepared.database_url is not None:
            environ["REPLYGUARD_DATABASE_URL"] = prepared.database_url.get_secret_value()
        return commands.run(*arguments, settings=environ, stdin=stdin)

    return call


def states(database: Database) -> Counter[tuple[str, str, str]]:
    """Count corrections by host of the site, label and state; what waits is "waits"."""
    query = select(sites.c.address, feedback.c.label, feedback.c.state).join(
        sites, sites.c.id == feedback.c.site_id
    )
    with database.read() as connection:
        return Counter(
            (
                row.address.partition(".")[0],
                row.label,
                row.state if row.state in ("learnt", "rejected") else "waits",
            )
            for row in connection.execute(query)
        )


def learning(database: Database) -> int:
    with database.read() as connection:
        return int(
            connection.execute(
                select(site_learning.c.version)
                .join(sites, sites.c.id == site_learning.c.site_id)
                .where(sites.c.address == ALICE.address)
            ).scalar_one()
        )


BOBS = {("bob", "spam", "waits"): 3, ("bob", "ham", "waits"): 3}


def test_all_of_a_site_are_accepted_page_by_page(alice: Moderator, database: Database) -> None:
    before = learning(database)
    store = WaitingStore(database, page=7)
    waiting = store.of(ALICE)
    assert waiting is not None
    assert (waiting.n, waiting.n_spam, waiting.n_ham) == (40, 20, 20)
    assert store.decide(waiting, accept=True) == 40
    assert states(database) == BOBS | {("alice", "spam", "learnt"): 20, ("alice", "ham", "learnt"): 20}
    assert learning(database) == before + 6
    with database.read() as connection:
        told = connection.execute(
            select(feedback.c.learnt_at).where(feedback.c.state == "learnt").order_by(feedback.c.id)
        ).scalars()
        assert list(told) == [before + 1 + number // 7 for number in range(40)]
    assert store.decide(waiting, accept=False) == 0


def test_no_statement_is_about_more_than_a_page(alice: Moderator, database: Database) -> None:
    sizes: list[int] = []

    def note(_: Any, __: Any, ___: Any, parameters: Any, *____: Any) -> None:
        sizes.append(len(parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    store = WaitingStore(database, page=5)
    waiting = store.of(ALICE)
    assert waiting is not None
    assert store.decide(waiting, accept=False) == 40
    event.remove(database.engine, "before_cursor_execute", note)
    assert sizes
    assert max(sizes) <= 5 + 8


def test_one_label_alone_is_rejected_and_teaches_nothing(alice: Moderator, database: Database) -> None:
    before = learning(database)
    store = WaitingStore(database, page=7)
    waiting = store.of(ALICE, "ham")
    assert waiting is not None
    assert (waiting.n_spam, waiting.n_ham) == (0, 20)
    assert store.decide(waiting, accept=False) == 20
    assert states(database) == BOBS | {("alice", "spam", "waits"): 20, ("alice", "ham", "rejected"): 20}
    assert learning(database) == before


def test_what_came_or_was_decided_since_is_left_as_it_is(alice: Moderator, database: Database) -> None:
    store = WaitingStore(database, page=7)
    waiting = store.of(ALICE)
    assert waiting is not None
    with database.read() as connection:
        first, second = connection.execute(
            select(feedback.c.id)
            .where(feedback.c.site_id == waiting.site_id)
            .order_by(feedback.c.id)
            .limit(2)
        ).scalars()
    FeedbackStore(database, SiteStore()).decide(first, accept=False)
    [changed] = some_comments(1, Label.HAM)
    alice.say(Label.SPAM, changed)
    alice.say(Label.HAM, *some_comments(1, Label.HAM, seed=9))
    with database.write() as connection:
        connection.execute(
            update(feedback)
            .where(feedback.c.id > waiting.last_id, feedback.c.label == "ham")
            .values(state="doubtful")
        )
    assert second <= waiting.last_id
    assert store.decide(waiting, accept=True) == 38
    found = states(database)
    assert (found["alice", "spam", "rejected"], found["alice", "ham", "waits"]) == (1, 2)


def test_a_site_that_nobody_named_has_nothing_that_could_wait(database: Database) -> None:
    assert WaitingStore(database).of(parse_site("https://never.example")) is None


def test_the_command_asks_first_and_tells_how_many(alice: Moderator, database: Database, run: Run) -> None:
    command = ("feedback", "accept", "--all", "--site", ALICE_SITE)
    before = states(database)
    declined = run(*command, stdin=b"n\n")
    assert (declined.returncode, "nothing was accepted" in declined.stderr) == (1, True)
    assert "20 called spam and 20 called ham wait" in declined.stdout
    assert run(*command).returncode == 1
    assert states(database) == before
    done = run(*command, "--label", "spam", stdin=b"y\n")
    assert (done.returncode, "20 called spam and 0 called ham wait" in done.stdout) == (0, True)
    assert "Accepted: 20." in done.stdout
    done = run("feedback", "reject", "--all", "--site", ALICE_SITE, "--yes")
    assert (done.returncode, "?" in done.stdout, "Rejected: 20." in done.stdout) == (0, False, True)
    assert states(database) == BOBS | {("alice", "spam", "learnt"): 20, ("alice", "ham", "rejected"): 20}
    again = run(*command)
    assert (again.returncode, "Nothing waits on alice.example.com" in again.stdout) == (0, True)


def test_the_list_shows_one_site_and_label(alice: Moderator, run: Run) -> None:
    told = run("feedback", "list", "--doubtful", "--site", BOB_SITE, "--label", "ham").stdout
    assert (told.count("bob.example.net"), told.count("alice.example.com")) == (3, 0)
    assert told.count(State.DOUBTFUL.value) + told.count(State.SURPLUS.value) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "--all --site URL"),
        (("--all",), 2, "--site: goes with --all"),
        (("7", "--all", "--site", ALICE_SITE), 2, "not both"),
        (("7", "--site", ALICE_SITE), 2, "go with --all"),
        (("7", "--label", "ham"), 2, "go with --all"),
        (("--all", "--site", "no site"), 2, "--site: "),
        (("--all", "--site", ALICE_SITE, "--label", "both"), 2, "'both'"),
        (("--all", "--site", "https://never.example", "--yes"), 1, "replyguard sites list"),
    ],
)
@pytest.mark.parametrize("command", ["accept", "reject"])
def test_what_is_not_clear_is_refused(
    run: Run, command: str, arguments: tuple[str, ...], code: int, said: str
) -> None:
    refused = run("feedback", command, *arguments)
    assert refused.returncode == code
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr
