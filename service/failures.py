"""What a client gets when a request is refused or the service cannot answer; never ``true`` or ``false``."""

from __future__ import annotations

import uuid

import structlog
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from service.akismet import answers
from service.akismet.refusal import Refused
from service.declaration.received import is_v1_field
from service.logs import describe
from service.outages import outage_of
from service.v1 import problems
from service.v1.problems import Problem

_log = structlog.get_logger(__name__)
_TOO_LARGE = "The request is larger than REPLYGUARD_MAX_BODY_BYTES: send a shorter comment_content"


def install_failures(app: Flask) -> None:
    """Give an application its answers to refusals and outages, and every check its name."""
    app.before_request(_name_request)
    app.after_request(_add_guid)
    app.register_error_handler(Refused, _refuse)
    app.register_error_handler(Problem, _tell_problem)
    app.register_error_handler(HTTPException, _answer_http_error)
    app.register_error_handler(Exception, _answer_outage)


def _name_request() -> None:
    g.guid = uuid.uuid4().hex


def _add_guid(response: Response) -> Response:
    """Put the name of the check on whatever is answered to one.

    WordPress ignores an answer without it, even the one that says to hold the comment.
    """
    if request.path.rstrip("/").endswith("/comment-check"):
        response.headers[answers.GUID_HEADER] = g.get("guid") or uuid.uuid4().hex
    return response


def _refuse(error: Refused) -> Response:
    _log.info("refused", path=request.path, why=error.debug_help)
    return answers.refusal(error.debug_help)


def _tell_problem(error: Problem) -> Response:
    # A name that we do not know is the client's own words, and may be anybody's data.
    fields = [field if is_v1_field(field) else "(unknown)" for field, _ in error.errors]
    _log.info("refused", path=request.path, status=error.status, fields=fields)
    return problems.respond(error)


def _answer_http_error(error: HTTPException) -> Response:
    if problems.is_ours(request.path):
        return problems.from_http_error(error)
    response = error.get_response(request.environ)
    answer = answers.plain(f"{error.name}", status=error.code or 500)
    for name, value in response.headers.items():
        if name not in ("Content-Type", "Content-Length"):
            answer.headers[name] = value
    if answer.status_code == 413:
        answer.headers["X-akismet-debug-help"] = _TOO_LARGE
    return answer


def _answer_outage(error: Exception) -> Response:
    outage = outage_of(error)
    details = {} if outage.expected else {"traceback": describe(error)}
    _log.error(
        "cannot answer",
        path=request.path,
        guid=g.get("guid"),
        cause=outage.cause,
        remedy=outage.remedy,
        **details,
    )
    if problems.is_ours(request.path):
        return problems.unavailable(outage.cause)
    return answers.unavailable(outage.cause)
