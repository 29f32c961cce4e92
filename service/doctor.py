"""Looks at everything the service stands on, and says what to do about what it finds; changes nothing."""

from __future__ import annotations

import datetime as dt
import enum
import hmac
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from model.errors import ModelError
from service.clock import utc_now
from service.db import Database
from service.forgetting import Forgetting
from service.migrating import current_revision, newest_revision
from service.outages import outage_of
from service.pseudonyms import SECRET_FILE, Pseudonyms, SecretUnusable, secret_is_private
from service.readiness import MIN_FREE_BYTES
from service.schema import api_keys
from service.settings import PREFIX, SECRET_SETTINGS, Settings, SettingsError, load_settings
from service.startup import open_database, open_registry, secret_of
from service.stores.appeals import AppealStore, Waiting
from service.stores.forgetting import ForgettingStore
from service.stores.health import probe_write
from service.stores.purges import PurgeLog
from service.stores.secrets import SecretStore, rotating_from

_PURGE_OVERDUE = dt.timedelta(days=2)
_COMFORTABLE_FREE_BYTES = 512 * 1024 * 1024
#: A commenter who waits longer than this has reason to complain.
_PATIENT_DAYS = 7


class Health(enum.Enum):
    """How bad a finding is."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at.

    Attributes
    ----------
    subject : str
    health : Health
    what : str
        What was found.
    remedy : str
        What to do; "" if nothing.
    """

    subject: str
    health: Health
    what: str
    remedy: str = ""


def examine(environ: Mapping[str, str]) -> list[Finding]:
    """Return what was found, most basic first; what depends on something broken is not looked at.

    Parameters
    ----------
    environ : mapping of str to str
        Usually ``os.environ``.
    """
    try:
        settings = load_settings(environ)
    except SettingsError as error:
        return [
            Finding("settings", Health.BROKEN, problem, "correct the variable") for problem in error.problems
        ]
    findings = [Finding("settings", Health.OK, "all settings can be read")]
    if settings.corpora is not None and not settings.corpora.is_dir():
        findings.append(
            Finding(
                "settings",
                Health.WARNING,
                "the folder that REPLYGUARD_CORPORA names is not there",
                "correct or remove it; only training reads it",
            )
        )
    findings += _secret_files(environ)
    findings += _notice(settings)
    folder = _data_dir(settings)
    findings += folder
    if any(finding.health is Health.BROKEN for finding in folder):
        return findings
    for look in _LOOKS:
        findings += look(settings)
    return findings


def _notice(settings: Settings) -> list[Finding]:
    missing = [
        f"REPLYGUARD_{name.upper()}"
        for name in ("controller_name", "controller_contact")
        if getattr(settings, name) is None
    ]
    if missing:
        what = "the page /privacy does not say who is responsible or how to reach them"
        return [Finding("privacy notice", Health.WARNING, what, f"set {' and '.join(missing)}")]
    return [Finding("privacy notice", Health.OK, "names who is responsible, and a contact")]


def _data_dir(settings: Settings) -> list[Finding]:
    folder, subject = settings.data_dir, "data folder"
    if not folder.is_dir():
        remedy = "start the service once, or run `replyguard migrate`; or correct REPLYGUARD_DATA_DIR"
        return [Finding(subject, Health.BROKEN, f"{folder} is not there", remedy)]
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        remedy = "give the service's user the right to read and write it"
        return [Finding(subject, Health.BROKEN, f"{folder} cannot be written", remedy)]
    if folder.stat().st_mode & 0o077:
        remedy = f"chmod 700 {folder}"
        return [Finding(subject, Health.WARNING, f"{folder} is open to other users", remedy)]
    return [Finding(subject, Health.OK, f"{folder} can be written, by its owner only")]


def _secret_files(environ: Mapping[str, str]) -> list[Finding]:
    """Look at the files that settings are read from; a start does not refuse, since containers mount them so."""
    findings = []
    for name in SECRET_SETTINGS:
        variable = f"{PREFIX}{name.upper()}_FILE"
        path = environ.get(variable)
        if path and os.path.exists(path) and os.stat(path).st_mode & 0o007:
            what = f"{variable} names a file that every user of this machine can read"
            findings.append(Finding("secret", Health.WARNING, what, f"chmod 640 {path}, or 600"))
    return findings


def _secret(settings: Settings) -> list[Finding]:
    subject = "secret"
    if settings.secret is not None:
        return [Finding(subject, Health.OK, "given by REPLYGUARD_SECRET")]
    if not (settings.data_dir / SECRET_FILE).exists():
        remedy = "a first start makes it; if there was one, put it back from a backup"
        return [Finding(subject, Health.BROKEN, "not there", remedy)]
    try:
        secret_of(settings)
    except SecretUnusable as error:
        return [Finding(subject, Health.BROKEN, str(error), "put it back from a backup")]
    if not secret_is_private(settings.data_dir):
        remedy = f"chmod 600 {settings.data_dir / SECRET_FILE}"
        return [Finding(subject, Health.WARNING, "other users can read it", remedy)]
    return [Finding(subject, Health.OK, "there, readable by its owner only")]


def _database(settings: Settings) -> list[Finding]:
    subject = "database"
    url = settings.sqlalchemy_url
    name = url.render_as_string(hide_password=True)
    if url.get_backend_name() == "sqlite" and not os.path.exists(url.database or ""):
        return [Finding(subject, Health.BROKEN, f"{name} is not there", "start the service once, or migrate")]
    database = open_database(settings)
    try:
        current, newest = current_revision(database), newest_revision()
        if current != newest:
            what = f"{name}: its schema is {current or 'missing'}, this release wants {newest}"
            return [Finding(subject, Health.BROKEN, what, "run `replyguard migrate`")]
        probe_write(database)
        findings = [Finding(subject, Health.OK, f"{name} can be written; its schema is {current}")]
        return findings + _contents(settings, database)
    except SQLAlchemyError as error:
        outage = outage_of(error)
        return [Finding(subject, Health.BROKEN, f"{name}: {outage.cause}", outage.remedy)]
    finally:
        database.close()


