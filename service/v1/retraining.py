"""Retrainings in our own API: ask for one, see how far it is, stop it; for keys of administration."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

from pydantic import Field

from service.components import components
from service.stores.keys import Key, Scope
from service.stores.runs import Run
from service.v1.models import by
from service.v1.operations import operation
from service.v1.problems import Problem
from service.v1.schemas import Model

_LATEST = 20


class RunOut(Model):
    """A retraining."""

    run: str = Field(description="Its name: 32 hex digits.")
    state: Literal["requested", "running", "promoted", "refused", "failed", "cancelled"]
    origin: Literal["command", "schedule", "api"]
    requested_at: dt.datetime
    requested_by: str
    started_at: dt.datetime | None
    finished_at: dt.datetime | None
    cancelled_by: str | None
    stage: str = Field(description="What is being done.")
    fraction: float = Field(description="How much of that is done, in [0, 1].")
    champion: str | None
    challenger: str | None
    reason: str | None = Field(description="Why the new version was let pass, or was not.")
    error: str | None


class RequestedOut(RunOut):
    """A retraining that was asked for."""

    new: bool = Field(description="False if this one was requested or running already.")


class StageOut(Model):
    """When a stage began."""

    at: dt.datetime
    stage: str


class RunWithStagesOut(RunOut):
    """A retraining with what happened in it."""

    stages: list[StageOut]
    counts: dict[str, Any] | None = Field(description="Sizes of what was fitted and judged.")
    report: dict[str, Any] | None = Field(description="The gate's figures.")


class RunsOut(Model):
    """The latest retrainings, newest first."""

    runs: list[RunOut]


@operation(
    "POST",
    "/retraining",
    "Ask for a retraining; a worker does it",
    scope=Scope.ADMIN,
    answer=RequestedOut,
    status=202,
)
def request_retraining(key: Key) -> RequestedOut:
    run, is_new = components().retraining.request(by=by(key), origin="api")
    return RequestedOut(**_values(run), new=is_new)


@operation("GET", "/retraining", "List the latest retrainings", scope=Scope.ADMIN, answer=RunsOut)
def list_retrainings(key: Key) -> RunsOut:
    return RunsOut(runs=[RunOut(**_values(run)) for run in components().retraining.latest(_LATEST)])


@operation(
    "GET",
    "/retraining/{run}",
    "Tell how far a retraining is, or how it ended",
    scope=Scope.ADMIN,
    answer=RunWithStagesOut,
    problems=(404,),
)
def get_retraining(key: Key, run: str) -> RunWithStagesOut:
    found = components().retraining.find(run)
    if found is None:
        raise Problem(404, "run: there is no retraining of this name; GET /v1/retraining lists the latest")
    told, stages = found
    return RunWithStagesOut(
        **_values(told),
        stages=[StageOut(at=at, stage=stage) for at, stage in stages],
        counts=told.counts,
        report=told.report,
    )


@operation(
    "POST",
    "/retraining/cancel",
    "Stop the retraining that waits or runs",
    scope=Scope.ADMIN,
    answer=RunOut,
    problems=(404,),
)
def cancel_retraining(key: Key) -> RunOut:
    stopped = components().retraining.cancel(by=by(key))
    if stopped is None:
        raise Problem(404, "no retraining waits or runs; POST /v1/retraining asks for one")
    return RunOut(**_values(stopped))


def _values(run: Run) -> dict[str, Any]:
    named = {name: getattr(run, name) for name in RunOut.model_fields if name != "run"}
    return named | {"run": run.guid}
