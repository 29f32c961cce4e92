"""The words in which data is declared; their values go into JSON and must not change, their labels may."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Self


def mark(words: str) -> str:
    """Mark words for translation; they are translated where they are shown."""
    return words


class Labelled(enum.Enum):
    """A name for machines with words for people."""

    label: str

    def __new__(cls, value: str, label: str) -> Labelled:
        member = object.__new__(cls)
        member._value_ = value
        member.label = label
        return member

    @classmethod
    def named(cls, value: str) -> Self:
        """Return the member with a value."""
        return next(member for member in cls if member.value == value)


class Basis(Labelled):
    """By what right data is processed."""

    LEGITIMATE_INTEREST = (
        "legitimate-interest",
        mark("the legitimate interest of the site in keeping its comments free of spam"),
    )


class Purpose(Labelled):
    """What data is for."""

    DECIDE = "decide", mark("to decide whether the comment is spam")
    REVIEW = "review", mark("so that people can look at the decision and correct it")
    LEARN = "learn", mark("to judge better next time")
    RUN = "run", mark("to run the service: to count, and to tell tests and repeated requests apart")

    @property
    def basis(self) -> Basis:
        """By what right data is processed for it."""
        return Basis.LEGITIMATE_INTEREST


class Source(Labelled):
    """Where data comes from."""

    COMMENTER = "commenter", mark("from you")
    BROWSER = "browser", mark("from your browser, passed on by the site")
    SITE = "site", mark("from the site")
    MODERATOR = "moderator", mark("from a moderator of the site")
    REPLYGUARD = "replyguard", mark("made by Replyguard")


class Form(Labelled):
    """In which form data is kept."""

    CLEAR = "clear", mark("as it is")
    HASHED = "hashed", mark("only as a keyed hash")
    DERIVED = "derived", mark("computed from the comment")
    COUNTED = "counted", mark("only as a count")
    NOT_STORED = "not-stored", mark("not kept")


class Retention(Labelled):
    """By which rule data goes; the days of all but the last come from the settings."""

    COMMENTS = "comments", mark("Checked comments")
    COMPANY = "company", mark("Numbers that copies are known by")
    FEEDBACK = "feedback", mark("Moderators' corrections")
    COUNTS = "counts", mark("Daily counts")
    APPEALS = "appeals", mark("Requests for a person to look")
    SITE = "site", mark("Lists and figures of a site")


class Audience(Labelled):
    """Who can see data."""

    OPERATOR = "operator", mark("the operator of the service")
    SITE = "site", mark("the people who run the site")


@dataclass(frozen=True, slots=True)
class Item:
    """What one stored column holds about a commenter.

    Attributes
    ----------
    words : str
        In a commenter's words, in English; to be translated where it is shown.
    source : Source
    form : Form
    retention : Retention
    purposes : tuple of Purpose
    seen_by : tuple of Audience
    learnt : bool
        Whether the next version of the model is made from it.
    """

    words: str
    source: Source
    form: Form
    retention: Retention
    purposes: tuple[Purpose, ...]
    seen_by: tuple[Audience, ...] = (Audience.OPERATOR,)
    learnt: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """Something about a commenter or moderator that comes with a request.

    Attributes
    ----------
    name : str
        For machines.
    words : str
        In a commenter's words, in English.
    source : Source
    akismet : tuple of str
        Fields of the Akismet wire that carry it.
    v1 : tuple of str
        Fields of ``/v1`` that carry it, as ``Model.field``.
    appeal : tuple of str
        What of an appeal carries it: fields of the form, or ``address`` for where the request comes from.
    columns : tuple of str
        Columns of ``checks`` or ``feedback``, or of ``appeals`` for what comes with an appeal, in which it is
        kept, in whatever form; none if it is not kept.
    used : bool
        Whether it is looked at; False if it is thrown away unread.
    to_find : bool
        Whether it comes with a person's request about their data, and not with a comment.
    """

    name: str
    words: str
    source: Source
    akismet: tuple[str, ...] = ()
    v1: tuple[str, ...] = ()
    appeal: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    used: bool = True
    to_find: bool = False
