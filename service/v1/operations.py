"""The operations of our own API: one table from which the routes and the OpenAPI document are made."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, request
from pydantic import BaseModel, ValidationError

from service.components import components
from service.stores.keys import Key, Scope
from service.v1.problems import PREFIX, Problem, from_validation

# Clients that cut a text between the halves of an emoji send one half of it, which no database takes.
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(?P<half>u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)

v1 = Blueprint("v1", __name__, url_prefix=PREFIX)

#: What may stand in a path: its converter and how it is described.
PARAMETERS: dict[str, tuple[str, dict[str, Any], str]] = {
    "guid": ("string", {"type": "string", "pattern": "^[0-9a-f]{32}$"}, "Name of a verdict."),
    "site": (
        "path",
        {"type": "string"},
        "The site's address without its scheme, such as blog.example.org or example.org/blog.",
    ),
    "version": ("string", {"type": "string"}, "Name of a version of the model."),
    "run": ("string", {"type": "string", "pattern": "^[0-9a-f]{32}$"}, "Name of a retraining."),
    "appeal": (
        "string",
        {"type": "string", "pattern": "^[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}$"},
        "Number of an appeal.",
    ),
    "entry": ("int", {"type": "integer", "minimum": 1}, "Number of an entry."),
}


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation.

    Attributes
    ----------
    name : str
    method, path : str
        The path with its parameters in braces, without the prefix.
    summary : str
    scope : Scope
        The least that its key must be allowed.
    body, answer : type of BaseModel or None
    status : int
        Of the answer.
    problems : tuple of int
        Statuses of problems, besides those that any operation may have.
    takes_name : bool
        Whether the header Idempotency-Key means anything.
    """

    name: str
    method: str
    path: str
    summary: str
    scope: Scope
    body: type[BaseModel] | None
    answer: type[BaseModel] | None
    status: int
    problems: tuple[int, ...]
    takes_name: bool


OPERATIONS: list[Operation] = []
View = Callable[..., BaseModel | None]


def operation(
    method: str,
    path: str,
    summary: str,
    *,
    scope: Scope = Scope.SITE,
    body: type[BaseModel] | None = None,
    answer: type[BaseModel] | None = None,
    status: int = 200,
    problems: tuple[int, ...] = (),
    takes_name: bool = False,
) -> Callable[[View], View]:
    """Make a function an operation; see ``Operation``.

    The function is called with its key, its body if it takes one, and the parameters of its path.
    """

    def register(view: View) -> View:
        described = Operation(
            view.__name__, method, path, summary, scope, body, answer, status, problems, takes_name
        )
        OPERATIONS.append(described)

        def serve(**arguments: Any) -> Response:
            key = _authorised(scope)
            if body is not None:
                arguments["body"] = _read(body)
            result = view(key=key, **arguments)
            if result is None:
                return Response(status=status)
            return Response(result.model_dump_json(), status=status, content_type="application/json")

        route = re.sub(r"\{(\w+)\}", lambda found: f"<{PARAMETERS[found[1]][0]}:{found[1]}>", path)
        v1.add_url_rule(route, view.__name__, serve, methods=[method])
        return view

    return register


def _authorised(scope: Scope) -> Key:
    kind, _, text = request.headers.get("Authorization", "").strip().partition(" ")
    if kind.lower() != "bearer" or not text.strip():
        raise Problem(401, "send the header Authorization: Bearer, with your API key")
    key = components().keys.find_bearer(text)
    if key is None:
        raise Problem(401, "the API key is unknown or revoked: check the header Authorization")
    if scope is Scope.ADMIN and key.scope is not Scope.ADMIN:
        raise Problem(
            403, "this takes a key for administration; make one with: replyguard keys create --admin"
        )
    return key


def _read(model: type[BaseModel]) -> BaseModel:
    data = request.get_data(cache=False)
    try:
        return _validated(model, data)
    except ValidationError as error:
        raise from_validation(error, model) from None


def _validated(model: type[BaseModel], data: bytes) -> BaseModel:
    try:
        return model.model_validate_json(data)
    except ValidationError as error:
        whole = _ESCAPES.sub(_whole, data)
        if error.errors(include_url=False, include_input=False)[0]["type"] != "json_invalid" or whole == data:
            raise
        return model.model_validate_json(whole)


def _whole(escape: re.Match[bytes]) -> bytes:
    return rb"\ufffd" if escape["half"] else escape[0]
