"""Operations on retention: for how long a site's data is kept, and what was purged."""

from __future__ import annotations

from service.components import components
from service.declaration.terms import Retention
from service.keeping import RetentionView
from service.retention import OF_SITES, SiteRetention
from service.stores.keys import Key, Scope
from service.v1 import schemas
from service.v1.operations import operation
from service.v1.sites import address_of

_SHOWN_PURGES = 30


@operation(
    "GET",
    "/sites/{site}/retention",
    "Tell for how long a site's data is kept",
    scope=Scope.ADMIN,
    answer=schemas.RetentionOut,
)
def get_retention(key: Key, site: str) -> schemas.RetentionOut:
    return _rendered(components().retention.show(address_of(site)))


@operation(
    "PUT",
    "/sites/{site}/retention",
    "Set for how long a site's data is kept; a site that is not known yet comes into being",
    scope=Scope.ADMIN,
    body=schemas.RetentionIn,
    answer=schemas.RetentionOut,
)
def put_retention(key: Key, site: str, body: schemas.RetentionIn) -> schemas.RetentionOut:
    own = SiteRetention(**body.model_dump())
    return _rendered(components().retention.replace(address_of(site), own))


@operation("GET", "/purges", "List the latest purges", scope=Scope.ADMIN, answer=schemas.Purges)
def list_purges(key: Key) -> schemas.Purges:
    return schemas.Purges(
        purges=[
            schemas.PurgeOut(
                origin="schedule" if record.origin == "schedule" else "command",
                started_at=record.started_at,
                finished_at=record.finished_at,
                deleted=dict(record.counts),
                error=record.error,
            )
            for record in components().purges.latest(_SHOWN_PURGES)
        ]
    )


def _rendered(view: RetentionView) -> schemas.RetentionOut:
    return schemas.RetentionOut(
        site=view.site.address,
        own=schemas.RetentionIn(**{f"{each.value}_days": view.own.of(each) for each in OF_SITES}),
        days={
            each.value: n_days if n_days or each is Retention.COMPANY else None
            for each, n_days in view.days.items()
        },
    )
