"""What is judged: a comment, and a comment with the label that a person gave it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


class Label(enum.Enum):
    """What a person said of a comment."""

    HAM = "ham"
    SPAM = "spam"


@dataclass(frozen=True, slots=True)
class Company:
    """How many earlier comments of other names a comment has something in common with; see ``company.py``.

    Attributes
    ----------
    near, like : int
        Comments that share most, or about half, of the wording.
    opening : int
        Names that opened with the same words.
    domain : int
        Names that brought the same little-known domain; of several domains the one with the most.
    """

    near: int = 0
    like: int = 0
    opening: int = 0
    domain: int = 0


@dataclass(frozen=True, slots=True)
class Comment:
    """One comment as its site posted it; an empty field means "not given".

    Attributes
    ----------
    body : str
        The text as typed, markup included.
    author, email, url : str
        What the commenter wrote into the form's name, e-mail and website fields.
    site : str
        The site's address (Akismet: ``blog``).
    permalink : str
        Address or slug of the page under which the comment stands.
    post_title, post_text : str
        The page's title and the start of its text.
    tags : tuple of str
        The page's tags and categories (Akismet: ``comment_context``).
    kind : str
        Akismet's ``comment_type``: comment, reply, trackback, pingback, contact-form, ...
    site_lang : str
        Languages the site says it is written in (Akismet: ``blog_lang``).
    user_agent, referrer : str
        What the commenter's browser sent.
    honeypot : str or None
        What was typed into a field that people cannot see; None if there was no such field.
    nonce : str
        "passed", "failed" or "inactive": whether the form's hidden number came back; "" if not told.
    company : Company or None
        What was counted when the comment came; None if nobody counted, which says the same as no company.
    """

    body: str = ""
    author: str = ""
    email: str = ""
    url: str = ""
    site: str = ""
    permalink: str = ""
    post_title: str = ""
    post_text: str = ""
    tags: tuple[str, ...] = ()
    kind: str = ""
    site_lang: str = ""
    user_agent: str = ""
    referrer: str = ""
    honeypot: str | None = None
    nonce: str = ""
    company: Company | None = None

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Comment:
        """Make a comment from one line of a corpus (JSON Lines).

        Parameters
        ----------
        record : mapping
            Keys ``content`` (required), ``author``, ``author_email``, ``author_url``, ``site``, ``permalink``,
            ``post_title``, ``post_text``, ``tags``, ``comment_type``, ``site_lang``, ``user_agent``, ``referrer``;
            others are passed over. None counts as not given.

        Raises
        ------
        ValueError
            If ``content`` is missing, or a field is of the wrong type; the message names the field.
        """
        if record.get("content") is None:
            raise ValueError("field 'content' is missing: give the comment's text, \"\" if it has none")
        values: dict[str, Any] = {}
        for name, key in _RECORD_KEYS.items():
            value = record.get(key)
            if value is None:
                continue
            if not isinstance(value, str):
                raise ValueError(f"field {key!r} is {type(value).__name__}: it must be a string")
            values[name] = value
        tags = record.get("tags") or ()
        if not isinstance(tags, list | tuple) or not all(isinstance(tag, str) for tag in tags):
            raise ValueError("field 'tags' must be a list of strings")
        return cls(tags=tuple(tags), **values)


_RECORD_KEYS = {
    "body": "content",
    "author": "author",
    "email": "author_email",
    "url": "author_url",
    "site": "site",
    "permalink": "permalink",
    "post_title": "post_title",
    "post_text": "post_text",
    "kind": "comment_type",
    "site_lang": "site_lang",
    "user_agent": "user_agent",
    "referrer": "referrer",
}


@dataclass(frozen=True, slots=True)
class LabeledComment:
    """A comment with a person's label and what is known of where it came from.

    Attributes
    ----------
    comment : Comment
    label : Label
    source : str
        Corpus or site it came from; the unit that evaluation leaves out.
    group : str
        Campaign, video, brand: rows of one group never straddle fit and holdout. "" if it has none.
    kind : str
        Sort of source: blog, form, trackback, video, forum, chat, sms, email, social.
    lang : str
        Guessed language, "" if unknown.
    weight : float
        How much the label is trusted, in (0, 1].
    id : str
        Where the row stands in its source.
    """

    comment: Comment
    label: Label
    source: str = ""
    group: str = ""
    kind: str = "blog"
    lang: str = ""
    date: str = ""
    weight: float = 1.0
    id: str = field(default="", compare=False)

    @property
    def is_spam(self) -> bool:
        return self.label is Label.SPAM
