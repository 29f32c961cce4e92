"""Every column of the database: what it holds about a commenter, or that it holds nothing about one."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from service.declaration.terms import Audience, Form, Item, Purpose, Retention, Source, mark

_BOTH = (Audience.OPERATOR, Audience.SITE)
_DECIDE = (Purpose.DECIDE, Purpose.REVIEW)
_LEARN = (Purpose.DECIDE, Purpose.REVIEW, Purpose.LEARN)
_REVIEW = (Purpose.REVIEW,)
_RUN = (Purpose.RUN,)


def _given(
    words: str, source: Source, purposes: tuple[Purpose, ...], *, form: Form = Form.CLEAR, learnt: bool = True
) -> Item:
    return Item(words, source, form, Retention.COMMENTS, purposes, learnt=learnt)


def _made(words: str, purposes: tuple[Purpose, ...], *, form: Form = Form.DERIVED) -> Item:
    return Item(words, Source.REPLYGUARD, form, Retention.COMMENTS, purposes, seen_by=_BOTH)


#: What is kept of a comment, the same in ``checks`` and ``feedback``. The model reads no hash.
_OF_COMMENT = {
    "body": _given(mark("the text of the comment"), Source.COMMENTER, _LEARN),
    "author": _given(mark("the author's name"), Source.COMMENTER, _LEARN),
    "email_hash": _given(
        mark("the e-mail address"), Source.COMMENTER, _DECIDE, form=Form.HASHED, learnt=False
    ),
    "email_domain": _given(mark("the part of the e-mail address behind the @"), Source.COMMENTER, _LEARN),
    "url": _given(mark("the author's website"), Source.COMMENTER, _LEARN),
    "ip_hash": _given(mark("the IP address"), Source.BROWSER, _DECIDE, form=Form.HASHED, learnt=False),
    "permalink": _given(mark("the address of the page under which the comment stands"), Source.SITE, _LEARN),
    "kind": _given(mark("the sort of comment: comment, reply, trackback and so on"), Source.SITE, _LEARN),
    "tags": _given(mark("the page's tags"), Source.SITE, _LEARN),
    "site_lang": _given(mark("the site's languages"), Source.SITE, _LEARN),
    "referrer": _given(
        mark("the page from which the browser came, if the site passes it on"),
        Source.BROWSER,
        _REVIEW,
        learnt=False,
    ),
    "honeypot": _given(
        mark("what was typed into a form field that people cannot see"), Source.COMMENTER, _LEARN
    ),
    "nonce": _given(mark("whether the form's hidden number came back"), Source.SITE, _REVIEW, learnt=False),
    "user_role": _given(
        mark("the author's role on the site, if the author has an account there"),
        Source.SITE,
        _DECIDE,
        learnt=False,
    ),
}

_OF_CHECK = {
    "guid": _made(mark("a random name for the check"), _REVIEW),
    "created_at": _made(mark("when the comment came"), _REVIEW),
    "content_hash": _made(
        mark("a fingerprint of the whole comment, to find it again when it is corrected"),
        _REVIEW,
        form=Form.HASHED,
    ),
    "recheck_reason": replace(
        _made(mark("why the site asked again"), _REVIEW, form=Form.CLEAR), source=Source.SITE
    ),
    "callback": replace(
        _made(
            mark("the address at which the site would like to be told of a correction"),
            _REVIEW,
            form=Form.CLEAR,
        ),
        source=Source.SITE,
    ),
    "is_test": replace(_made(mark("whether it was a test"), _RUN, form=Form.CLEAR), source=Source.SITE),
    "score": _made(mark("the score: how likely the comment is spam, from 0 to 1"), _DECIDE),
    "log_odds": _made(mark("the same on another scale"), _DECIDE),
    "decision": _made(mark("the decision: real comment, unsure or spam"), _DECIDE),
    "answer": _made(mark("what the site was told"), _DECIDE),
    "discard": _made(mark("whether the site was told that nobody need see the comment"), _DECIDE),
    "model_version": _made(mark("the version of the program's model that gave the score"), _REVIEW),
    "site_version": _made(mark("how far the site's own moderators had taught the program by then"), _REVIEW),
    "clues": _made(mark("the reasons for the score, which may quote words of the comment"), _REVIEW),
    "bias": _made(mark("the part of the score that is the same for every comment"), _REVIEW),
    "rest": _made(mark("the sum of the weaker reasons, which are not kept themselves"), _REVIEW),
    "decided_by": _made(mark("whether the model or a fixed rule decided"), _REVIEW),
    "sketch": _made(
        mark("a fingerprint of the comment's words, to find near-copies of what turns out to be spam"),
        _DECIDE,
    ),
    "company": _made(
        mark(
            "how many earlier comments under other names had much of its wording, its opening words or a linked"
            " domain, as was counted for the score"
        ),
        _DECIDE,
    ),
    "would_answer": _made(
        mark("what the site would have been told, if it only tries this service out"), _REVIEW
    ),
    "restricted": _made(
        mark("whether it may be used for nothing any more, because you asked for that"),
        _REVIEW,
        form=Form.CLEAR,
    ),
    "request_hash": _made(mark("the name that the site gave to its request"), _RUN, form=Form.HASHED),
    "request_content_hash": _made(
        mark("the site's request, to know it again if it is repeated"), _RUN, form=Form.HASHED
    ),
}

_OF_FEEDBACK = {
    "guid": _made(mark("a random name for the correction"), _REVIEW),
    "created_at": _made(mark("when the correction came"), _LEARN),
    "label": replace(
        _made(mark("what a moderator of the site said: real comment or spam"), _LEARN, form=Form.CLEAR),
        source=Source.MODERATOR,
        learnt=True,
    ),
    "content_hash": _OF_CHECK["content_hash"],
    "reporter_hash": replace(
        _made(mark("the moderator's name on the site"), _REVIEW, form=Form.HASHED), source=Source.MODERATOR
    ),
    "claimed_answer": replace(
        _made(mark("what the site remembers to have been told"), _REVIEW, form=Form.CLEAR), source=Source.SITE
    ),
    "is_test": _OF_CHECK["is_test"],
    "counted_as": _made(mark("which of the counts it went into"), _RUN),
    "source": _made(
        mark("whether it came from the site's software, from an import of older comments or from an admin"),
        _REVIEW,
    ),
    "written_at": replace(
        _made(
            mark("when the comment was written, if it was imported with its date"), _LEARN, form=Form.CLEAR
        ),
        source=Source.SITE,
        learnt=True,
    ),
    "restricted": _OF_CHECK["restricted"],
    "state": _made(mark("whether the program learns from it for this site"), _LEARN),
    "learnt_at": _made(mark("since when the program counts it for this site"), _LEARN),
}


def _met(words: str, form: Form = Form.DERIVED) -> Item:
    return Item(words, Source.REPLYGUARD, form, Retention.COMPANY, (Purpose.DECIDE,))


_OF_COMPANY = {
    "value": _met(
        mark(
            "up to eleven numbers worked out from the comment's wording, its opening words and the domains it"
            " links to, which near-copies have in common"
        )
    ),
    "sort": _met(mark("of each number, which of these it was worked out from")),
    "author": _met(mark("a number worked out from the author's name, to tell other names by")),
    "content": _met(
        mark("a part of the keyed hash of the comment, so that it is not taken for its own copy"), Form.HASHED
    ),
    "created_at": _met(_OF_CHECK["created_at"].words),
    "is_ham": replace(
        _met(mark("whether a moderator or a rule of the site has said that it is no spam"), Form.CLEAR),
        source=Source.MODERATOR,
    ),
}


def _listed(words: str, source: Source = Source.MODERATOR, form: Form = Form.CLEAR) -> Item:
    return Item(words, source, form, Retention.SITE, (Purpose.DECIDE,), seen_by=_BOTH)


def _counted(words: str) -> Item:
    return Item(words, Source.REPLYGUARD, Form.COUNTED, Retention.COUNTS, _RUN, seen_by=_BOTH)


_OF_LISTS = {
    "side": _listed(mark("whether comments that match are always let through or always taken for spam")),
    "kind": _listed(mark("whether it is about an e-mail address, a domain, IP addresses or words")),
    "value": _listed(
        mark(
            "what is looked for: a domain, words or a range of IP addresses stand there as a moderator wrote"
            " them; an e-mail address only as a keyed hash"
        )
    ),
    "hint": _listed(
        mark("of an e-mail address the first letter and the part behind the @, to tell entries apart")
    ),
    "created_at": _listed(mark("when the entry was written down"), Source.REPLYGUARD),
}


def _appealed(
    words: str,
    source: Source = Source.COMMENTER,
    form: Form = Form.CLEAR,
    purposes: tuple[Purpose, ...] = _REVIEW,
) -> Item:
    return Item(words, source, form, Retention.APPEALS, purposes)


_OF_APPEALS = {
    "guid": _appealed(mark("a random number for the request"), Source.REPLYGUARD),
    "created_at": _appealed(mark("when the request came"), Source.REPLYGUARD),
    "language": _appealed(mark("the language in which you read the form")),
    "email_hash": _appealed(
        mark("the e-mail address that you give to find your comment by"), form=Form.HASHED
    ),
    "reference": _appealed(mark("the reference that you give to find your comment by")),
    "message": _appealed(mark("what you write to the person who looks")),
    "ip_hash": _appealed(
        mark("the IP address from which you ask, to bound how many requests can come from it"),
        form=Form.HASHED,
        purposes=_RUN,
    ),
    "resolved_at": _appealed(mark("when a person had looked"), Source.REPLYGUARD),
    "outcome": _appealed(
        mark("what came of it: the comment was released or not, none was found, or you had asked before"),
        Source.MODERATOR,
    ),
    "note": _appealed(mark("what the person who looked noted"), Source.MODERATOR),
}

#: What each table holds about commenters.
STORED: dict[str, dict[str, Item]] = {
    "checks": {
        # Nothing is learnt from a check that nobody corrected.
        **{name: replace(item, learnt=False) for name, item in _OF_COMMENT.items()},
        **_OF_CHECK,
    },
    "company_marks": _OF_COMPANY,
    "feedback": {
        name: replace(item, retention=Retention.FEEDBACK)
        for name, item in (_OF_COMMENT | _OF_FEEDBACK).items()
    },
    "appeals": _OF_APPEALS,
    "list_entries": _OF_LISTS,
    "calibrations": {
        "content": _listed(
            mark("the scores of the site's real comments, without the comments"),
            Source.REPLYGUARD,
            Form.DERIVED,
        )
    },
    "site_weights": {
        "weights": Item(
            mark(
                "numbers that stand for words and parts of words of the comments, without the words and without"
                " saying whose they were"
            ),
            Source.REPLYGUARD,
            Form.DERIVED,
            Retention.SITE,
            (Purpose.DECIDE,),
        )
    },
    "daily_counts": {
        "calls": _counted(mark("how many comments came, per day and site")),
        "spam": _counted(mark("how many of them the site was told are spam")),
        "ham": _counted(mark("how many it was told are real")),
        "missed_spam": _counted(mark("how many moderators then called spam")),
        "false_positives": _counted(mark("how many moderators then called real")),
    },
}

#: Columns that hold nothing about a commenter: they are about the operator, keys, sites and versions of the
#: model, or tie rows together.
OF_OTHERS: dict[str, frozenset[str]] = {
    table: frozenset(names.split())
    for table, names in {
        "alembic_version": "version_num",
        "meta": "name value",
        "api_keys": "id digest hint label created_at revoked_at scope",
        "sites": "id address display created_at",
        "key_sites": "key_id site_id",
        "checks": "id key_id site_id",
        "feedback": "id key_id site_id check_id superseded_by",
        "company_marks": "check_id site_id",
        "appeals": "id site_id resolved_by",
        "list_entries": "id site_id",
        "site_learning": "site_id version anchors",
        "site_weights": "site_id model_version version",
        "calibrations": "site_id model_version computed_at",
        "daily_counts": "day key_id site_id",
        "site_policies": (
            "site_id budget_per_thousand unsure discard log_only counts_silence webhook webhook_key changed_at"
        ),
        "site_retention": "site_id comments_days feedback_days counts_days changed_at",
        "purges": "id slot holder origin started_at heartbeat_at finished_at counts error",
        "training_runs": (
            "id guid slot state origin requested_at requested_by attempts holder heartbeat_at started_at"
            " finished_at cancelled_by stage fraction counts fingerprint champion challenger reason report error"
        ),
        "receipts": "id guid at what who counts run",
        "training_events": "id run_id at stage",
        "model_events": "id move_id at what version replaced who why",
    }.items()
}


def held(column: str) -> dict[str, Any]:
    """Return what a column's ``info`` says of it: ``notice``, in a commenter's words, and ``retention``.

    Parameters
    ----------
    column : str
        As ``table.column``.
    """
    table, _, name = column.partition(".")
    item = STORED[table][name]
    return {"notice": item.words, "retention": item.retention.value}
