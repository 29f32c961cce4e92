"""The OpenAPI document of our own API, made from its operations, and a page of it to read."""

from __future__ import annotations

import functools
import re
from typing import Any

from flask import Blueprint, Response, jsonify, render_template
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from model import __version__
from service.stores.keys import Scope
from service.v1 import (  # noqa: F401 - all but the schemas are here for the operations that they bring along
    appeals,
    checks,
    models,
    privacy,
    retention,
    retraining,
    retrospect,
    schemas,
    sites,
    webhooks,
)
from service.v1.operations import OPERATIONS, PARAMETERS, Operation, v1
from service.v1.problems import CONTENT_TYPE, PREFIX

_PROBLEMS = {
    400: "The body is not JSON.",
    401: "No key, or none that is known.",
    403: "The key may not do this, or not for this site.",
    404: "There is no such thing for this key.",
    409: "Another request of this key has this name, or it was done before.",
    413: "The body is too large.",
    422: "A field cannot be used; errors says which and what to do.",
    503: "No answer now: no model, or no database. Ask again later.",
}
_ABOUT = (
    "Judges comments, says why, and learns from corrections. Every problem is answered as"
    " application/problem+json (RFC 9457). A key of a site serves checks, verdicts, feedback and all else that"
    " asks for no more, of the sites that it is tied to; a key for administration serves everything."
)


def blueprint() -> Blueprint:
    """Return the blueprint with all operations and their description."""
    return v1


@v1.get("/openapi.json")
def openapi() -> Response:
    return jsonify(document())


@v1.get("/docs")
def docs() -> str:
    return render_template("v1.html", document=document(), operations=OPERATIONS, prefix=PREFIX)


@functools.cache
def document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document."""
    described: list[tuple[Any, JsonSchemaMode]] = [(schemas.ProblemOut, "serialization")]
    for operation in OPERATIONS:
        if operation.body is not None:
            described.append((operation.body, "validation"))
        if operation.answer is not None:
            described.append((operation.answer, "serialization"))
    references, definitions = models_json_schema(described, ref_template="#/components/schemas/{model}")
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(f"{PREFIX}{operation.path}", {})[operation.method.lower()] = _described(
            operation, references
        )
    return {
        "openapi": "3.1.0",
        "info": {"title": "Replyguard", "version": __version__, "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": definitions["$defs"],
            "securitySchemes": {
                scope.value: {"type": "http", "scheme": "bearer", "description": words}
                for scope, words in (
                    (Scope.SITE, "A key of a site: 12 hex digits. A key for administration does as well."),
                    (Scope.ADMIN, "A key for administration: rga_ and 40 hex digits."),
                )
            },
        },
    }


def _described(operation: Operation, references: Any) -> dict[str, Any]:
    parameters: list[dict[str, Any]] = [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": PARAMETERS[name][1],
            "description": PARAMETERS[name][2],
        }
        for name in re.findall(r"\{(\w+)\}", operation.path)
    ]
    if operation.takes_name:
        parameters.append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "schema": {"type": "string", "minLength": 1, "maxLength": 200},
                "description": "Stands in for the field id.",
            }
        )
    statuses = {401, 503, *operation.problems}
    if operation.scope is Scope.ADMIN:
        statuses.add(403)
    if operation.body is not None:
        statuses |= {400, 413, 422}
    elif "{site}" in operation.path:
        statuses.add(422)
    answer: dict[str, Any] = {"description": "Done." if operation.answer is None else "The answer."}
    if operation.answer is not None:
        schema = references[operation.answer, "serialization"]
        answer["content"] = {"application/json": {"schema": schema}}
    problem = {CONTENT_TYPE: {"schema": references[schemas.ProblemOut, "serialization"]}}
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "security": [{operation.scope.value: []}],
        "parameters": parameters,
        "responses": {
            str(operation.status): answer,
            **{
                str(status): {"description": _PROBLEMS[status], "content": problem}
                for status in sorted(statuses)
            },
        },
    }
    if operation.body is not None:
        schema = references[operation.body, "validation"]
        described["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return described
