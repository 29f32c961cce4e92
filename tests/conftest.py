"""The people and the parts that tests share: alice owns a site, bob another, charlie has no key."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.engine import make_url

from service.app import create_app
from service.components import EXTENSION, Components
from service.db import Database
from service.pseudonyms import Pseudonyms
from service.settings import Settings
from service.sites import parse_site
from service.startup import prepare, secret_of
from tests.builders import ALICE_KEY, ALICE_SITE, BOB_KEY, BOB_SITE
from tests.commands import Commands
from tests.fakes import FrozenClock, KeywordScore

#: A PostgreSQL database that tests may empty; SQLite files of their own if it is not set.
TEST_DATABASE_URL = os.environ.get("TEST_DATABASE_URL", "")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    values: dict[str, Any] = {"data_dir": tmp_path / "var"}
    if TEST_DATABASE_URL:
        values["database_url"] = SecretStr(TEST_DATABASE_URL)
        # A machine under test load is not what the time limit is for.
        values["database_timeout_s"] = 5.0
        _empty(TEST_DATABASE_URL)
    return Settings(**values)


@pytest.fixture
def prepared(settings: Settings) -> Settings:
    """Settings of a service that has been started once and has no key yet."""
    prepare(settings, first_key=False)
    return settings


@pytest.fixture
def database(prepared: Settings) -> Iterator[Database]:
    opened = Database(prepared.sqlalchemy_url, timeout_s=prepared.database_timeout_s)
    yield opened
    opened.close()


@pytest.fixture
def pseudonyms(prepared: Settings) -> Pseudonyms:
    return Pseudonyms(secret_of(prepared))


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def make_app(prepared: Settings, database: Database, clock: FrozenClock) -> Iterator[Callable[..., Flask]]:
    """Yield a function that makes an application in which alice and bob have keys."""
    made: list[Components] = []

    def make(scorer: Any = None, **overrides: Any) -> Flask:
        app = create_app(
            prepared.model_copy(update=overrides),
            scorer=KeywordScore() if scorer is None else scorer,
            clock=clock,
            database=database,
        )
        parts: Components = app.extensions[EXTENSION]
        made.append(parts)
        if not parts.keys.all():
            parts.keys.create(ALICE_KEY, label="alice", tied_to=[parse_site(ALICE_SITE)])
            parts.keys.create(BOB_KEY, label="bob", tied_to=[parse_site(BOB_SITE)])
        return app

    yield make
    for parts in made:
        parts.calibration.close()


@pytest.fixture
def app(make_app: Callable[..., Flask]) -> Flask:
    return make_app()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Run ``replyguard`` in processes of its own that start at once."""
    opened = Commands(tmp_path_factory.mktemp("commands"))
    yield opened
    opened.close()


def _empty(url: str) -> None:
    database = Database(make_url(url).set(drivername="postgresql+psycopg"), timeout_s=10.0)
    with database.write() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    database.close()
