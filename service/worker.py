"""Runs the jobs that take long: one process, at low priority, beside the service or on another machine."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import structlog
from sqlalchemy.exc import SQLAlchemyError

from model.registry import Registry
from service.calibration import Calibration
from service.champion import Champion
from service.clock import Clock, utc_now
from service.db import Database
from service.forgetting import Forgetting
from service.outages import outage_of
from service.promotion import Promotion
from service.purging import Purger
from service.queue import Jobs, open_queue, wake_worker
from service.retention import DaysKept, SiteRetention, days_of
from service.retraining import Trainer
from service.settings import Settings
from service.startup import mend_rotation, open_database, open_registry
from service.stores.calibration import CalibrationStore
from service.stores.forgetting import ForgettingStore
from service.stores.material import MaterialStore
from service.stores.policies import PolicyStore
from service.stores.purges import PurgeLog
from service.stores.purging import PurgeStore
from service.stores.retention import RetentionStore
from service.stores.runs import RunStore
from service.stores.sites import SiteStore
from service.stores.versions import ModelEventStore

_log = structlog.get_logger(__name__)

#: Behind everything that answers a request.
_NICENESS = 10
#: A job may wait for the database as long as no request could.
_DATABASE_TIMEOUT_S = 30.0
#: Time that a job gets to come to a stop.
_SHUTDOWN_S = 8


def open_job_database(settings: Settings) -> Database:
    """Open the database for work that nobody waits for."""
    return open_database(settings, timeout_s=_DATABASE_TIMEOUT_S)


def open_promotion(registry: Registry, database: Database) -> Promotion:
    """Join what moves the champion's name."""
    return Promotion(registry, ModelEventStore(database), utc_now)


def open_trainer(
    settings: Settings, database: Database, *, stopping: Callable[[], bool] = lambda: False
) -> Trainer:
    """Join what does retrainings."""
    registry = open_registry(settings)
    return Trainer(
        RunStore(database, utc_now),
        MaterialStore(database),
        registry,
        open_promotion(registry, database),
        utc_now,
        corpora=settings.corpora,
        keep=settings.keep_models,
        stopping=stopping,
        forgetting=Forgetting(ForgettingStore(database), registry),
    )


def open_purger(
    settings: Settings,
    database: Database,
    *,
    stopping: Callable[[], bool] = lambda: False,
    clock: Clock = utc_now,
) -> Purger:
    """Join what deletes old data."""
    sites = SiteStore()
    calibration = Calibration(
        models=Champion(open_registry(settings)),
        judged=CalibrationStore(database),
        log=PolicyStore(database, sites),
        clock=clock,
    )

    def days() -> DaysKept:
        set_by_sites = RetentionStore(database, sites).all()
        return days_of(settings, lambda site: set_by_sites.get(site.address, SiteRetention()))

    return Purger(
        PurgeStore(database),
        PurgeLog(database, clock),
        days,
        clock,
        scrub=database.scrub,
        recalibrate=calibration.refresh,
        stopping=stopping,
    )


def run_worker(settings: Settings, *, parent: int | None = None) -> None:
    """Work until told to stop.

    Parameters
    ----------
    settings : Settings
    parent : int, optional
        Number of the process without which this one has no purpose: when it is gone, this one ends.
    """
    os.nice(_NICENESS)
    # It tells of every look at the queue.
    logging.getLogger("huey").setLevel(logging.WARNING)
    database = open_job_database(settings)
    queue = open_queue(settings)
    consumer = queue.create_consumer(
        workers=1, max_delay=2.0, graceful_signal="TERM", shutdown_timeout=_SHUTDOWN_S
    )
    stopping = consumer.stop_flag.is_set
    trainer = open_trainer(settings, database, stopping=stopping)
    purger = open_purger(settings, database, stopping=stopping)

    def look_after() -> None:
        with _logged():
            mend_rotation(settings, database)
        with _logged():
            purger.run_if_due(at=settings.purge_at)
        with _logged():
            trainer.request_if_due(every_days=settings.retrain_every_days, at=settings.retrain_at)
        work_off()

    def work_off() -> None:
        with _logged():
            while not stopping() and trainer.work_off():
                pass

    Jobs(queue, retrain=work_off, look_after=look_after)
    wake_worker(settings)
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    try:
        consumer.run()
    finally:
        database.close()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1.0)
    os.kill(os.getpid(), signal.SIGTERM)


@contextlib.contextmanager
def _logged() -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        outage = outage_of(error)
        _log.error("a job could not be done", cause=outage.cause, remedy=outage.remedy)
