"""Use case: delete what is past its time, one purge at a time, without keeping a check waiting."""

from __future__ import annotations

import datetime as dt
import os
import secrets
import socket
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from model.errors import ModelError
from service.clock import Clock
from service.declaration.terms import Retention
from service.retention import DaysKept
from service.sites import SiteAddress
from service.stores.purges import PurgeLog
from service.stores.purging import DELETIONS, Group, PurgeStore

_log = structlog.get_logger(__name__)

#: Rows that one transaction deletes, about; on a disk that takes 5 ms to sync, a check waits some 20 ms for it.
BATCH_ROWS = 200
#: Pause between two transactions, in seconds: the others' turn.
PAUSE_S = 0.01
_BEAT_S = 20.0


class PurgeRuns(Exception):
    """Another purge is under way."""


@dataclass(slots=True)
class Purged:
    """What a purge has deleted, or would.

    Attributes
    ----------
    rows : dict of (Retention, str) to int
        By class and address of the site; for a purge that was done, as it was counted at its beginning.
    totals : dict of str to int
        Rows really deleted, by the value of their class.
    n_flips : int
        Mentions in the reports of retrainings that went too.
    is_whole : bool
        False if it was told to stop before its end.
    """

    rows: dict[tuple[Retention, str], int] = field(default_factory=dict)
    totals: dict[str, int] = field(default_factory=dict)
    n_flips: int = 0
    is_whole: bool = True


class Purger:
    """Deletes by the rule that the notice tells.

    Parameters
    ----------
    store : PurgeStore
    log : PurgeLog
    days : callable
        Returns the rule as it stands at the beginning of a purge.
    clock : Clock
    scrub : callable, optional
        Has the database give up what it keeps of deleted rows in its files.
    recalibrate : callable, optional
        Computes a site's cut-offs anew.
    stopping : callable
        Whether to stop; what is left is left for the next time.
    """

    def __init__(
        self,
        store: PurgeStore,
        log: PurgeLog,
        days: Callable[[], DaysKept],
        clock: Clock,
        *,
        scrub: Callable[[], object] = lambda: None,
        recalibrate: Callable[[SiteAddress], object] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._runs = log
        self._days = days
        self._clock = clock
        self._scrub = scrub
        self._recalibrate = recalibrate
        self._stopping = stopping
        self._holder = f"{socket.gethostname()[:40]}/{os.getpid()}/{secrets.token_hex(4)}"

    def preview(self) -> Purged:
        """Count what a purge would delete now; deletes nothing."""
        sites, days, now = self._store.sites(), self._days(), self._clock()
        found = Purged()
        for retention in DELETIONS:
            for group in groups(retention, sites, days, now):
                for site_id, n_rows in self._store.count(retention, group).items():
                    name = sites[site_id].address if site_id in sites else ""
                    found.rows[retention, name] = found.rows.get((retention, name), 0) + n_rows
        return found

    def run_if_due(self, *, at: dt.time) -> bool:
        """Purge if none has begun since the last time of day to do so; tell whether one was done."""
        now = self._clock()
        due = dt.datetime.combine(now.date(), at, tzinfo=dt.UTC)
        if due > now:
            due -= dt.timedelta(days=1)
        latest = self._runs.latest(1)
        # One that failed is tried again in an hour, not every minute.
        if latest and latest[0].started_at >= due:
            failed = latest[0].error is not None and now - latest[0].started_at >= dt.timedelta(hours=1)
            if not failed:
                return False
        try:
            self.run(origin="schedule")
        except PurgeRuns:
            return False
        return True

    def run(self, *, origin: str) -> Purged:
        """Delete all that is past its time.

        Raises
        ------
        PurgeRuns
            If another is at it.
        sqlalchemy.exc.SQLAlchemyError
            If the database refuses; what was deleted by then is.
        """
        purge_id = self._runs.begin(holder=self._holder, origin=origin)
        if purge_id is None:
            raise PurgeRuns
        purged = Purged(totals={retention.value: 0 for retention in DELETIONS})
        try:
            purged.rows = self.preview().rows
            self._delete(purge_id, purged)
        except Exception as error:
            self._runs.finish(purge_id, purged.totals, error=type(error).__name__)
            raise
        self._runs.finish(
            purge_id, purged.totals, error=None if purged.is_whole else "it was told to stop before its end"
        )
        _log.info("purge ended", origin=origin, whole=purged.is_whole, **purged.totals)
        return purged

    def _delete(self, purge_id: int, purged: Purged) -> None:
        sites, days, now = self._store.sites(), self._days(), self._clock()
        calibrated = self._store.calibrated()
        beaten = time.monotonic()
        for retention in DELETIONS:
            for group in groups(retention, sites, days, now):
                while not self._must_stop(purged):
                    gone = self._store.delete_some(retention, group, at_most=BATCH_ROWS)
                    if not gone:
                        break
                    purged.totals[retention.value] += gone
                    if time.monotonic() - beaten > _BEAT_S:
                        beaten = time.monotonic()
                        purged.is_whole &= self._runs.beat(purge_id, purged.totals)
                    time.sleep(PAUSE_S)
        touched: dict[str, int] = defaultdict(int)
        for (retention, address), n_rows in purged.rows.items():
            if retention in (Retention.COMMENTS, Retention.FEEDBACK):
                touched[address] += n_rows
        for site_id in calibrated:
            if site_id in sites and touched[sites[site_id].address]:
                self._compute_anew(site_id, sites[site_id])
        purged.n_flips = self._store.forget_flips()
        self._scrub()

    def _must_stop(self, purged: Purged) -> bool:
        if self._stopping():
            purged.is_whole = False
        return not purged.is_whole

    def _compute_anew(self, site_id: int, site: SiteAddress) -> None:
        """Have no scores kept of comments that are gone."""
        try:
            if self._recalibrate is not None and self._recalibrate(site) is not None:
                return
        except (ModelError, OSError) as error:
            _log.warning(
                "cut-offs dropped, not computed anew", cause=type(error).__name__, remedy="none needed"
            )
        self._store.drop_calibration(site_id)


def groups(
    retention: Retention, sites: dict[int, SiteAddress], days: DaysKept, now: dt.datetime
) -> list[Group]:
    """Return which sites' data of a class goes at which age; sites whose data stays are in none."""
    by_days: dict[int, list[int]] = defaultdict(list)
    for site_id, site in sites.items():
        by_days[days(retention, site)].append(site_id)
    # What belongs to no site goes by the general rule.
    general = days(retention, None)
    by_days.setdefault(general, [])
    found = []
    for n_days, site_ids in by_days.items():
        if n_days == 0 and retention is not Retention.COMPANY:
            continue
        before = now - dt.timedelta(days=n_days)
        if n_days == general:
            others = [site_id for site_id in sites if site_id not in set(site_ids)]
            found.append(Group(others, True, before))
        else:
            found.append(Group(site_ids, False, before))
    return found
