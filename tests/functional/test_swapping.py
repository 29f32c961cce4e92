"""Promotion and rollback under load: no request fails, and each verdict is its version's own.

``REPLYGUARD_TEST_SWAP_S`` says for how long, with a promotion or a rollback every five seconds at 60 and more.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import requests
from sqlalchemy import select

from model.classifier import SpamClassifier
from model.comment import Comment
from model.registry import Registry
from service.clock import utc_now
from service.db import Database
from service.promotion import Promotion
from service.schema import checks
from service.settings import Settings
from service.startup import open_registry
from service.stores.versions import ModelEventStore
from tests.builders import ALICE_SITE, a_form
from tests.functional.test_server import Served

pytestmark = pytest.mark.long
SECONDS = float(os.environ.get("REPLYGUARD_TEST_SWAP_S", "6"))
PAUSE_S = 5.0 if SECONDS >= 60 else 0.7
N_CLIENTS = 4
BODIES = (
    "Thank you, the part about winter tyres saved my Saturday.",
    "Cheap casino pills, visit http://pills.example.top/ today!",
    "I tried it with the newest release and it fails when the list is empty. Any idea why?",
    "Nice blog. I am a professional kitchen fitter, see my website for a free quote.",
)


def other_version(registry: Registry) -> SpamClassifier:
    """Return a version that gives every comment another score than the shipped one."""
    shipped = registry.load(registry.champion())
    return SpamClassifier(
        version="0.1.0-other",
        params=shipped.params,
        weights=np.asarray(shipped.weights) * np.float32(0.8),
        bias=shipped.bias + 0.25,
        policy=shipped.policy,
        card=shipped.card,
    )


def test_swapping_versions_under_load_fails_no_check_and_mixes_no_versions(
    prepared: Settings, database: Database, tmp_path: Path
) -> None:
    registry = open_registry(prepared)
    registry.add(other_version(registry))
    promotion = Promotion(registry, ModelEventStore(database), utc_now)
    served = Served(prepared, tmp_path / "log", ("service", "serve"), RUN_WORKER="false")
    answered: list[tuple[str, str]] = []
    failures: list[Any] = []
    done = threading.Event()

    def check(number: int, key: str) -> None:
        session, count = requests.Session(), 0
        while not done.is_set():
            count += 1
            body = f"{BODIES[(number + count) % len(BODIES)]} {number}-{count}"
            try:
                form = a_form(api_key=key, blog=ALICE_SITE, comment_content=body)
                response = session.post(f"{served.url}/1.1/comment-check", data=form, timeout=10)
            except requests.RequestException as error:
                failures.append(type(error).__name__)
                continue
            if response.text not in ("true", "false"):
                failures.append((response.status_code, response.text[:40]))
            answered.append((response.headers["X-akismet-guid"], body))

    try:
        key = served.first_key_of_command()
        served.wait_until_ready()
        threads = [threading.Thread(target=check, args=(number, key)) for number in range(N_CLIENTS)]
        for thread in threads:
            thread.start()
        until, moves = time.monotonic() + SECONDS, []
        while time.monotonic() < until:
            time.sleep(PAUSE_S)
            moves.append(promotion.promote("0.1.0-other", by="alice", why="to see"))
            time.sleep(PAUSE_S)
            moves.append(promotion.rollback(by="alice", why="seen"))
        time.sleep(PAUSE_S)
        done.set()
        for thread in threads:
            thread.join()
    finally:
        done.set()
        served.stop()
    assert failures == []
    assert len(moves) >= 4

    versions = {name: registry.load(name) for name in registry.versions()}
    bodies = dict(answered)
    with database.read() as connection:
        kept = connection.execute(select(checks).order_by(checks.c.created_at)).all()
    assert {row.guid for row in kept} == set(bodies)
    assert {row.model_version for row in kept} == set(versions)
    late = []
    for row in kept:
        form = a_form(comment_content=bodies[row.guid])
        comment = Comment(
            body=form["comment_content"],
            author=form["comment_author"],
            email=form["comment_author_email"],
            url=form["comment_author_url"],
            site=form["blog"],
            permalink=form["permalink"],
            kind=form["comment_type"],
            user_agent=form["user_agent"],
            referrer=form["referrer"],
        )
        verdict = versions[row.model_version].judge(comment)
        assert (row.score, row.log_odds) == (verdict.score, verdict.log_odds)
        assert row.decision == verdict.decision.value
        champion = next(
            (move for move in reversed(moves) if move is not None and move.at <= row.created_at.isoformat()),
            None,
        )
        if champion is not None and champion.version != row.model_version:
            late.append((row.created_at - utc_now().fromisoformat(champion.at)).total_seconds())
    assert max(late, default=0.0) < 2.0
    print(f"{len(kept)} checks, {len(moves)} moves, the last old verdict {max(late, default=0.0):.3f} s late")
