from __future__ import annotations

import pytest

from service.db import Database
from service.keys import CACHE_S, Keys
from service.pseudonyms import Pseudonyms
from service.schema import api_keys
from service.stores.keys import KeyExists, KeyStore
from service.stores.sites import SiteStore
from tests.builders import ALICE_KEY
from tests.fakes import FrozenClock


class Ticker:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def ticker() -> Ticker:
    return Ticker()


@pytest.fixture
def keys(database: Database, pseudonyms: Pseudonyms, clock: FrozenClock, ticker: Ticker) -> Keys:
    return Keys(KeyStore(database, SiteStore()), pseudonyms, clock, monotonic=ticker)


def test_a_key_is_found_whatever_its_case_and_never_kept_in_clear(keys: Keys, database: Database) -> None:
    made = keys.create(ALICE_KEY.upper(), label="alice")
    assert made.text == ALICE_KEY
    assert keys.find(f" {ALICE_KEY.upper()} ") == made.key
    with database.read() as connection:
        row = connection.execute(api_keys.select()).one()
    assert ALICE_KEY not in repr(tuple(row))


@pytest.mark.parametrize(
    "text", ["", "short", "a11ce000000", "a11ce00000011", "g" * 12, "a11ce000000\n1", "ａ" * 12]
)
def test_what_is_no_key_is_not_looked_up(keys: Keys, text: str) -> None:
    assert keys.find(text) is None
    with pytest.raises(ValueError, match="12 characters"):
        keys.create(text)


def test_random_keys_differ(keys: Keys) -> None:
    assert len({keys.create().text for _ in range(20)}) == 20


def test_the_same_key_cannot_be_made_twice(keys: Keys) -> None:
    keys.create(ALICE_KEY)
    with pytest.raises(KeyExists):
        keys.create(ALICE_KEY)


def test_a_new_key_works_at_once_though_it_was_asked_for_before(keys: Keys) -> None:
    assert keys.find(ALICE_KEY) is None
    keys.create(ALICE_KEY)
    assert keys.find(ALICE_KEY) is not None


def test_a_revoked_key_is_believed_for_no_longer_than_the_cache_says(keys: Keys, ticker: Ticker) -> None:
    made = keys.create(ALICE_KEY)
    assert keys.find(ALICE_KEY) is not None
    assert keys.revoke(made.key.id)
    assert not keys.revoke(made.key.id)
    ticker.now = CACHE_S
    assert keys.find(ALICE_KEY) is None
    found = keys.find_any(ALICE_KEY)
    assert found is not None
    assert found.revoked_at is not None


def test_only_the_first_of_all_keys_is_first(keys: Keys) -> None:
    assert keys.create_first(label="first") is not None
    assert keys.create_first(label="second") is None
    assert [key.label for key in keys.all()] == ["first"]
