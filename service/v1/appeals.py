"""Commenters' appeals in our own API; for keys of administration."""

from __future__ import annotations

from service.appeals import (
    AppealResolved,
    AppealUnknown,
    AppealView,
    CheckUnclear,
    number_of,
)
from service.components import components
from service.stores.appeals import Outcome, StoredAppeal
from service.stores.keys import Key, Scope
from service.v1 import schemas
from service.v1.checks import verdict_out
from service.v1.operations import operation
from service.v1.problems import Problem


@operation(
    "GET",
    "/appeals",
    "List the open appeals, those that wait longest first; 200 at most",
    scope=Scope.ADMIN,
    answer=schemas.AppealsOut,
)
def list_appeals(key: Key) -> schemas.AppealsOut:
    found = components().appeals
    return schemas.AppealsOut(
        n_open=found.waiting().n_open, appeals=[_appeal(each) for each in found.listed(open_only=True)]
    )


@operation(
    "GET",
    "/appeals/{appeal}",
    "Show an appeal with the comments that it may be about, and what was decided on them",
    scope=Scope.ADMIN,
    answer=schemas.AppealDetail,
    problems=(404,),
)
def get_appeal(key: Key, appeal: str) -> schemas.AppealDetail:
    try:
        return _detail(components().appeals.show(appeal))
    except AppealUnknown:
        raise _unknown() from None


@operation(
    "POST",
    "/appeals/{appeal}/resolution",
    "Close an appeal; with released, call the comment ham and tell its site",
    scope=Scope.ADMIN,
    body=schemas.ResolutionIn,
    answer=schemas.ResolutionOut,
    problems=(404, 409),
)
def resolve_appeal(key: Key, appeal: str, body: schemas.ResolutionIn) -> schemas.ResolutionOut:
    try:
        done = components().appeals.resolve(
            appeal,
            Outcome(body.outcome),
            who=key.name,
            note=body.note,
            guids=body.checks,
        )
    except AppealUnknown:
        raise _unknown() from None
    except AppealResolved:
        raise Problem(409, "appeal: it is resolved already; GET it to see how") from None
    except CheckUnclear as error:
        raise Problem(422, f"checks: {error}", [("checks", str(error))]) from None
    return schemas.ResolutionOut(
        appeal=_appeal(done.appeal),
        released=[check.guid for check in done.released],
        n_new=done.n_new,
        told=[
            schemas.ToldOut(site=each.site, n_changed=each.n_changed, problem=each.problem or None)
            for each in done.told
        ],
    )


def _unknown() -> Problem:
    return Problem(404, "appeal: there is none of this number; GET /v1/appeals lists the open ones")


def _appeal(appeal: StoredAppeal) -> schemas.AppealOut:
    return schemas.AppealOut(
        number=number_of(appeal.guid),
        created_at=appeal.created_at,
        site=None if appeal.site is None else appeal.site.address,
        language=appeal.language,
        by="reference" if appeal.email_hash is None else "email",
        message=appeal.message,
        resolved_at=appeal.resolved_at,
        outcome=None if appeal.outcome is None else appeal.outcome.value,
        resolved_by=appeal.resolved_by,
        note=appeal.note,
    )


def _detail(view: AppealView) -> schemas.AppealDetail:
    return schemas.AppealDetail(
        appeal=_appeal(view.appeal),
        comments=[
            schemas.AppealedComment(
                verdict=verdict_out(check),
                author=check.values["author"],
                content=check.values["body"],
                author_url=check.values["url"],
                permalink=check.values["permalink"],
                label=view.labels.get(check.guid),
            )
            for check in view.checks
        ],
        others=[_appeal(each) for each in view.others],
    )
