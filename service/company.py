"""Use case: count the company that a comment comes in, without ever standing in the way of its check."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from model import company
from model.comment import Company
from service.clock import Clock
from service.logs import Seldom
from service.outages import outage_of
from service.sites import SiteAddress

_log = structlog.get_logger(__name__)

#: An answer that took longer is a sign of trouble.
SLOW_S = 0.1
#: How long nobody is asked after trouble: otherwise each check would wait for what the one before waited for.
PAUSE_S = 5.0
_TELL_EVERY_S = 60.0


class CompanyLog(Protocol):
    """Where the marks of earlier comments are."""

    def meetings(
        self, marks: Sequence[company.Mark], *, site: SiteAddress, content_hash: str, since: dt.datetime
    ) -> list[company.Meeting]: ...


class CompanyCounter:
    """Counts the earlier comments of other names that a comment is like.

    All sites of this service count, the one that asks and the others: a campaign goes from one to the next. (The
    model learnt from one source at a time, where company is rarer; what it learnt of a copy holds for both.)
    Comments that are judged at the same moment do not see each other.

    Parameters
    ----------
    log : CompanyLog
    clock : Clock
    days : int
        How far to look back.
    monotonic : callable
        Seconds that only rise.
    """

    def __init__(
        self, log: CompanyLog, clock: Clock, *, days: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._log = log
        self._clock = clock
        self._reach = dt.timedelta(days=days)
        self._monotonic = monotonic
        self._silent_until = float("-inf")
        self._is_time_to_tell = Seldom(_TELL_EVERY_S, monotonic=monotonic)

    def count(
        self, author: int, marks: Sequence[company.Mark], *, site: SiteAddress, content_hash: str
    ) -> Company | None:
        """Return the company of a comment; None if it cannot be had now, which no check waits for.

        Parameters
        ----------
        author : int
            ``company.author_of`` the comment.
        marks : sequence of Mark
        site : SiteAddress
        content_hash : str
            Of the comment; earlier checks of it are no company.
        """
        started = self._monotonic()
        if started < self._silent_until:
            return None
        try:
            met = self._log.meetings(
                marks, site=site, content_hash=content_hash, since=self._clock() - self._reach
            )
        except SQLAlchemyError as error:
            self._pause(outage_of(error).cause)
            return None
        if self._monotonic() - started > SLOW_S:
            self._pause("the database is slow")
        return company.count(author, met)

    def _pause(self, cause: str) -> None:
        self._silent_until = self._monotonic() + PAUSE_S
        if self._is_time_to_tell():
            _log.warning(
                "judging without company",
                cause=cause,
                remedy="none needed if it passes; otherwise run `replyguard doctor`",
            )
