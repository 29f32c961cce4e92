"""Use case: find out from a site's own comments what its budget means, away from the requests."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from typing import Protocol

import structlog

from service.champion import ScorerSource
from service.clock import Clock
from service.cutoffs import SILENCE_DAYS, HamSeen, SiteHam, weigh
from service.logs import describe
from service.sites import SiteAddress
from service.stores.calibration import JudgedComment
from service.stores.policies import CalibrationRecord, SiteState

_log = structlog.get_logger(__name__)

#: Older comments say little about those to come.
WINDOW = dt.timedelta(days=180)
#: Seconds between two computations for one site by one worker, however many corrections come.
PAUSE_S = 5.0


class JudgedComments(Protocol):
    """Where a site's scores come from."""

    def judged(self, site: SiteAddress, model_version: str, since: dt.datetime) -> list[JudgedComment]: ...


class CalibrationLog(Protocol):
    """Where wishes are kept, and what was computed."""

    def state(self, site: SiteAddress) -> SiteState | None: ...

    def calibrate(self, site: SiteAddress, record: CalibrationRecord) -> None: ...


class Calibration:
    """Keeps the cut-offs of the sites that set a budget up to date.

    ``notice`` returns at once: a thread of its own, started when first needed (so after a fork), computes.
    What it does not get to do before the process ends is done when the site is noticed again.
    """

    def __init__(
        self,
        *,
        models: ScorerSource,
        judged: JudgedComments,
        log: CalibrationLog,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._models = models
        self._judged = judged
        self._log = log
        self._clock = clock
        self._monotonic = monotonic
        self._waiting: dict[str, SiteAddress] = {}
        self._next_at: dict[str, float] = {}
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def notice(self, site: SiteAddress) -> None:
        """Have a site's cut-offs computed soon."""
        with self._changed:
            if self._is_closed:
                return
            self._waiting[site.address] = site
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="calibration", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """End the thread; what it is at is done to the end, what waits is left."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def refresh(self, site: SiteAddress) -> SiteHam | None:
        """Compute a site's cut-offs now and keep them; None if the site sets no budget.

        Raises
        ------
        ModelUnavailable
            If no model is there.
        sqlalchemy.exc.SQLAlchemyError
            If the database does not answer.
        """
        state = self._log.state(site)
        if state is None or state.policy.budget_per_thousand is None:
            return None
        version = self._models.current().version
        now = self._clock()
        settled = now - dt.timedelta(days=SILENCE_DAYS)
        seen = [
            HamSeen(row.score, row.answer != "false", row.label == "ham", row.created_at <= settled)
            for row in self._judged.judged(site, version, now - WINDOW)
            if row.label != "spam"
        ]
        found = weigh(seen, counts_silence=state.policy.counts_silence)
        self._log.calibrate(site, CalibrationRecord(version, now, found.as_dict()))
        return found

    def _run(self) -> None:
        while (site := self._next()) is not None:
            try:
                self.refresh(site)
            # Whatever it is, the cut-offs that are there go on, and the thread must too.
            except Exception as error:
                _log.warning("cut-offs not computed", cause=type(error).__name__, traceback=describe(error))

    def _next(self) -> SiteAddress | None:
        """Wait for a site whose turn has come; None when it is time to end."""
        with self._changed:
            while not self._is_closed:
                now = self._monotonic()
                due = {address: self._next_at.get(address, 0.0) for address in self._waiting}
                ready = [address for address, at in due.items() if at <= now]
                if ready:
                    address = ready[0]
                    self._next_at = {name: at for name, at in self._next_at.items() if at > now}
                    self._next_at[address] = now + PAUSE_S
                    return self._waiting.pop(address)
                self._changed.wait(min(due.values()) - now if due else None)
            return None
