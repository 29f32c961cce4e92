"""The endpoints about comments: comment-check, submit-spam, submit-ham."""

from __future__ import annotations

import time

import structlog
from flask import Blueprint, Response, g, request

from model.comment import Label
from service.akismet import answers
from service.akismet.authentication import authenticate, site_of
from service.akismet.fields import check_from_form, feedback_from_form
from service.akismet.form import Form, parse_form
from service.akismet.refusal import Refused
from service.components import components

_log = structlog.get_logger(__name__)

comments = Blueprint("akismet_comments", __name__, url_prefix="/1.1")


def request_form() -> Form:
    """Return the fields of the present request; the body's win over the query's."""
    return parse_form(request.get_data(cache=False), request.query_string, request.content_type or "")


def request_host() -> str:
    """Return the Host header as it was sent."""
    return str(request.environ.get("HTTP_HOST", ""))


@comments.post("/comment-check")
def comment_check() -> Response:
    started = time.perf_counter()
    form = request_form()
    key = authenticate(form, request_host(), components().keys)
    site = site_of(form, key)
    if not form.text("user_ip").strip():
        raise Refused("Missing required field: user_ip")
    check = check_from_form(form, site)
    outcome = components().checker.check(check, key=key, guid=g.guid)
    _log.info(
        "check",
        guid=g.guid,
        key=key.id,
        score=round(outcome.verdict.score, 6),
        decision=outcome.decision.value,
        answer=outcome.answer.value,
        would=None if outcome.would_answer is None else outcome.would_answer.value,
        by=outcome.decided_by.value,
        model=outcome.verdict.version,
        ms=round((time.perf_counter() - started) * 1000, 1),
    )
    return answers.verdict(outcome)


@comments.post("/submit-spam")
def submit_spam() -> Response:
    return _submit(Label.SPAM)


@comments.post("/submit-ham")
def submit_ham() -> Response:
    return _submit(Label.HAM)


def _submit(label: Label) -> Response:
    form = request_form()
    key = authenticate(form, request_host(), components().keys)
    new = components().feedback.record(feedback_from_form(form, site_of(form, key), label), key=key)
    _log.info("feedback", label=label.value, key=key.id, new=new)
    return answers.plain(answers.THANKS)
