"""Does the retrainings that wait and says when it begins; a program for the tests that kill it."""

from __future__ import annotations

import os
import sys
import time

from service.clock import utc_now
from service.promotion import Promotion
from service.retraining import Trainer
from service.settings import load_settings
from service.startup import open_database, open_registry
from service.stores.material import MaterialStore
from service.stores.runs import RunStore
from service.stores.versions import ModelEventStore
from training.gate import GateParams
from training.retrain import RetrainParams

LEASE_S = 0.6


def main() -> None:
    settings = load_settings(os.environ)
    database = open_database(settings, timeout_s=10.0)
    registry = open_registry(settings)
    trainer = Trainer(
        RunStore(database, utc_now),
        MaterialStore(database),
        registry,
        Promotion(registry, ModelEventStore(database), utc_now),
        utc_now,
        lease_s=LEASE_S,
        # A holdout of 28 is enough here.
        params=RetrainParams(gate=GateParams(min_ham=10, min_spam=10)),
    )
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not trainer.work_off():
        time.sleep(0.05)
    sys.stdout.write("done\n")


if __name__ == "__main__":
    main()
