"""Comments as flat records, the common ground of JSON Lines and CSV: which fields there are, what they may say."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from model.comment import Comment, Label
from service.importing.exported import Exported, Status, parse_date, storable

#: Fields of a record beside those of ``Comment.from_record``.
OUTCOME_FIELDS = ("label", "status")
EXTRA_FIELDS = ("id", "date", "ip", "user_role", "akismet_result", "akismet_user_result")

_STATUS = {
    "ham": Status.APPROVED,
    "approved": Status.APPROVED,
    "approve": Status.APPROVED,
    "published": Status.APPROVED,
    "spam": Status.SPAM,
    "junk": Status.SPAM,
    "pending": Status.PENDING,
    "hold": Status.PENDING,
    "held": Status.PENDING,
    "unapproved": Status.PENDING,
    "moderated": Status.PENDING,
    "trash": Status.TRASH,
    "trashed": Status.TRASH,
    "deleted": Status.TRASH,
}
_TRUE = frozenset({"1", "true", "yes", "y", "t"})
_FALSE = frozenset({"0", "false", "no", "n", "f"})


def exported(record: Mapping[str, Any], *, site: str) -> Exported:
    """Make a comment of a record.

    Parameters
    ----------
    record : mapping
        As ``Comment.from_record`` takes it, with ``label`` (or ``status``) and, where known, ``id``, ``date``,
        ``ip``, ``user_role``, ``akismet_result`` and ``akismet_user_result``.
    site : str
        Stands in for a ``site`` that is not given.

    Raises
    ------
    ValueError
        If a field is missing or cannot be read; the message names it.
    """
    record = {name: storable(value) if isinstance(value, str) else value for name, value in record.items()}
    comment = Comment.from_record(record)
    comment = dataclasses.replace(
        comment, site=comment.site or site, tags=tuple(storable(tag) for tag in comment.tags)
    )
    outcome = [name for name in OUTCOME_FIELDS if record.get(name) is not None]
    if not outcome:
        raise ValueError("field 'label' is missing: give spam or ham, or 'status' as on your site")
    return Exported(
        comment=comment,
        status=_status(outcome[0], record[outcome[0]]),
        id=_text(record, "id"),
        written_at=parse_date(_text(record, "date")),
        ip=_text(record, "ip"),
        user_role=_text(record, "user_role"),
        akismet=_answer(record, "akismet_result"),
        person=_answer(record, "akismet_user_result"),
    )


def _status(name: str, value: object) -> Status:
    word = str(value).strip().casefold()
    if word in _STATUS:
        return _STATUS[word]
    if name == "label" and word in _TRUE | _FALSE:
        # Tables of spam research write 1 for spam.
        return Status.SPAM if word in _TRUE else Status.APPROVED
    if name == "status" and word in _TRUE | _FALSE:
        # As WordPress does.
        return Status.APPROVED if word in _TRUE else Status.PENDING
    return Status.UNKNOWN


def _text(record: Mapping[str, Any], name: str) -> str:
    value = record.get(name)
    return "" if value is None else storable(str(value)).strip()


def _answer(record: Mapping[str, Any], name: str) -> Label | None:
    word = _text(record, name).casefold()
    if word in _TRUE or word == "spam":
        return Label.SPAM
    return Label.HAM if word in _FALSE or word == "ham" else None
