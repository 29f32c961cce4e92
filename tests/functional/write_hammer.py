"""Writes as fast as it can, from a few threads; a program for the tests that need several processes.

``write_hammer.py FILE hammer THREADS CHECKS`` writes checks and prints what came of each;
``write_hammer.py FILE die`` stops in the middle of its turn, says so, and waits to be killed;
``write_hammer.py FILE teach MODEL SEED`` corrects comments until it is killed, and says what was acknowledged.
"""

from __future__ import annotations

import random
import sys
import threading
import time
import uuid
from pathlib import Path

from sqlalchemy import URL, insert

from model import artifact
from model.comment import Comment, Label
from service.champion import FixedModel
from service.clock import utc_now
from service.db import Database
from service.feedback import Feedback, FeedbackRequest
from service.learning import SiteLearning
from service.pseudonyms import Pseudonyms
from service.schema import meta
from service.sites import parse_site
from service.stores.feedback import FeedbackStore
from service.stores.keys import KeyStore
from service.stores.site_weights import SiteWeightsStore
from service.stores.sites import SiteStore
from tests.builders import ALICE_SITE


def hammer(database: Database, n_threads: int, n_writes: int) -> None:
    lines: list[str] = []

    def write() -> None:
        for _ in range(n_writes):
            name = uuid.uuid4().hex
            try:
                database.write_together(
                    lambda connection, name=name: connection.execute(
                        insert(meta), {"name": name, "value": "x" * 500}
                    )
                )
            except Exception as error:
                lines.append(f"{type(error).__name__} {name}")
            else:
                lines.append(f"kept {name}")

    threads = [threading.Thread(target=write) for _ in range(n_threads)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def die(database: Database) -> None:
    with database.write() as connection:
        connection.execute(insert(meta), {"name": "half-written", "value": "x"})
        sys.stdout.write("writing\n")
        sys.stdout.flush()
        time.sleep(600)


def teach(database: Database, model: Path, seed: int) -> None:
    models = FixedModel(artifact.load(model))
    teacher = Feedback(
        labels=FeedbackStore(database, SiteStore(), learn_per_day=1_000_000),
        pseudonyms=Pseudonyms(b"s" * 32),
        clock=utc_now,
        models=models,
        learning=SiteLearning(SiteWeightsStore(database)),
    )
    [key] = KeyStore(database, SiteStore()).all()
    chance = random.Random(seed)
    while True:
        body, label = f"comment number {chance.randrange(30)}", chance.choice(list(Label))
        sys.stdout.write(f"sent {label.value} {body}\n")
        sys.stdout.flush()
        teacher.record(FeedbackRequest(label, Comment(body=body), parse_site(ALICE_SITE)), key=key)
        sys.stdout.write(f"kept {label.value} {body}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    opened = Database(URL.create("sqlite", database=sys.argv[1]), timeout_s=0.6)
    if sys.argv[2] == "hammer":
        hammer(opened, int(sys.argv[3]), int(sys.argv[4]))
    elif sys.argv[2] == "teach":
        teach(opened, Path(sys.argv[3]), int(sys.argv[4]))
    else:
        die(opened)
