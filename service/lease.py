"""Keeps a retraining to one process for as long as that lives, and tells it when to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from sqlalchemy.exc import SQLAlchemyError

from service.stores.runs import Run

#: Stages in which it is too late to cancel: the champion's name moves.
_SETTLED = ("promote", "finish")


class LeaseLog(Protocol):
    """Where the lease is kept."""

    def beat(self, run: Run, holder: str, *, stage: str, fraction: float) -> tuple[bool, bool]: ...
    def finish(self, run: Run, holder: str, state: str, values: Mapping[str, Any]) -> bool: ...


class GiveUpError(Exception):
    """A retraining must not go on."""


class CancelledError(GiveUpError):
    """A person stopped it."""


class LeaseLostError(GiveUpError):
    """The process was silent for too long, and another may have begun it again."""


class StoppingError(GiveUpError):
    """The process is about to end."""


class Lease:
    """Keeps a run ours while we work on it, in a thread of its own, and learns when we must stop."""

    def __init__(
        self, runs: LeaseLog, run: Run, holder: str, lease_s: float, stopping: Callable[[], bool]
    ) -> None:
        self._runs = runs
        self._run = run
        self._holder = holder
        self._lease_s = lease_s
        self._stopping = stopping
        self._stage, self._fraction = "", 0.0
        self._lost: GiveUpError | None = None
        self._renewed_at = time.monotonic()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def report(self, stage: str, fraction: float) -> None:
        """Say how far the work is; raises if it must not go on."""
        if self._stopping():
            raise StoppingError
        is_new, self._stage, self._fraction = stage != self._stage, stage, fraction
        if is_new and self._lost is None:
            self._renew()
        if self._lost is not None:
            raise self._lost

    def _keep(self) -> None:
        while not self._done.wait(self._lease_s / 10) and self._lost is None:
            self._renew()

    def _renew(self) -> None:
        try:
            is_ours, is_cancelled = self._runs.beat(
                self._run, self._holder, stage=self._stage, fraction=round(self._fraction, 3)
            )
        except SQLAlchemyError:
            if time.monotonic() - self._renewed_at > self._lease_s / 2:
                self._lost = LeaseLostError()
            return
        self._renewed_at = time.monotonic()
        if not is_ours:
            self._lost = LeaseLostError()
        elif is_cancelled and self._stage not in _SETTLED:
            # Ended at once, whatever the step under way still takes: its outcome is thrown away.
            self._runs.finish(self._run, self._holder, "cancelled", {})
            self._lost = CancelledError()
