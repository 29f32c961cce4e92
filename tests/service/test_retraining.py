from __future__ import annotations

import datetime as dt
import json
import threading
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select, update

from model.comment import Comment, Label
from model.registry import Registry
from service.db import Database
from service.promotion import Promotion
from service.pseudonyms import Pseudonyms
from service.retraining import Retraining, Trainer, compare_versions, next_due
from service.schema import feedback, model_events, training_events, training_runs
from service.settings import Settings
from service.startup import open_registry
from service.stores.material import MaterialStore
from service.stores.runs import RunStore
from service.stores.versions import ModelEventStore
from tests.builders import BOB_KEY, BOB_SITE, a_form
from tests.fakes import FrozenClock
from tests.feedback_rows import Moderator, some_comments
from training.gate import GateParams
from training.retrain import RetrainParams


@pytest.fixture
def runs(database: Database, clock: FrozenClock) -> RunStore:
    return RunStore(database, clock)


@pytest.fixture
def registry(prepared: Settings) -> Registry:
    return open_registry(prepared)


@pytest.fixture
def alice(database: Database, pseudonyms: Pseudonyms, clock: FrozenClock) -> Moderator:
    return Moderator(database, pseudonyms, clock)


@pytest.fixture
def make_trainer(database: Database, clock: FrozenClock, runs: RunStore, registry: Registry) -> Any:
    def make(**overrides: Any) -> Trainer:
        promotion = Promotion(registry, ModelEventStore(database), clock)
        # A holdout of 28 is enough here.
        params = RetrainParams(gate=GateParams(min_ham=10, min_spam=10))
        return Trainer(runs, MaterialStore(database), registry, promotion, clock, params=params, **overrides)

    return make


def ask(runs: RunStore, origin: str = "command") -> Any:
    return Retraining(runs, lambda: None).request(by="alice", origin=origin)[0]


def fall_silent(database: Database, *, seconds: float) -> None:
    """Make it so long since the last heartbeat; on PostgreSQL that is told by the server's clock."""
    with database.write() as connection:
        beat = connection.execute(
            select(training_runs.c.heartbeat_at).where(training_runs.c.slot == 1)
        ).scalar_one()
        assert beat is not None
        connection.execute(update(training_runs).values(heartbeat_at=beat - dt.timedelta(seconds=seconds)))


def test_a_better_challenger_is_promoted_and_all_of_it_is_recorded(
    runs: RunStore, alice: Moderator, make_trainer: Any, registry: Registry, database: Database
) -> None:
    alice.moderate(56)
    shipped = registry.champion()
    run = ask(runs)
    assert make_trainer().work_off()
    ended = runs.find(run.guid)
    assert ended is not None
    assert (ended.state, ended.error) == ("promoted", None), ended.reason
    assert (ended.champion, ended.challenger) == (shipped, registry.champion())
    assert ended.counts is not None
    assert ended.counts["labels"] == 112
    assert ended.report is not None
    assert ended.report["sides"][0]["name"] == "spam"
    assert "spam caught" in (ended.reason or "")
    assert [stage for _, stage in runs.stages(ended.id)] == [
        "read",
        "split",
        "fit",
        "judge",
        "compare",
        "store",
        "promote",
        "finish",
    ]
    # What a site's budget means as cut-offs must not be lost with the version that shipped.
    known, carried = (registry.load(version).cut_table for version in (shipped, registry.champion()))
    assert known is not None
    assert carried is not None
    assert (carried.proved_on, carried.n_ham) == (shipped, known.n_ham)
    assert all(new >= old for old, new in zip(known.cuts, carried.cuts, strict=True))
    spam = some_comments(1, Label.SPAM, seed=9)
    assert registry.load(registry.champion()).score(spam)[0] > registry.load(shipped).score(spam)[0]
    [release, promotion] = Promotion(registry, ModelEventStore(database), FrozenClock()).history(5)[::-1]
    assert (release.what, release.version) == ("release", shipped)
    assert (promotion.what, promotion.replaced, promotion.why) == ("promote", shipped, ended.reason)


def test_only_what_is_believed_is_learnt_from(alice: Moderator, database: Database) -> None:
    """What the admin rejected, and what waits for the admin's word, must not come in by the back door."""
    alice.moderate(4)
    with database.write() as connection:
        for number, state in enumerate(("doubtful", "surplus", "rejected"), start=1):
            connection.execute(update(feedback).where(feedback.c.id == number).values(state=state))
    assert [label.number for label in MaterialStore(database).labels(at_most=100)] == [4, 5, 6, 7, 8]


def test_one_at_a_time_whoever_asks(runs: RunStore) -> None:
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(runs.request(by="x", origin="api"))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({run.guid for run, _ in found}) == 1
    assert sum(is_new for _, is_new in found) == 1
    assert runs.claim("a", lease_s=20) is not None
    assert runs.claim("b", lease_s=20) is None


