"""What has to be there before the first request: data folder, secret, schema, a model, a first key."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import structlog

from model.errors import ModelError
from model.registry import SHIPPED, Registry
from service.clock import utc_now
from service.db import Database
from service.keys import Keys, NewKey
from service.migrating import migrate
from service.notice import record_notice
from service.pseudonyms import (
    SECRET_FILE,
    Pseudonyms,
    SecretUnusable,
    load_or_create_secret,
    secret_is_open,
    write_secret,
)
from service.settings import Settings
from service.stores.keys import KeyStore
from service.stores.notices import NoticeStore
from service.stores.secrets import SecretChanged, SecretStore, rotating_from
from service.stores.sites import SiteStore

_log = structlog.get_logger(__name__)


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


def secret_of(settings: Settings) -> tuple[bytes, ...]:
    """Return the secrets of the settings, else those of the data folder, where one is made if need be; oldest first.

    Raises
    ------
    SecretUnusable
        If it cannot be read or made.
    """
    if settings.secret is not None:
        return tuple(line.strip().encode() for line in settings.secret.get_secret_value().splitlines())
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
    with alone(settings):
        secret_of(settings)
        _check_rights(settings)
        # A migration may take longer than a check may wait.
        database = open_database(settings, timeout_s=60.0)
        try:
            migrate(database)
            pseudonyms = _check_secret(settings, SecretStore(database))
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
def alone(settings: Settings) -> Iterator[None]:
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


def _check_secret(settings: Settings, store: SecretStore) -> Pseudonyms:
    """Refuse a secret under which this database's keys and pseudonyms would mean nothing; undo a torn rotation."""
    chain = secret_of(settings)
    pseudonyms = Pseudonyms(chain)
    kept = store.read_or_set(pseudonyms.check)
    before = rotating_from(kept)
    if before is not None:
        # Under our lock no rotation of this machine runs; one of another machine notices, and gives up.
        store.unmark(before)
        kept = store.read_or_set(before)
        _log.warning("an interrupted rotation of the secret was undone", remedy="run it again")
    if kept == pseudonyms.check:
        return pseudonyms
    if pending_secret(store, chain) is not None:
        if settings.secret is not None:
            raise StartRefused(
                "the secret has one line more than the database knows: run `replyguard secret rotate`, or take the"
                " last line away again"
            )
        write_secret(settings.data_dir, chain[:-1])
        return Pseudonyms(chain[:-1])
    raise StartRefused(
        "the secret is not the one this database was made with, so no API key would be known; put the"
        " data folder's secret file back from a backup, or set REPLYGUARD_SECRET as it was"
    )


def pending_secret(
    store: SecretStore, chain: tuple[bytes, ...]
) -> tuple[tuple[bytes, ...], tuple[bytes, ...]] | None:
    """Return the secrets before and after, if the last of them is one that the database does not know yet."""
    kept = store.read()
    old = chain[:-1]
    return (old, chain) if old and kept == Pseudonyms(old).check else None


def renewal(settings: Settings, database: Database, pseudonyms: Pseudonyms) -> Callable[[], bool]:
    """Return what finds out whether the secret was rotated, and then goes on with the new one; see ``Keys``."""
    store = SecretStore(database)

    def renew() -> bool:
        kept = store.read()
        if kept is None or kept == pseudonyms.check:
            return False
        try:
            fresh = Pseudonyms(secret_of(settings))
        except SecretUnusable as error:
            raise SecretChanged(str(error)) from error
        if kept != fresh.check:
            raise SecretChanged("the secret is being rotated, or this process has an old one")
        pseudonyms.renew(fresh)
        _log.info("going on under the rotated secret")
        return True

    return renew


def mend_rotation(settings: Settings, database: Database) -> None:
    """Undo a rotation whose process was killed, so that a running service answers again."""
    store = SecretStore(database)
    if rotating_from(store.read() or "") is None:
        return
    with alone(settings):
        _check_secret(settings, store)


def _check_rights(settings: Settings) -> None:
    """Refuse a secret that every user of the machine can read; warn of an open folder."""
    folder = settings.data_dir
    if settings.secret is None and secret_is_open(folder):
        raise StartRefused(
            f"{folder / SECRET_FILE}: every user of this machine can read the secret; run chmod 600"
            f" {folder / SECRET_FILE}, and `replyguard secret rotate` if anybody may have"
        )
    if folder.stat().st_mode & 0o077:
        _log.warning("the data folder is open to other users", remedy=f"chmod 700 {folder}")


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
