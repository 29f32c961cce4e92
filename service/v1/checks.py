"""Checks, verdicts and feedback of our own API."""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog
from flask import request

from model.comment import Comment, Label
from service.checking import CheckRequest, RequestName
from service.components import components
from service.feedback import FeedbackRequest
from service.sites import SiteAddress, parse_site
from service.stores.checks import StoredCheck
from service.stores.keys import Key
from service.v1 import schemas
from service.v1.operations import operation
from service.v1.problems import Problem
from service.verdicts import RequestChanged

_log = structlog.get_logger(__name__)
_NAME_HEADER = "Idempotency-Key"
_ANSWERS = {"true": schemas.Answer.SPAM, "false": schemas.Answer.HAM, "hold": schemas.Answer.HOLD}


@operation(
    "POST",
    "/check",
    "Judge a comment",
    body=schemas.CheckIn,
    answer=schemas.Verdict,
    problems=(403, 409),
    takes_name=True,
)
def check(key: Key, body: schemas.CheckIn) -> schemas.Verdict:
    header = request.headers.get(_NAME_HEADER)
    if header is not None:
        if not 1 <= len(header) <= 200:
            raise _unusable(_NAME_HEADER, "give 1 to 200 characters")
        if body.id is not None and body.id != header:
            raise _unusable("id", f"differs from the header {_NAME_HEADER}: give one of them, or the same")
        body = body.model_copy(update={"id": header})
    field = "id" if header is None else _NAME_HEADER
    [verdict] = _check([body], key, fields=[field], sites=["site"])
    return verdict


@operation(
    "POST",
    "/check/batch",
    "Judge up to 100 comments: all are recorded, or none",
    body=schemas.BatchIn,
    answer=schemas.Verdicts,
    problems=(403, 409),
)
def check_batch(key: Key, body: schemas.BatchIn) -> schemas.Verdicts:
    places = range(len(body.comments))
    found = _check(
        body.comments,
        key,
        fields=[f"comments.{place}.id" for place in places],
        sites=[f"comments.{place}.site" for place in places],
    )
    return schemas.Verdicts(verdicts=found)


@operation(
    "GET",
    "/verdicts/{guid}",
    "Tell what was decided, and why",
    answer=schemas.Verdict,
    problems=(404,),
)
def verdict(key: Key, guid: str) -> schemas.Verdict:
    return verdict_out(_visible(guid, key))


@operation(
    "POST",
    "/feedback",
    "Say what a comment is: corrects its verdict, or confirms it",
    body=schemas.FeedbackIn,
    answer=schemas.FeedbackOut,
    problems=(403, 404),
)
def feedback(key: Key, body: schemas.FeedbackIn) -> schemas.FeedbackOut:
    label = Label(body.label)
    if (body.guid is None) == (body.comment is None):
        raise _unusable("guid", "give either guid or comment")
    if body.guid is not None:
        if body.is_test:
            raise _unusable(
                "is_test", "goes with comment only: leave it out, the verdict says whether it was one"
            )
        found = _visible(body.guid, key)
        site = found.site
        is_new = components().feedback.record_of(found, label, reporter=body.reporter, key_id=key.id)
    else:
        assert body.comment is not None
        site = _site(body.comment, key, "comment.site")
        is_new = components().feedback.record(
            FeedbackRequest(
                label=label,
                comment=_comment(body.comment),
                site=site,
                ip=body.comment.user_ip,
                user_role=body.comment.user_role,
                reporter=body.reporter,
                is_test=body.is_test,
            ),
            key=key,
        )
    _log.info("feedback", label=label.value, key=key.id, new=is_new)
    return schemas.FeedbackOut(label=body.label, site=site.address, new=is_new)


def _check(
    bodies: Sequence[schemas.CheckIn], key: Key, *, fields: Sequence[str], sites: Sequence[str]
) -> list[schemas.Verdict]:
    started = time.perf_counter()
    requests = [_request(body, key, field) for body, field in zip(bodies, sites, strict=True)]
    try:
        told = components().verdicts.check(requests, key=key)
    except RequestChanged as error:
        field = fields[error.place]
        message = "another request of this key has this name: take a new one"
        raise Problem(409, f"{field}: {message}", [(field, message)]) from None
    _log.info(
        "checks",
        key=key.id,
        n=len(told),
        n_repeated=sum(each.is_repeated for each in told),
        ms=round((time.perf_counter() - started) * 1000, 1),
    )
    return [
        verdict_out(each.check).model_copy(update={"id": body.id, "repeated": each.is_repeated})
        for each, body in zip(told, bodies, strict=True)
    ]


def _request(body: schemas.CheckIn, key: Key, field: str) -> CheckRequest:
    name = None
    if body.id is not None:
        pseudonyms = components().pseudonyms
        said = body.model_dump_json(exclude={"id"}, exclude_defaults=True)
        name = RequestName(pseudonyms.digest("request", body.id), pseudonyms.digest("request-content", said))
    return CheckRequest(
        comment=_comment(body),
        site=_site(body, key, field),
        ip=body.user_ip,
        user_role=body.user_role,
        recheck_reason=body.recheck_reason,
        is_test=body.is_test,
        name=name,
    )


def _comment(body: schemas.CommentIn) -> Comment:
    return Comment(
        body=body.content,
        author=body.author,
        email=body.author_email.strip(),
        url=body.author_url.strip(),
        site=body.site.strip(),
        permalink=body.permalink.strip(),
        post_title=body.post_title,
        post_text=body.post_text,
        tags=tuple(tag for tag in body.tags if tag),
        kind=body.comment_type.strip(),
        site_lang=body.site_lang.strip(),
        user_agent=body.user_agent,
        referrer=body.referrer,
        honeypot=body.honeypot,
    )


def _site(body: schemas.CommentIn, key: Key, field: str) -> SiteAddress:
    site = parse_site(body.site)
    if not key.serves(site):
        message = "the API key is tied to other sites"
        raise Problem(403, f"{field}: {message}", [(field, message)])
    return site


def _visible(guid: str, key: Key) -> StoredCheck:
    found = components().verdicts.find(guid, key=key)
    if found is None:
        raise Problem(404, "guid: no verdict of this name is there for this key")
    return found


def verdict_out(check: StoredCheck) -> schemas.Verdict:
    """Return a check as it is told."""
    values = check.values
    would = values["would_answer"]
    return schemas.Verdict(
        guid=check.guid,
        created_at=check.created_at,
        site=check.site.address,
        answer=_ANSWERS[values["answer"]],
        would_answer=None if would is None else _ANSWERS[would],
        discard=values["discard"],
        decision=values["decision"],
        decided_by=values["decided_by"],
        score=values["score"],
        log_odds=values["log_odds"],
        bias=values["bias"],
        rest=values["rest"],
        model=values["model_version"],
        is_test=values["is_test"],
        reasons=[schemas.Reason(**clue) for clue in values["clues"]],
    )


def _unusable(field: str, message: str) -> Problem:
    return Problem(422, f"{field}: {message}", [(field, message)])
