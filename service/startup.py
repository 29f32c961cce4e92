"""What has to be there before the first request: data folder, secret, schema, a model, a first key."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass

import structlog
from sqlalchemy import select

from model.errors import ModelError
from model.registry import SHIPPED, Registry
from service.clock import utc_now
from service.db import Database, insert_missing
from service.keys import Keys, NewKey
from service.migrating import migrate
from service.notice import record_notice
from service.pseudonyms import Pseudonyms, load_or_create_secret
from service.schema import meta
from service.settings import Settings
from service.stores.keys import KeyStore
from service.stores.notices import NoticeStore
from service.stores.sites import SiteStore

_log = structlog.get_logger(__name__)

SECRET_CHECK = "secret-check"  # noqa: S105 - the name of a row, not a secret


class StartRefused(Exception):
    """The service cannot start; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the start found or made.

    Attributes
    ----------
    first_key : NewKey or None
        Made now because there was none; show it, it is not kept in clear.
    """

    first_key: NewKey | None


def secret_of(settings: Settings) -> bytes:
    """Return the secret of the settings, else that of the data folder, which is made if need be.

    Raises
    ------
    SecretUnusable
        If it cannot be read or made.
    """
    if settings.secret is not None:
        return settings.secret.get_secret_value().encode()
    return load_or_create_secret(settings.data_dir)


def open_database(settings: Settings, *, timeout_s: float | None = None) -> Database:
    """Open the database of the settings for a command."""
    return Database(settings.sqlalchemy_url, timeout_s=timeout_s or settings.database_timeout_s)


def prepare(settings: Settings, *, first_key: bool) -> Prepared:
    """Make the service ready to start; safe if two processes do so at once.

    Parameters
    ----------
    settings : Settings
    first_key : bool
        Make a key if there is none at all.

    Raises
    ------
    StartRefused, SecretUnusable, sqlalchemy.exc.SQLAlchemyError
        If something is not as it must be.
    """
    _make_data_dir(settings)
    with _alone(settings):
        pseudonyms = Pseudonyms(secret_of(settings))
        # A migration may take longer than a check may wait.
        database = open_database(settings, timeout_s=60.0)
        try:
            migrate(database)
            _check_secret(database, pseudonyms)
            seed_models(settings)
            store = KeyStore(database, SiteStore())
            keys = Keys(store, pseudonyms, utc_now)
            return Prepared(keys.create_first(label="first key") if first_key else None)
        finally:
            database.close()


def remember_notice(settings: Settings) -> None:
    """Note what the privacy notice says from this start on, so that it can tell what changed and when."""
    database = open_database(settings, timeout_s=60.0)
    try:
        record_notice(NoticeStore(database), settings, utc_now)
    finally:
        database.close()


def open_registry(settings: Settings) -> Registry:
    """Return the registry of models in the data folder."""
    return Registry(settings.models_dir)


@contextlib.contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Let one process at a time prepare this data folder."""
    path = settings.data_dir / ".start.lock"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartRefused(
            f"{path}: {error.strerror}; make the data folder writable for the service's user"
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _check_secret(database: Database, pseudonyms: Pseudonyms) -> None:
    """Refuse a secret under which this database's keys and pseudonyms would mean nothing."""
    expected = pseudonyms.digest("secret-check", "")
    with database.write() as connection:
        insert_missing(connection, meta, meta.c.name, {"name": SECRET_CHECK, "value": expected})
        kept = connection.execute(select(meta.c.value).where(meta.c.name == SECRET_CHECK)).scalar_one()
    if kept != expected:
        raise StartRefused(
            "the secret is not the one this database was made with, so no API key would be known; put the"
            " data folder's secret file back from a backup, or set REPLYGUARD_SECRET as it was"
        )


def _make_data_dir(settings: Settings) -> None:
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StartRefused(
            f"{settings.data_dir}: {error.strerror}; correct REPLYGUARD_DATA_DIR or the folder's rights"
        ) from error


def seed_models(settings: Settings) -> None:
    """Bring the shipped model into the registry; without one the service starts and says so."""
    _make_data_dir(settings)
    try:
        version = open_registry(settings).seed(SHIPPED)
    except (ModelError, OSError) as error:
        _log.error(
            "the shipped model could not be put into the registry",
            cause=f"{type(error).__name__}: {error}",
            remedy="run `replyguard doctor`; comments are answered `unavailable` until a model is there",
        )
    else:
        _log.debug("shipped model present", version=version)
