"""What was erased or restricted must not live on in a version of the model."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from model.comment import Label
from model.registry import Registry
from service.db import Database
from service.doctor import _forgetting
from service.forgetting import Forgetting
from service.promotion import Promotion
from service.pseudonyms import Pseudonyms
from service.retraining import Retraining, Trainer
from service.schema import feedback, receipts, training_runs
from service.settings import Settings
from service.startup import open_registry
from service.stores.forgetting import ForgettingStore
from service.stores.material import MaterialStore
from service.stores.runs import Run, RunStore
from service.stores.versions import ModelEventStore
from tests.conftest import TEST_DATABASE_URL
from tests.fakes import FrozenClock
from tests.feedback_rows import Moderator, some_comments
from training.gate import GateParams
from training.retrain import RetrainParams

pytestmark = pytest.mark.skipif(bool(TEST_DATABASE_URL), reason="the server's clock does not stand still")


class House:
    """A taught service whose clock the test moves."""

    def __init__(
        self, prepared: Settings, database: Database, pseudonyms: Pseudonyms, clock: FrozenClock
    ) -> None:
        self.database, self.clock = database, clock
        self.registry: Registry = open_registry(prepared)
        self.runs = RunStore(database, clock)
        self.forgetting = Forgetting(ForgettingStore(database), self.registry)
        self.alice = Moderator(database, pseudonyms, clock)

    def retrain(self, *, min_held_out: int = 10) -> Run:
        """Do all retrainings that wait, after one more is asked for; return that one."""
        asked, _ = Retraining(self.runs, lambda: None).request(by="alice", origin="command")
        params = RetrainParams(gate=GateParams(min_ham=min_held_out, min_spam=min_held_out))
        promotion = Promotion(self.registry, ModelEventStore(self.database), self.clock)
        trainer = Trainer(
            self.runs,
            MaterialStore(self.database),
            self.registry,
            promotion,
            self.clock,
            params=params,
            forgetting=self.forgetting,
        )
        self.clock.advance(minutes=1)
        assert trainer.work_off()
        ended = self.runs.find(asked.guid)
        assert ended is not None
        return ended

    def erase(self, *conditions: Any, what: str = "erase") -> None:
        self.clock.advance(minutes=1)
        with self.database.write() as connection:
            if what == "erase":
                gone = connection.execute(delete(feedback).where(*conditions)).rowcount
            else:
                gone = connection.execute(
                    update(feedback).where(*conditions).values(restricted=True)
                ).rowcount
            values = {"what": what, "who": "alice", "counts": {"feedback": gone}}
            connection.execute(insert(receipts).values(guid=uuid.uuid4().hex, at=self.clock(), **values))
        self.clock.advance(minutes=1)


@pytest.fixture
def house(prepared: Settings, database: Database, pseudonyms: Pseudonyms, clock: FrozenClock) -> House:
    made = House(prepared, database, pseudonyms, clock)
    made.alice.moderate(56)
    return made


@pytest.mark.parametrize("what", ["erase", "restrict"])
def test_a_version_that_remembers_is_replaced_and_cannot_come_back(house: House, what: str) -> None:
    assert house.retrain().state == "promoted"
    taught = house.registry.champion()
    assert not house.forgetting.remembering()
    house.erase(feedback.c.id == 3, what=what)
    assert house.forgetting.is_owed()
    again = house.retrain()
    assert (again.state, again.counts is not None and again.counts["labels"]) == ("promoted", 111), (
        again.reason
    )
    assert not house.forgetting.remembering()
    assert taught not in house.registry.versions()
    assert house.registry.rollback().version == house.registry.shipped()


def test_where_the_gate_refuses_the_admin_is_told_which_version_forgets(
    house: House, prepared: Settings, database: Database
) -> None:
    house.retrain()
    taught = house.registry.champion()
    house.erase(feedback.c.id == 3)
    refused = house.retrain(min_held_out=1_000)
    assert refused.state == "refused"
    assert "erased or restricted" in (refused.reason or "")
    assert f"promote {refused.challenger}, or {house.registry.shipped()}" in (refused.reason or "")
    [finding] = _forgetting(prepared, database)
    assert (taught in finding.what, "models promote" in finding.remedy) == (True, True)
    # What the admin promotes by hand has paid; the next retraining takes the old version away.
    house.registry.promote(refused.challenger or "")
    [finding] = _forgetting(prepared, database)
    assert "do not promote" in finding.remedy
    house.retrain()
    assert taught not in house.registry.versions()
    assert _forgetting(prepared, database) == []


def test_with_the_last_label_gone_the_shipped_version_answers_again(house: House) -> None:
    house.retrain()
    taught = house.registry.champion()
    house.erase()
    ended = house.retrain()
    assert (ended.state, ended.challenger) == ("promoted", house.registry.shipped())
    assert house.registry.champion() == house.registry.shipped()
    assert taught not in house.registry.versions()
    # Nobody is kept from teaching it anew.
    assert house.retrain().reason == "no moderator has said anything yet"
    house.alice.moderate(56, seed=1)
    assert house.retrain().state == "promoted"


def test_what_is_erased_while_a_retraining_runs_is_forgotten_by_the_next(house: House) -> None:
    house.retrain()
    house.alice.say(Label.SPAM, *some_comments(4, Label.SPAM, seed=5))
    Retraining(house.runs, lambda: None).request(by="alice", origin="command")
    run = house.runs.claim("another process", lease_s=20)
    assert run is not None
    house.erase(feedback.c.id == 3)
    with house.database.write() as connection:  # it had read the labels by then
        connection.execute(update(training_runs).where(training_runs.c.id == run.id).values(holder="dead"))
    house.clock.advance(minutes=5)
    first = house.retrain()
    assert (first.guid, first.attempts) == (run.guid, 2)
    [following, *_] = house.runs.latest(1)
    assert (following.state, following.requested_by) == ("requested", "what was erased meanwhile")
    house.retrain()
    assert not house.forgetting.remembering()
    assert house.runs.active() is None


def test_without_erased_labels_no_version_goes(house: House) -> None:
    house.retrain()
    taught = house.registry.champion()
    house.clock.advance(minutes=1)
    with house.database.write() as connection:
        values = {"what": "erase", "who": "alice", "counts": {"checks": 2}}
        connection.execute(insert(receipts).values(guid=uuid.uuid4().hex, at=house.clock(), **values))
    assert not house.forgetting.remembering()
    house.retrain()
    assert taught in house.registry.versions()
