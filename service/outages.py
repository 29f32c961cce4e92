"""What to tell a client and the operator when something other than the request is at fault."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from model.errors import ModelError, ModelUnavailable
from service.stores.secrets import SecretChanged
from service.turns import DatabaseBusy


@dataclass(frozen=True, slots=True)
class Outage:
    """Why no answer can be given.

    Attributes
    ----------
    cause : str
        For the client: short, ASCII, without details.
    remedy : str
        For the operator: what to do.
    expected : bool
        True if the kind of fault is known and a traceback would add nothing.
    """

    cause: str
    remedy: str
    expected: bool = True


#: Beginnings of what SQLite says, with the cause and the remedy.
_SQLITE = (
    (
        "database is locked",
        "the database is locked",
        "find the process that holds the database file (a backup, a shell) and end its transaction",
    ),
    (
        "attempt to write a readonly database",
        "the database is read-only",
        "give the service's user the right to write the database file and its folder",
    ),
    (
        "database or disk is full",
        "the disk is full",
        "free disk space, or raise the limit on the database's size",
    ),
    (
        "unable to open database file",
        "the database cannot be opened",
        "see that the folder of the database exists and the service's user may write in it",
    ),
    (
        "disk i/o error",
        "the disk fails",
        "look at the system log for errors of the disk; see that there is space left",
    ),
    (
        "no such table",
        "the database is not migrated",
        "run `replyguard migrate`",
    ),
    (
        "no such column",
        "the database is not migrated",
        "run `replyguard migrate`",
    ),
    (
        "file is not a database",
        "the database file is damaged",
        "put the database back from a backup",
    ),
    (
        "database disk image is malformed",
        "the database file is damaged",
        "put the database back from a backup",
    ),
)


def outage_of(error: BaseException) -> Outage:
    """Name the outage behind an exception."""
    if isinstance(error, ModelUnavailable):
        return Outage("no model is loaded", f"{error}; run `replyguard doctor`")
    if isinstance(error, ModelError):
        return Outage("the model cannot be used", "run `replyguard doctor`", expected=False)
    if isinstance(error, DatabaseBusy):
        return Outage(
            "the database is busy",
            "if it persists: fewer threads, a faster disk, or PostgreSQL; see that nothing locks the file",
        )
    if isinstance(error, SecretChanged):
        return Outage(
            "the secret is being changed",
            "wait for `replyguard secret rotate` to end; then, where the secret comes from a setting, restart",
        )
    if isinstance(error, SQLAlchemyError):
        said = str(getattr(error, "orig", None) or error).lower()
        for beginning, cause, remedy in _SQLITE:
            if beginning in said:
                return Outage(cause, remedy)
        return Outage(
            "the database does not answer",
            "see that it runs and can be reached; run `replyguard doctor`",
            False,
        )
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return Outage("the disk is full", "free disk space")
    return Outage("an internal error", "a fault of the program: report it with the traceback above", False)
