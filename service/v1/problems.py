"""What a caller of our own API is told when a request cannot be served (RFC 9457)."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from typing import Any

from flask import Response
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

CONTENT_TYPE = "application/problem+json"
PREFIX = "/v1"
#: Seconds after which a client may ask again when the service could not answer.
RETRY_AFTER_S = 30
_TITLES = {
    400: "Not JSON",
    401: "Who are you?",
    403: "Not with this key",
    404: "Not found",
    409: "Taken or done already",
    422: "A field cannot be used",
    503: "Unavailable",
}


class Problem(Exception):
    """A request that cannot be served.

    Parameters
    ----------
    status : int
    detail : str
        What is wrong, and what to do.
    errors : iterable of (str, str)
        Field and remedy, where fields are at fault.
    """

    def __init__(self, status: int, detail: str, errors: Iterable[tuple[str, str]] = ()) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)


def is_ours(path: str) -> bool:
    """Tell whether a path belongs to our own API."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def respond(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """Return the answer that tells of a problem."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": _TITLES.get(problem.status, "Not served"),
        "status": problem.status,
        "detail": problem.detail,
    }
    if problem.errors:
        content["errors"] = [{"field": field, "message": message} for field, message in problem.errors]
    headers = headers or {}
    if problem.status == 401:
        headers = {"WWW-Authenticate": "Bearer", **headers}
    elif problem.status == 503:
        headers = {"Retry-After": str(RETRY_AFTER_S), **headers}
    return Response(json.dumps(content), status=problem.status, headers=headers, content_type=CONTENT_TYPE)


def from_http_error(error: HTTPException) -> Response:
    """Return the answer to what Flask itself refuses."""
    status = error.code or 500
    details = {
        404: "there is no such path; /v1/docs lists what there is",
        405: "this path takes other methods: see the header Allow",
        413: "the body is larger than REPLYGUARD_MAX_BODY_BYTES; send fewer or shorter comments",
    }
    kept = {
        name: value
        for name, value in error.get_response().headers.items()
        if name not in ("Content-Type", "Content-Length")
    }
    problem = Problem(status, details.get(status, error.name))
    response = respond(problem, kept)
    if status not in _TITLES:
        content = json.loads(response.get_data()) | {"title": error.name}
        response.set_data(json.dumps(content))
    return response


def unavailable(cause: str) -> Response:
    """Return the answer while the service cannot judge or record."""
    return respond(Problem(503, f"{cause}; ask again later"))


def from_validation(error: ValidationError, model: type[BaseModel]) -> Problem:
    """Return the problem of a body that does not fit its description; quotes no value."""
    errors = []
    for detail in error.errors(include_url=False, include_input=False):
        if detail["type"] == "json_invalid":
            return Problem(400, "the body is not JSON: send an object, in UTF-8")
        field = ".".join(str(part) for part in detail["loc"]) or "body"
        message = detail["msg"].removeprefix("Value error, ")
        if detail["type"] == "extra_forbidden":
            message = f"there is no such field{_instead_of(str(detail['loc'][-1]), _names(model))}"
        elif detail["type"] == "missing":
            message = "is missing: give it"
        errors.append((field, message))
    return Problem(422, "; ".join(f"{field}: {message}" for field, message in errors), errors)


def _instead_of(said: str, names: list[str]) -> str:
    """Return what to do about a field that is not there; one that is, is so at another place."""
    if said in names:
        return " here; it stands elsewhere: /v1/docs shows where"
    near = difflib.get_close_matches(said, names, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ": leave it out"


def _names(model: type[BaseModel]) -> list[str]:
    """Return the names of the fields of a model and of the models inside it."""
    schema = model.model_json_schema()
    inner = (part.get("properties", {}) for part in schema.get("$defs", {}).values())
    return [*schema.get("properties", {}), *(name for names in inner for name in names)]
