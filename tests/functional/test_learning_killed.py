"""kill -9 at random moments while moderators correct: nothing acknowledged is lost, nothing counts twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import func, select

from model import artifact
from service.db import Database
from service.keys import Keys
from service.learning import SiteLearning
from service.pseudonyms import Pseudonyms
from service.schema import daily_counts, feedback, site_learning
from service.settings import Settings
from service.sites import parse_site
from service.stores.keys import KeyStore
from service.stores.site_weights import SiteWeightsStore
from service.stores.sites import SiteStore
from tests.builders import ALICE_KEY, ALICE_SITE
from tests.conftest import TEST_DATABASE_URL
from tests.fakes import FrozenClock
from tests.toy import undecided_classifier

ROOT = Path(__file__).parents[2]
#: Deaths in a longer run; the suite makes do with fewer.
N_KILLS = int(os.environ.get("LEARNING_KILLS", "3"))
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(bool(TEST_DATABASE_URL), reason="about SQLite's file"),
]


def taught_until_killed(path: Path, model: Path, seed: int, after_s: float) -> list[list[str]]:
    """Return the lines of a process that was killed so long after its first acknowledgement."""
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.functional.write_hammer", str(path), "teach", str(model), str(seed)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert running.stdout is not None
    lines = [running.stdout.readline(), running.stdout.readline()]
    time.sleep(after_s)
    os.kill(running.pid, signal.SIGKILL)
    # Not by communicate(), which passes over what readline() has read ahead.
    with running.stdout as rest:
        lines += rest.readlines()
    running.wait(timeout=30)
    # The last line may have been cut short by the death.
    return [line.split(" ", 2) for line in lines if line.endswith("\n")]


def test_whatever_dies_while_it_learns_leaves_all_that_was_acknowledged_once(
    prepared: Settings, database: Database, clock: FrozenClock, tmp_path: Path
) -> None:
    Keys(KeyStore(database, SiteStore()), Pseudonyms(b"s" * 32), clock).create(
        ALICE_KEY, label="a", tied_to=[]
    )
    artifact.save(undecided_classifier(), tmp_path / "model")
    chance = random.Random(0)
    acknowledged: dict[str, set[str]] = {}
    for seed in range(N_KILLS):
        lines = taught_until_killed(
            prepared.data_dir / "replyguard.db", tmp_path / "model", seed, chance.uniform(0.0, 0.6)
        )
        for word, label, body in lines:
            body = body.strip()
            if word == "kept":
                acknowledged[body] = {label}
            else:
                # Until it is acknowledged, both outcomes are right.
                acknowledged.setdefault(body, {"none"}).add(label)
        with database.read() as connection:
            rows = connection.execute(select(feedback)).all()
            version = connection.execute(select(site_learning.c.version)).scalar_one()
            missed, false = connection.execute(
                select(func.sum(daily_counts.c.missed_spam), func.sum(daily_counts.c.false_positives))
            ).one()
        effective = {row.body: row for row in rows if row.superseded_by is None}
        assert len(effective) == sum(row.superseded_by is None for row in rows)
        for body, labels in acknowledged.items():
            assert (effective[body].label if body in effective else "none") in labels
        counted = Counter(row.counted_as for row in effective.values())
        assert (missed, false) == (counted["missed_spam"], counted["false_positives"])
        # Each label kept is one step, so none was learnt twice.
        assert sorted(row.learnt_at for row in rows) == list(range(1, version + 1))
        rebuilt = SiteLearning(SiteWeightsStore(database)).rebuild(
            parse_site(ALICE_SITE), undecided_classifier()
        )
        assert rebuilt is not None
        assert rebuilt.n_labels == len(effective)
        assert rebuilt.is_same or not rebuilt.was_kept
