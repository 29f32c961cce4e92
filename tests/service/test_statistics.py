from __future__ import annotations

import datetime as dt

import pytest

from service.db import Database
from service.keys import Keys
from service.pseudonyms import Pseudonyms
from service.sites import parse_site
from service.statistics import Order, Statistics
from service.stores.counts import CountStore
from service.stores.keys import Key, KeyStore
from service.stores.sites import SiteStore
from tests.builders import ALICE_SITE, BOB_SITE
from tests.fakes import FrozenClock


@pytest.fixture
def key(database: Database, pseudonyms: Pseudonyms, clock: FrozenClock) -> Key:
    return Keys(KeyStore(database, SiteStore()), pseudonyms, clock).create().key


@pytest.fixture
def statistics(database: Database, clock: FrozenClock) -> Statistics:
    return Statistics(CountStore(database), clock)


def put(database: Database, key: Key, day: str, site: str = ALICE_SITE, **amounts: int) -> None:
    moment = dt.datetime.fromisoformat(day).replace(tzinfo=dt.UTC)
    with database.write() as connection:
        site_id = SiteStore().resolve(connection, parse_site(site), moment)
        CountStore.add(connection, day=moment.date(), key_id=key.id, site_id=site_id, amounts=amounts)


@pytest.mark.parametrize(
    ("span", "names"),
    [
        ("1-day", ["2026-03-14"]),
        ("2-days", ["2026-03-13", "2026-03-14"]),
        ("1-month", ["2026-03"]),
        ("6-months", ["2025-10", "2026-03"]),
        ("1-year", ["2026"]),
        ("2-years", ["2025", "2026"]),
        ("9999-years", ["2024", "2025", "2026"]),
        ("all", ["2024", "2025", "2026"]),
    ],
)
def test_a_span_ends_today_and_breaks_down_into_its_unit(
    statistics: Statistics, database: Database, key: Key, span: str, names: list[str]
) -> None:
    for day in ("2024-12-31", "2025-09-30", "2025-10-01", "2026-03-13", "2026-03-14"):
        put(database, key, day, calls=1, ham=1)
    assert [period.name for period in statistics.report(key, span).periods] == names


@pytest.mark.parametrize("span", ["", "0-days", "yesterday", "6 months", "-1-days", "6-weeks"])
def test_other_spans_are_refused(statistics: Statistics, key: Key, span: str) -> None:
    with pytest.raises(ValueError, match="60-days"):
        statistics.report(key, span)


def test_accuracy_and_time_saved_never_fall_below_nothing(
    statistics: Statistics, database: Database, key: Key
) -> None:
    assert statistics.report(key, "all").accuracy == 0.0
    put(database, key, "2026-03-14", calls=2, spam=1, ham=1, false_positives=5)
    report = statistics.report(key, "all")
    assert (report.accuracy, report.time_saved_s) == (0.0, 0)


def test_sites_are_of_one_month_in_the_order_asked_for(
    statistics: Statistics, database: Database, key: Key
) -> None:
    put(database, key, "2025-12-31", calls=9)
    put(database, key, "2025-12-01", BOB_SITE, calls=3, spam=3)
    put(database, key, "2026-01-01", calls=1)
    found = statistics.sites(key, "2025-12")
    assert [entry.counts.calls for entry in found.sites] == [9, 3]
    by_spam = statistics.sites(key, "2025-12", order=Order.SPAM).sites
    assert [entry.address for entry in by_spam] == ["bob.example.net", "alice.example.com"]
    assert statistics.sites(key, "9999-12").total == 0
    assert statistics.calls_this_month(key) == 0