def test_what_a_dead_process_held_is_free_when_its_lease_has_lapsed(
    runs: RunStore, database: Database
) -> None:
    ask(runs)
    first = runs.claim("a", lease_s=20)
    assert first is not None
    fall_silent(database, seconds=21)
    second = runs.claim("b", lease_s=20)
    assert second is not None
    assert (second.guid, second.attempts) == (first.guid, 2)
    assert runs.beat(first, "a", stage="fit", fraction=0.5) == (False, False)
    assert not runs.finish(first, "a", "promoted", {})


def test_a_retraining_that_kills_its_process_again_and_again_is_given_up(
    runs: RunStore, database: Database, make_trainer: Any
) -> None:
    run = ask(runs)
    for number in range(5):
        runs.claim(f"dies-{number}", lease_s=20)
        fall_silent(database, seconds=30)
    make_trainer().work_off()
    ended = runs.find(run.guid)
    assert ended is not None
    assert (ended.state, "died 5 times" in (ended.error or "")) == ("failed", True)
    assert ask(runs).guid != run.guid


def test_a_promotion_whose_record_was_lost_is_not_done_again(
    runs: RunStore, alice: Moderator, make_trainer: Any, registry: Registry, database: Database
) -> None:
    """As if the process had died between moving the name and writing that down."""
    alice.moderate(56)
    run = ask(runs)
    make_trainer().work_off()
    champion, moves = registry.champion(), registry.moves()
    with database.write() as connection:
        connection.execute(
            update(training_runs).values(state="requested", slot=1, challenger=None, reason=None)
        )
        connection.execute(delete(model_events))
    make_trainer().work_off()
    ended = runs.find(run.guid)
    assert ended is not None
    assert (ended.state, ended.challenger) == ("promoted", champion)
    assert registry.moves() == moves
    with database.read() as connection:
        assert connection.execute(select(func.count()).select_from(model_events)).scalar_one() == len(moves)


def test_cancelling_stops_what_waits_and_what_runs(
    runs: RunStore, alice: Moderator, make_trainer: Any, registry: Registry
) -> None:
    alice.moderate(56)
    retraining = Retraining(runs, lambda: None)
    waiting = ask(runs)
    stopped = retraining.cancel(by="bob")
    assert stopped is not None
    assert (stopped.state, stopped.cancelled_by) == ("cancelled", "bob")
    assert retraining.cancel(by="bob") is None
    running = ask(runs)
    assert running.guid != waiting.guid

    class CancelWhenFitting(RunStore):
        def beat(self, run: Any, holder: str, *, stage: str, fraction: float) -> tuple[bool, bool]:
            if stage == "fit":
                super().cancel(by="bob")
            return super().beat(run, holder, stage=stage, fraction=fraction)

    before = registry.champion()
    trainer = make_trainer()
    trainer._runs = CancelWhenFitting(runs._database, runs._clock)
    assert trainer.work_off()
    ended = runs.find(running.guid)
    assert ended is not None
    assert (ended.state, ended.stage) == ("cancelled", "fit")
    assert registry.champion() == before
    assert not make_trainer().work_off()


def test_a_process_that_ends_hands_its_run_back(runs: RunStore, alice: Moderator, make_trainer: Any) -> None:
    alice.moderate(40)
    run = ask(runs)
    looks = iter([False, False])
    assert make_trainer(stopping=lambda: next(looks, True)).work_off()
    found = runs.find(run.guid)
    assert found is not None
    assert (found.state, found.attempts, found.holder) == ("requested", 0, None)


