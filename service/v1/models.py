"""Versions of the model in our own API: see, compare, choose; for keys of administration."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any, Literal

from pydantic import Field

from model.errors import ArtifactRejected, ModelError
from service.components import components
from service.stores.keys import Key, Scope
from service.v1.one_at_a_time import Turn
from service.v1.operations import operation
from service.v1.problems import Problem
from service.v1.schemas import Model, Text
from service.versions import VersionUnknown

_LATEST_MOVES = 20
_COMPARING = Turn()
_REMEDY = "there is no version of this name; GET /v1/models lists them"


class VersionOut(Model):
    """A version of the model."""

    version: str
    roles: list[Literal["champion", "shipped", "former"]] = Field(
        description="champion: it answers; shipped: it came with the release; former: a rollback brings it back."
    )
    n_spam: int
    n_ham: int
    n_labels: int | None = Field(description="Labels of this installation in it; null: the corpora alone.")


class MoveOut(Model):
    """A move of the champion's name."""

    at: dt.datetime
    what: str = Field(description="promote, rollback or release.")
    version: str
    replaced: str | None
    who: str
    why: str


class ModelsOut(Model):
    """The versions, and the latest moves, newest first."""

    versions: list[VersionOut]
    moves: list[MoveOut]


class CardOut(Model):
    """What is known of a version."""

    version: str
    fingerprint: str = Field(description="SHA-256 of what it was fitted on.")
    n_spam: int
    n_ham: int
    sources: list[dict[str, Any]]
    metrics: dict[str, Any]
    policy: dict[str, Any]
    limits: list[str]
    libraries: dict[str, str]


class CompareIn(Model):
    """Two versions."""

    champion: str
    challenger: str


class ComparisonOut(Model):
    """What the gate says of the challenger."""

    admits: bool
    reason: str
    report: dict[str, Any] = Field(
        description="The figures, and stored comments whose decision would change."
    )


class PromoteIn(Model):
    """The version that is to answer."""

    version: str
    why: Text = Field(default="", max_length=500, description="The reason, for the record.")


class RollbackIn(Model):
    """Why the version before is to answer again."""

    why: Text = Field(default="", max_length=500, description="The reason, for the record.")


class ChampionOut(Model):
    """Which version answers now."""

    version: str
    replaced: str | None = Field(description="null if it answered already.")


@operation("GET", "/models", "List the versions of the model", scope=Scope.ADMIN, answer=ModelsOut)
def list_models(key: Key) -> ModelsOut:
    parts = components()
    return ModelsOut(
        versions=[VersionOut(**dataclasses.asdict(row)) for row in parts.versions.rows()],
        moves=[
            MoveOut(
                at=event.at,
                what=event.what,
                version=event.version,
                replaced=event.replaced,
                who=event.who,
                why=event.why,
            )
            for event in parts.promotion.history(_LATEST_MOVES)
        ],
    )


@operation(
    "GET",
    "/models/{version}",
    "Show what is known of a version",
    scope=Scope.ADMIN,
    answer=CardOut,
    problems=(404,),
)
def get_model(key: Key, version: str) -> CardOut:
    try:
        return CardOut(**components().versions.card(version).as_dict())
    except VersionUnknown:
        raise Problem(404, f"version: {_REMEDY}") from None


@operation(
    "POST",
    "/models/compare",
    "Judge a version against another on the labels that neither was fitted on; takes seconds",
    scope=Scope.ADMIN,
    body=CompareIn,
    answer=ComparisonOut,
)
def compare_models(key: Key, body: CompareIn) -> ComparisonOut:
    try:
        with _COMPARING.taken():
            report = components().versions.compare(body.champion, body.challenger)
    except VersionUnknown as error:
        raise _unknown(error) from None
    return ComparisonOut(admits=report.pop("admits"), reason=report.pop("reason"), report=report)


@operation(
    "POST",
    "/models/promote",
    "Let a version answer, whatever the gate says of it; every worker has it within two seconds",
    scope=Scope.ADMIN,
    body=PromoteIn,
    answer=ChampionOut,
)
def promote_model(key: Key, body: PromoteIn) -> ChampionOut:
    parts = components()
    try:
        parts.versions.require(version=body.version)
        move = parts.promotion.promote(body.version, by=by(key), why=body.why)
    except VersionUnknown as error:
        raise _unknown(error) from None
    except ArtifactRejected as error:
        message = f"{error}; choose another, or put its folder back from a backup"
        raise Problem(422, f"version: {message}", [("version", message)]) from None
    return ChampionOut(version=body.version, replaced=None if move is None else move.replaced)


@operation(
    "POST",
    "/models/rollback",
    "Bring back the version that answered before; again, the one before that",
    scope=Scope.ADMIN,
    body=RollbackIn,
    answer=ChampionOut,
    problems=(404,),
)
def roll_model_back(key: Key, body: RollbackIn) -> ChampionOut:
    try:
        move = components().promotion.rollback(by=by(key), why=body.why)
    except ModelError as error:
        raise Problem(404, f"{error}: POST /v1/models/promote") from None
    return ChampionOut(version=move.version, replaced=move.replaced)


def by(key: Key) -> str:
    """Return under which name what a key does is recorded."""
    return f"API {key.name}"


def _unknown(error: VersionUnknown) -> Problem:
    return Problem(422, f"{error.field}: {_REMEDY}", [(error.field, _REMEDY)])
