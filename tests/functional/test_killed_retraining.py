"""kill -9 at random moments of a retraining: nothing is lost, and the next start needs no repair.

A first retraining is let be, which tells how long one takes here; each later one is killed at a moment of that
time, counted from when its process took it up. ``REPLYGUARD_TEST_KILLS`` says how often.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import func, select

from model.registry import Registry
from service.clock import utc_now
from service.db import Database
from service.promotion import Promotion
from service.pseudonyms import Pseudonyms
from service.schema import feedback, model_events, training_runs
from service.settings import Settings
from service.startup import open_registry
from service.stores.runs import Run, RunStore
from service.stores.versions import ModelEventStore
from tests.feedback_rows import Moderator

ROOT = Path(__file__).parents[2]
N_KILLS = int(os.environ.get("REPLYGUARD_TEST_KILLS", "3"))
pytestmark = pytest.mark.long


def start(settings: Settings) -> subprocess.Popen[str]:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("REPLYGUARD_")}
    environ |= {"REPLYGUARD_DATA_DIR": str(settings.data_dir), "PYTHONPATH": str(ROOT)}
    if settings.database_url is not None:
        environ["REPLYGUARD_DATABASE_URL"] = settings.database_url.get_secret_value()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.functional.trainer_process"],
        cwd=ROOT,
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def sound(registry: Registry) -> None:
    """Every version in the registry is whole, and one of them answers."""
    for version in registry.versions():
        registry.load(version)
    assert registry.champion() in registry.versions()


def finished(settings: Settings) -> None:
    """Let a process do the retraining that waits or was abandoned."""
    process = start(settings)
    assert process.communicate(timeout=120)[0].endswith("done\n")
    assert process.returncode == 0


def killed(settings: Settings, runs: RunStore, after_s: float) -> Run | None:
    """Kill a process so long after it took up the retraining; return what it was at, None if it was done before."""
    waiting = runs.active()
    assert waiting is not None
    process = start(settings)
    try:
        give_up = time.monotonic() + 60.0
        while (run := runs.find(waiting.guid)) is None or run.attempts == waiting.attempts:
            assert time.monotonic() < give_up, "nobody took the retraining up"
            time.sleep(0.005)
        time.sleep(after_s)
    finally:
        process.kill()
        process.communicate()
    return runs.active()


def test_a_trainer_that_is_killed_again_and_again_loses_nothing(
    prepared: Settings, database: Database, pseudonyms: Pseudonyms
) -> None:
    alice = Moderator(database, pseudonyms, utc_now)
    alice.moderate(56)
    registry, runs = open_registry(prepared), RunStore(database, utc_now)
    chance = random.SystemRandom()

    def ask() -> Run:
        return runs.request(by="alice", origin="command")[0]

    first = ask()
    finished(prepared)
    reference = runs.find(first.guid)
    assert reference is not None
    assert reference.state == "promoted", reference.error or reference.reason
    assert reference.started_at is not None
    assert reference.finished_at is not None
    duration_s = (reference.finished_at - reference.started_at).total_seconds()

    requested = {first.guid}
    hits: list[Run] = []
    n_tries = 0
    while len(hits) < N_KILLS:
        n_tries += 1
        assert n_tries <= 5 * N_KILLS + 5, f"{len(hits)} of {n_tries} kills met a retraining"
        # New labels each time, so that there is a new version to promote.
        alice.moderate(3, seed=n_tries)
        run = ask()
        requested.add(run.guid)
        if run.attempts == 4:
            # Whatever dies five times is given up, which is another test's matter.
            finished(prepared)
        else:
            hit = killed(prepared, runs, chance.uniform(0.0, duration_s))
            hits += [] if hit is None else [hit]
        sound(registry)
    requested.add(ask().guid)
    finished(prepared)

    sound(registry)
    with database.read() as connection:
        states = dict(connection.execute(select(training_runs.c.guid, training_runs.c.state)).all())
        n_labels = connection.execute(select(func.count()).select_from(feedback)).scalar_one()
    assert set(states) == requested, "a retraining that was asked for is lost, or one is there twice"
    assert set(states.values()) <= {"promoted", "refused"}
    for hit in hits:
        done = runs.find(hit.guid)
        assert done is not None
        assert done.attempts > hit.attempts, f"what was killed at {hit.stage!r} was not begun again"
    assert n_labels == 112 + 6 * n_tries
    Promotion(registry, ModelEventStore(database), utc_now).record()
    moves = registry.moves()
    with database.read() as connection:
        recorded = connection.execute(select(model_events.c.move_id)).scalars().all()
    assert sorted(recorded) == sorted(move.id for move in moves)
    promoted = [run.challenger for run in runs.latest(100) if run.state == "promoted"]
    assert sorted(promoted) == sorted(move.version for move in moves if move.what == "promote")