def test_without_a_training_summary_nothing_is_fitted_from_feedback_alone(
    runs: RunStore, alice: Moderator, make_trainer: Any, registry: Registry
) -> None:
    folder = registry.root / registry.champion()
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["files"]["precision.joblib"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    alice.moderate(5)
    run = ask(runs)
    make_trainer().work_off()
    ended = runs.find(run.guid)
    assert ended is not None
    assert (ended.state, "training summary" in (ended.reason or "")) == ("refused", True)


def test_a_failure_is_recorded_and_quotes_no_comment(
    runs: RunStore, alice: Moderator, make_trainer: Any, prepared: Settings
) -> None:
    alice.moderate(5)
    run = ask(runs)
    make_trainer(corpora=prepared.data_dir / "not-there").work_off()
    ended = runs.find(run.guid)
    assert ended is not None
    assert ended.state == "failed"
    assert "REPLYGUARD_CORPORA" in (ended.error or "")
    assert not make_trainer().work_off()


def test_tests_echoes_and_superseded_labels_are_not_learnt(
    client: FlaskClient, database: Database, alice: Moderator, clock: FrozenClock, pseudonyms: Pseudonyms
) -> None:
    first, second, third, fourth = some_comments(4, Label.SPAM)
    alice.say(Label.SPAM, first, is_test=True)
    alice.say(Label.SPAM, second)
    alice.say(Label.HAM, second)
    for body in ("casino one", "casino two"):
        assert client.post("/1.1/comment-check", data=a_form(comment_content=body)).text == "true"
    client.post("/1.1/submit-spam", data=a_form(comment_content="casino one"))
    client.post("/1.1/submit-spam", data=a_form(comment_content="casino two", reporter="alice"))
    labels = MaterialStore(database).labels(at_most=100)
    assert [(label.comment.body, label.label) for label in labels] == [
        (second.body, Label.HAM),
        ("casino two", Label.SPAM),
    ]
    bob = Moderator(database, pseudonyms, clock, BOB_SITE)
    bob.say(Label.SPAM, third, fourth)
    assert [label.site for label in MaterialStore(database).labels(at_most=2)] == ["bob.example.net"] * 2


def test_an_erased_comment_is_gone_from_the_next_model(
    runs: RunStore, alice: Moderator, make_trainer: Any, registry: Registry, database: Database
) -> None:
    alice.moderate(56)
    ask(runs)
    make_trainer().work_off()
    promoted = registry.champion()
    registry.rollback()
    with database.write() as connection:
        connection.execute(delete(feedback).where(feedback.c.id == 3))
    run = ask(runs)
    make_trainer().work_off()
    ended = runs.find(run.guid)
    assert ended is not None
    assert ended.counts is not None
    assert (ended.counts["labels"], ended.challenger == promoted) == (111, False)


def test_what_a_person_rolled_back_does_not_return_by_itself(
    runs: RunStore, alice: Moderator, make_trainer: Any, registry: Registry
) -> None:
    alice.moderate(56)
    ask(runs)
    make_trainer().work_off()
    promoted = registry.champion()
    registry.rollback(by="alice")
    run = ask(runs)
    make_trainer().work_off()
    ended = runs.find(run.guid)
    assert ended is not None
    assert (ended.state, ended.challenger) == ("refused", promoted)
    assert "rolled this very version back" in (ended.reason or "")


def test_only_comments_let_stand_by_somebody_who_moderates_are_taken_for_ham(
    client: FlaskClient, database: Database, clock: FrozenClock
) -> None:
    for body in ("hello there", "casino", "hello spammer"):
        client.post("/1.1/comment-check", data=a_form(comment_content=body))
    client.post(
        "/1.1/comment-check", data=a_form(comment_content="nobody looks", api_key=BOB_KEY, blog=BOB_SITE)
    )
    store = MaterialStore(database)
    clock.advance(days=8)
    before = clock() - dt.timedelta(days=7)
    assert store.standing(before=before, at_most=10) == []
    client.post("/1.1/submit-spam", data=a_form(comment_content="hello spammer"))
    client.post("/1.1/comment-check", data=a_form(comment_content="too new"))
    assert [check.comment.body for check in store.standing(before=before, at_most=10)] == ["hello there"]
    assert [check.comment.body for check in store.stored(at_most=2)] == ["too new", "nobody looks"]


def test_the_schedule_asks_once_in_so_many_days(
    alice: Moderator, runs: RunStore, make_trainer: Any, clock: FrozenClock, database: Database
) -> None:
    trainer, at = make_trainer(), dt.time(3, 30)
    assert not trainer.request_if_due(every_days=1, at=at), "nobody has said anything yet"
    alice.say(Label.SPAM, Comment(body="casino"))
    assert not trainer.request_if_due(every_days=1, at=at)
    clock.advance(days=1)
    assert not trainer.request_if_due(every_days=0, at=at)
    assert trainer.request_if_due(every_days=1, at=at)
    assert not trainer.request_if_due(every_days=1, at=at)
    with database.write() as connection:  # PostgreSQL's clock does not stand still
        connection.execute(update(training_runs).values(requested_at=clock()))
    trainer.work_off()
    assert not trainer.request_if_due(every_days=1, at=at)
    clock.advance(days=1)
    assert trainer.request_if_due(every_days=1, at=at)
    trainer.work_off()
    [again, _] = runs.latest(2)
    assert again.reason == "nothing new was said since the last retraining"


def test_a_schedule_keeps_its_time_of_day() -> None:
    last = dt.datetime(2026, 3, 14, 15, 9, tzinfo=dt.UTC)
    at = dt.time(3, 30)
    assert next_due(last, every_days=1, at=at) == dt.datetime(2026, 3, 15, 3, 30, tzinfo=dt.UTC)
    assert next_due(last, every_days=7, at=at) == dt.datetime(2026, 3, 21, 3, 30, tzinfo=dt.UTC)
    assert next_due(last.replace(hour=3, minute=31), every_days=1, at=at).day == 15


def test_versions_are_compared_on_labels_that_neither_was_fitted_on(
    runs: RunStore,
    alice: Moderator,
    make_trainer: Any,
    registry: Registry,
    database: Database,
    clock: FrozenClock,
) -> None:
    alice.moderate(56)
    shipped = registry.champion()
    ask(runs)
    make_trainer().work_off()
    report = compare_versions(registry, MaterialStore(database), clock(), shipped, registry.champion())
    assert [side["n"] for side in report["sides"][:2]] == [14, 14]
    assert (report["admits"], "too little to judge on" in report["reason"]) == (False, True)
    assert all(len(flip["guid"]) == 32 for flip in report["flips"])


def test_the_record_of_a_run_takes_its_stages_with_it(
    runs: RunStore, make_trainer: Any, database: Database
) -> None:
    ask(runs)
    make_trainer().work_off()
    with database.write() as connection:
        connection.execute(delete(training_runs))
        assert connection.execute(select(func.count()).select_from(training_events)).scalar_one() == 0
