"""The queue of jobs, by huey, on a SQLite file or Redis.

What is to be done stands in the database; a message here only wakes a worker up, so one that is lost costs a
minute and nothing else. huey, which brings Redis's client along, is imported where a queue is opened.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog

from service.settings import Settings

if TYPE_CHECKING:
    from huey import Huey

_log = structlog.get_logger(__name__)

_NAME = "replyguard"


def open_queue(settings: Settings) -> Huey:
    """Return the queue of the settings; opens its file or its connection."""
    from huey import RedisHuey, SqliteHuey

    if settings.redis_url is not None:
        return RedisHuey(_NAME, url=settings.redis_url.get_secret_value(), results=False)
    return SqliteHuey(
        _NAME, filename=str(settings.data_dir / "jobs.db"), results=False, fsync=False, timeout=1
    )


class Jobs:
    """The jobs of this service on one queue.

    Parameters
    ----------
    queue : Huey
    retrain : callable, optional
        Does the retrainings that wait; who only wakes workers up gives none.
    look_after : callable, optional
        Called once a minute.
    """

    def __init__(
        self,
        queue: Huey,
        *,
        retrain: Callable[[], Any] = lambda: None,
        look_after: Callable[[], Any] | None = None,
    ) -> None:
        @queue.task(name="retrain")  # type: ignore[untyped-decorator]  # huey has no types
        def _retrain() -> None:
            retrain()

        self._retrain = _retrain
        if look_after is not None:
            from huey import crontab

            @queue.periodic_task(crontab(), name="look-after")  # type: ignore[untyped-decorator]
            def _look_after() -> None:
                look_after()

    def wake(self) -> None:
        """Let a worker look for a retraining now instead of within a minute."""
        self._retrain()


def wake_worker(settings: Settings) -> None:
    """Let a worker look for a retraining now; if the queue cannot be had, one looks within a minute anyway."""
    try:
        queue = open_queue(settings)
        try:
            Jobs(queue).wake()
        finally:
            queue.storage.close()
    except Exception as error:
        # Redis has errors of its own, and is not always installed.
        if not isinstance(error, sqlite3.Error | OSError) and "redis" not in type(error).__module__:
            raise
        _log.warning("no worker could be woken up", cause=type(error).__name__, remedy="none needed")