def _contents(settings: Settings, database: Database) -> list[Finding]:
    with database.read() as connection:
        live = connection.execute(
            select(func.count()).select_from(api_keys).where(api_keys.c.revoked_at.is_(None))
        ).scalar_one()
    findings = [_appeals(AppealStore(database).waiting()), *_forgetting(settings, database)]
    if live == 0:
        findings.append(
            Finding("keys", Health.WARNING, "there is no live API key", "run `replyguard keys create`")
        )
    else:
        findings.append(Finding("keys", Health.OK, f"live API keys: {live}"))
    if settings.secret is None and not (settings.data_dir / SECRET_FILE).exists():
        return findings
    try:
        expected = Pseudonyms(secret_of(settings)).check
    except SecretUnusable:
        return findings
    kept = SecretStore(database).read()
    if kept is not None and rotating_from(kept) is not None:
        remedy = "wait some seconds; if it stays, start any command, such as `replyguard keys list`, which undoes it"
        findings.append(Finding("secret", Health.BROKEN, "a rotation runs, or was interrupted", remedy))
    elif kept is not None and not hmac.compare_digest(kept, expected):
        findings.append(
            Finding(
                "secret",
                Health.BROKEN,
                "it is not the one that the database was made with: no API key will be known",
                "put the secret file back from a backup, or set REPLYGUARD_SECRET as it was",
            )
        )
    return findings


def _forgetting(settings: Settings, database: Database) -> list[Finding]:
    registry = open_registry(settings)
    try:
        remembering = Forgetting(ForgettingStore(database), registry).remembering()
        champion = registry.champion()
    except (ModelError, OSError):
        # What is wrong with the registry is told below.
        return []
    if not remembering:
        return []
    if champion in remembering:
        what = f"{champion} answers, made with labels that are erased or restricted by now"
        remedy = (
            "run `replyguard retrain --wait`; if it refuses the new version, promote that or the one that came with"
            " the release: replyguard models promote VERSION"
        )
    else:
        what = f"versions made with labels that are erased or restricted by now: {', '.join(sorted(remembering))}"
        remedy = "do not promote them; `replyguard retrain` removes them when it ends"
    return [Finding("forgetting", Health.WARNING, what, remedy)]


def _appeals(waiting: Waiting) -> Finding:
    if waiting.oldest is None:
        return Finding("appeals", Health.OK, "nobody waits for a person to look")
    age = utc_now() - waiting.oldest
    since = (
        f"{age.days} days" if age.days > 1 else f"{max(age, dt.timedelta()) // dt.timedelta(hours=1)} hours"
    )
    what = f"open: {waiting.n_open}, the oldest for {since}"
    health = Health.WARNING if age.days >= _PATIENT_DAYS else Health.OK
    return Finding("appeals", health, what, "look at them: replyguard appeals list")


def _model(settings: Settings) -> list[Finding]:
    subject = "model"
    registry = open_registry(settings)
    remedy = "start the service once to bring in the shipped version, or put the folder back from a backup"
    try:
        version = registry.champion()
        registry.load(version)
    except (ModelError, OSError) as error:
        return [Finding(subject, Health.BROKEN, str(error), remedy)]
    n_versions = len(registry.versions())
    return [
        Finding(
            subject,
            Health.OK,
            f"{version} answers, its checksums agree; versions in the registry: {n_versions}",
        )
    ]


def _disk(settings: Settings) -> list[Finding]:
    free = shutil.disk_usage(settings.data_dir).free
    what = f"{free // (1024 * 1024)} MiB free beside the data folder"
    if free < MIN_FREE_BYTES:
        return [Finding("disk", Health.BROKEN, what, "free disk space: checks can no longer be recorded")]
    if free < _COMFORTABLE_FREE_BYTES:
        return [Finding("disk", Health.WARNING, what, "free disk space before checks cannot be recorded")]
    return [Finding("disk", Health.OK, what)]


def _purges(settings: Settings) -> list[Finding]:
    subject = "purge"
    if not (
        settings.retention_comments_days
        or settings.retention_feedback_days
        or settings.retention_counts_days
        or settings.retention_appeals_days
        or settings.company_days
    ):
        return [Finding(subject, Health.OK, "the settings keep everything until it is erased")]
    url = settings.sqlalchemy_url
    if url.get_backend_name() == "sqlite" and not os.path.exists(url.database or ""):
        return []
    database = open_database(settings)
    try:
        log = PurgeLog(database, utc_now)
        done = log.last_done()
        since = log.first_check_at() if done is None else done.finished_at
    except SQLAlchemyError:
        # What is wrong with the database is told above.
        return []
    finally:
        database.close()
    told = "none ran yet" if done is None else f"the last one ended {done.finished_at:%Y-%m-%d %H:%M} UTC"
    if since is not None and utc_now() - since > _PURGE_OVERDUE:
        remedy = (
            "see that a worker runs (REPLYGUARD_RUN_WORKER, `replyguard worker`), or run `replyguard purge`"
        )
        return [Finding(subject, Health.WARNING, f"{told}: data is kept longer than the notice says", remedy)]
    return [Finding(subject, Health.OK, told)]


_LOOKS: tuple[Callable[[Settings], list[Finding]], ...] = (_secret, _database, _purges, _model, _disk)
