"""Use case: what a key's sites asked and what came of it, from the daily counts."""

from __future__ import annotations

import datetime as dt
import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass

from service.clock import Clock
from service.sites import SiteAddress
from service.stores.counts import Counts, CountStore, DayCounts, SiteCounts
from service.stores.keys import Key

#: Assumption behind "time saved": what it takes a person to open, read and remove one spam comment.
SECONDS_PER_SPAM = 10
_SPAN = re.compile(r"(\d{1,4})-(day|month|year)s?")


class Order(enum.Enum):
    """By which count sites are listed, largest first."""

    TOTAL = "total"
    SPAM = "spam"
    HAM = "ham"
    MISSED_SPAM = "missed_spam"
    FALSE_POSITIVES = "false_positives"


@dataclass(frozen=True, slots=True)
class Period:
    """Sums of a day, month or year.

    Attributes
    ----------
    name : str
        2026-03-14, 2026-03 or 2026.
    first_day : date
    counts : Counts
    n_sites : int
        Sites that the sums come from.
    """

    name: str
    first_day: dt.date
    counts: Counts
    n_sites: int


@dataclass(frozen=True, slots=True)
class Report:
    """Sums over a span and over its periods, oldest first."""

    total: Counts
    periods: tuple[Period, ...]

    @property
    def accuracy(self) -> float:
        """Percentage of answers that nobody corrected; 0 if nothing was answered."""
        answered = self.total.spam + self.total.ham
        wrong = self.total.missed_spam + self.total.false_positives
        return 100.0 * max(answered - wrong, 0) / answered if answered else 0.0

    @property
    def time_saved_s(self) -> int:
        """Seconds of moderation that the caught spam would have cost."""
        return max(self.total.spam - self.total.false_positives, 0) * SECONDS_PER_SPAM


@dataclass(frozen=True, slots=True)
class SitePage:
    """Part of a list of sites, and how long the whole list is."""

    sites: tuple[SiteCounts, ...]
    total: int


class Statistics:
    """Reads the daily counts; days are UTC."""

    def __init__(self, counts: CountStore, clock: Clock) -> None:
        self._counts = counts
        self._clock = clock

    def report(self, key: Key, span: str, *, site: SiteAddress | None = None) -> Report:
        """Return a key's sums, of one site or of all.

        Parameters
        ----------
        key : Key
        span : str
            ``60-days`` gives days, ``6-months`` gives calendar months with the present one as the last,
            ``2-years`` and ``all`` give years.
        site : SiteAddress, optional

        Raises
        ------
        ValueError
            If the span is not of this form.
        """
        since, unit = self._since(span)
        days = self._counts.days(key_id=key.id, since=since, site=site)
        periods: dict[str, list[DayCounts]] = {}
        for day in days:
            periods.setdefault(_period_name(day.day, unit), []).append(day)
        return Report(
            total=_sum(day.counts for day in days),
            periods=tuple(
                Period(
                    name=name,
                    first_day=_first_day(members[0].day, unit),
                    counts=_sum(day.counts for day in members),
                    n_sites=len({day.site_id for day in members}),
                )
                for name, members in periods.items()
            ),
        )

    def calls_this_month(self, key: Key) -> int:
        """Return how many comments the key had judged in the present calendar month."""
        since = self._clock().date().replace(day=1)
        return _sum(day.counts for day in self._counts.days(key_id=key.id, since=since, site=None)).calls

    def sites(
        self,
        key: Key,
        month: str = "",
        *,
        containing: str = "",
        order: Order = Order.TOTAL,
        limit: int = 500,
        offset: int = 0,
    ) -> SitePage:
        """Return the sites that a key was used for in one month, busiest first.

        Parameters
        ----------
        month : str
            YYYY-MM; the present one if empty.
        containing : str
            Only sites whose address contains this.

        Raises
        ------
        ValueError
            If the month is not one.
        """
        since = _month(month) if month else self._clock().date().replace(day=1)
        found = self._counts.sites(key_id=key.id, since=since, until=_next_month(since))
        wanted = [entry for entry in found if containing.lower() in entry.address]
        column = "calls" if order is Order.TOTAL else order.value
        wanted.sort(key=lambda entry: (-getattr(entry.counts, column), entry.address))
        return SitePage(tuple(wanted[offset : offset + limit]), len(wanted))

    def month(self, month: str = "") -> str:
        """Return a month as YYYY-MM; the present one if empty."""
        return (_month(month) if month else self._clock().date()).strftime("%Y-%m")

    def _since(self, span: str) -> tuple[dt.date | None, str]:
        if span == "all":
            return None, "year"
        match = _SPAN.fullmatch(span)
        if match is None or int(match[1]) < 1:
            raise ValueError("write all, or a number with its unit such as 60-days, 6-months or 2-years")
        number, unit = int(match[1]), match[2]
        today = self._clock().date()
        if unit == "day":
            return today - dt.timedelta(days=number - 1), unit
        first = today.replace(day=1)
        months = first.year * 12 + first.month - 1
        months = months - (number - 1) if unit == "month" else (first.year - number + 1) * 12
        if months < 12:
            return None, unit
        return dt.date(months // 12, months % 12 + 1, 1), unit


def _month(text: str) -> dt.date:
    match = re.fullmatch(r"(\d{4})-(\d{2})", text)
    if match is None or not 1 <= int(match[2]) <= 12 or int(match[1]) < 1:
        raise ValueError("write a month as YYYY-MM")
    return dt.date(int(match[1]), int(match[2]), 1)


def _next_month(first: dt.date) -> dt.date:
    if first.month < 12:
        return first.replace(month=first.month + 1)
    return dt.date(first.year + 1, 1, 1) if first.year < dt.MAXYEAR else dt.date.max


def _period_name(day: dt.date, unit: str) -> str:
    return day.isoformat()[: {"day": 10, "month": 7, "year": 4}[unit]]


def _first_day(day: dt.date, unit: str) -> dt.date:
    if unit == "day":
        return day
    return day.replace(day=1) if unit == "month" else day.replace(month=1, day=1)


def _sum(parts: Iterable[Counts]) -> Counts:
    sums = dict.fromkeys(Counts.__dataclass_fields__, 0)
    for part in parts:
        for name in sums:
            sums[name] += getattr(part, name)
    return Counts(**sums)
