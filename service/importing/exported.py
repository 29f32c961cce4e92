"""What every reader yields: a comment with what its site had decided, or a row that is no such thing."""

from __future__ import annotations

import datetime as dt
import enum
import re
from dataclasses import dataclass

from model.comment import Comment, Label


class Status(enum.Enum):
    """Where a comment stands on its site."""

    APPROVED = "approved"
    SPAM = "spam"
    PENDING = "pending"
    TRASH = "trash"
    UNKNOWN = "unknown"


class Why(enum.Enum):
    """Why a row is passed over; the value is told to the operator."""

    PENDING = "pending: nobody has decided yet"
    TRASH = "in the trash: thrown away, but not called spam"
    UNKNOWN_STATUS = "with a status that is neither approved nor spam"
    EMPTY = "without text, author and address"
    NOT_BY_VISITOR = "no visitor's words: notes that a plugin keeps among the comments"
    UNREADABLE = "rows that could not be read"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A row that is no comment to learn from.

    Attributes
    ----------
    why : Why
    place : str
        Where it stands and what is wrong with it, without quoting it; "" if the reason says it all.
    """

    why: Why
    place: str = ""


@dataclass(frozen=True, slots=True)
class Exported:
    """A comment as its site exported it.

    Attributes
    ----------
    comment : Comment
    status : Status
    id : str
        Its name in the export; ids may have 64 bits, so it stays text.
    written_at : datetime or None
        With its zone; None if the export does not say.
    ip : str
    user_role : str
        The author's role on the site, "" for a visitor or if unknown.
    akismet : Label or None
        What Akismet had answered; None if it was not asked.
    person : Label or None
        What a moderator told Akismet, or chose in its place; None if nobody did.
    """

    comment: Comment
    status: Status
    id: str = ""
    written_at: dt.datetime | None = None
    ip: str = ""
    user_role: str = ""
    akismet: Label | None = None
    person: Label | None = None

    @property
    def label(self) -> Label | None:
        """The label that the export stands for; None if nobody can be said to have given one.

        A person's word counts whatever became of the comment later: spam is often thrown away after it was
        called spam. An approved comment is ham even so, since approving it is the later word.
        """
        if self.status is Status.APPROVED:
            return Label.HAM
        if self.status is Status.SPAM:
            return Label.SPAM
        if self.status is Status.TRASH:
            # Rescued from spam and thrown away all the same: which of the two was meant, nobody knows.
            return Label.SPAM if self.person is Label.SPAM else None
        return self.person if self.status is Status.PENDING else None


Row = Exported | Skipped

_WHY = {
    Status.PENDING: Why.PENDING,
    Status.TRASH: Why.TRASH,
    Status.UNKNOWN: Why.UNKNOWN_STATUS,
}
# Kinds of rows that shops and form plugins of WordPress keep in its table of comments.
_NOT_BY_VISITORS = frozenset(
    {
        "order_note",
        "action_log",
        "webhook_delivery",
        "edd_payment_note",
        "edd_order_note",
        "give_payment_note",
    }
)


def reason_to_skip(row: Exported) -> Why | None:
    """Return why nothing can be learnt from a comment, or None if it can."""
    if row.comment.kind in _NOT_BY_VISITORS:
        return Why.NOT_BY_VISITOR
    if row.label is None:
        return _WHY[row.status]
    comment = row.comment
    if not (comment.body.strip() or comment.author.strip() or comment.url.strip()):
        return Why.EMPTY
    return None


class ImportRefused(Exception):
    """An export cannot be read; the message names the place and the remedy, and quotes nothing."""


class ExportMalformed(ImportRefused):
    """An export is readable up to some place.

    Parameters
    ----------
    place : str
        Where it breaks: "line 7, column 12".
    what : str
        What is wrong there.
    mend : str
        What to do about it.
    """

    def __init__(self, place: str, what: str, *, mend: str = "correct that place") -> None:
        super().__init__(f"{place}: {what}")
        self.place = place
        self.what = what
        self.mend = mend


_LONE_SURROGATES = re.compile("[\ud800-\udfff]")
_EARLIEST = dt.datetime(1990, 1, 1, tzinfo=dt.UTC)
_LATEST = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


def storable(text: str) -> str:
    """Replace what no database takes: NUL and halves of surrogate pairs."""
    if text.isascii():
        return text.replace("\0", "\ufffd")
    return _LONE_SURROGATES.sub("\ufffd", text.replace("\0", "\ufffd"))


def parse_date(text: str) -> dt.datetime | None:
    """Read an ISO 8601 date, with or without zone, or seconds since 1970; None if it is none of them.

    Without a zone it is taken for UTC. Dates before 1990 and after 2200 are what software writes for "none".
    """
    text = text.strip()
    try:
        if text.isascii() and text.replace(".", "", 1).isdigit() and len(text.partition(".")[0]) >= 9:
            seconds = float(text)
            # JavaScript counts milliseconds.
            moment = dt.datetime.fromtimestamp(seconds / 1000 if seconds > 1e11 else seconds, dt.UTC)
        else:
            moment = dt.datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=dt.UTC)
        moment = moment.astimezone(dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return moment if _EARLIEST <= moment < _LATEST else None
