"""What WordPress and its Akismet plugin write about a comment, the same in its exports and its database."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

from model.comment import Comment, Label
from service.importing.exported import Exported, Status, parse_date, storable

#: The notes of the Akismet plugin on a comment that say something of its label.
META_KEYS = ("akismet_result", "akismet_user_result", "akismet_history")

_STATUS = {
    "1": Status.APPROVED,
    "approve": Status.APPROVED,
    "approved": Status.APPROVED,
    "0": Status.PENDING,
    "hold": Status.PENDING,
    "spam": Status.SPAM,
    "trash": Status.TRASH,
    "post-trashed": Status.TRASH,
}
_LABELS = {"true": Label.SPAM, "false": Label.HAM}
# The history is a PHP array, serialised. Of all that is in it one word counts, and that is spelt the same in
# every version of the plugin since 3.0; there is no well-kept library that reads such arrays.
_EVENT = re.compile(r's:5:"event";s:\d{1,3}:"([a-z-]{1,40})"')
# What the plugin notes when a person, and not Akismet, changes where a comment stands.
_PERSONS: dict[str, Label | None] = {
    "report-spam": Label.SPAM,
    "status-spam": Label.SPAM,
    "report-ham": Label.HAM,
    "status-approved": Label.HAM,
    # Taken back: whatever was said before, the comment waits again.
    "status-unapproved": None,
}


def exported(
    fields: dict[str, str],
    meta: Iterable[tuple[str, str]],
    *,
    site: str,
    permalink: str,
    tags: tuple[str, ...],
    user_role: str,
) -> Exported:
    """Make a comment of WordPress's own columns and the comment's meta.

    The page's title and text are left out: a check over the Akismet protocol carries neither, and a judgement
    that saw more than checks will show would promise too much.

    Parameters
    ----------
    fields : dict of str to str
        By the names of the columns, ``comment_content`` and so on.
    meta : iterable of (str, str)
        Keys and values, oldest first.
    """
    akismet: Label | None = None
    person: Label | None = None
    told: Label | None = None
    is_taken_back = False
    for key, value in meta:
        if key == "akismet_result":
            akismet = _LABELS.get(value, akismet)
        elif key == "akismet_user_result":
            told = _LABELS.get(value, told)
        elif key == "akismet_history":
            found = _EVENT.search(value)
            if found and found.group(1) in _PERSONS:
                person = _PERSONS[found.group(1)]
                is_taken_back = person is None
    kind = fields.get("comment_type", "") or "comment"
    if kind == "comment" and fields.get("comment_parent", "0") not in ("", "0"):
        # As the plugin names it when it asks.
        kind = "reply"
    return Exported(
        comment=Comment(
            body=fields.get("comment_content", ""),
            author=fields.get("comment_author", ""),
            email=fields.get("comment_author_email", ""),
            url=fields.get("comment_author_url", ""),
            site=site,
            permalink=permalink,
            tags=tags,
            kind=kind,
        ),
        status=_STATUS.get(fields.get("comment_approved", ""), Status.UNKNOWN),
        id=fields.get("comment_ID", "") or fields.get("comment_id", ""),
        written_at=_date(fields),
        ip=fields.get("comment_author_IP", ""),
        user_role=user_role,
        akismet=akismet,
        # What was reported to Akismet is what the person meant; the history also knows what happened on the
        # way there.
        person=None if is_taken_back else told or person,
    )


def role_of(capabilities: str) -> str:
    """Return the roles in a user's serialised capabilities, separated by commas."""
    return ",".join(re.findall(r's:\d{1,3}:"([^"]{1,60})";b:1;', storable(capabilities)))


def _date(fields: dict[str, str]) -> dt.datetime | None:
    # Drafts and some plugins leave the date in UTC as zeros.
    return parse_date(fields.get("comment_date_gmt", "")) or parse_date(fields.get("comment_date", ""))
