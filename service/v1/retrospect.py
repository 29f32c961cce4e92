"""Near-copies of spam that were let through, in our own API.

A key for administration sees those of all sites, a site's key what it may see of its own.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field, StringConstraints

from service.components import components
from service.retrospect import DAYS, NearCopy, Sees
from service.stores.keys import Key, Scope
from service.v1.one_at_a_time import Turn
from service.v1.operations import operation
from service.v1.problems import Problem
from service.v1.schemas import Model

_MAX_CORRECTED = 1000
_MAX_EXCERPT = 200
_LOOKING = Turn()
Guid = Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]


class NearCopiesIn(Model):
    """Which near-copies to list."""

    days: float = Field(default=DAYS, gt=0, le=365, description="How far to look back.")


class NearCopyOut(Model):
    """A comment that was let through and looks like known spam."""

    guid: str = Field(description="Name of its verdict.")
    site: str
    created_at: dt.datetime
    likeness: float = Field(description="Share of words in common with the spam, in [0.7, 1].")
    spam_site: str | None = Field(
        description="Where somebody called the like of it spam; null if that is another site than this key's."
    )
    excerpt: str = Field(description="The beginning of its text.")


class NearCopiesOut(Model):
    """Near-copies of spam, most alike first."""

    near_copies: list[NearCopyOut]


class CorrectIn(Model):
    """What to call spam: verdicts by their names, or all near-copies of the last days."""

    guids: list[Guid] | None = Field(default=None, min_length=1, max_length=_MAX_CORRECTED)
    days: float | None = Field(default=None, gt=0, le=365, description="All near-copies of so many days.")


class ToldOut(Model):
    """What became of telling a site of its corrections."""

    site: str
    n_comments: int
    n_changed: int
    problem: str = Field(description="Why it was not told; empty if it was.")


class CorrectedOut(Model):
    """What became of the corrections."""

    n_corrected: int
    n_known: int = Field(description="Called spam before.")
    unknown: list[str] = Field(description="Names that no verdict has which this key may see.")
    told: list[ToldOut] = Field(description="Sites that want to be told.")


@operation(
    "POST",
    "/retrospect/near-copies",
    "List comments that were let through and look like known spam",
    body=NearCopiesIn,
    answer=NearCopiesOut,
)
def list_near_copies(key: Key, body: NearCopiesIn) -> NearCopiesOut:
    return NearCopiesOut(
        near_copies=[
            NearCopyOut(
                guid=copy.check.guid,
                site=copy.check.site.address,
                created_at=copy.check.created_at,
                likeness=copy.likeness,
                spam_site=_shown_site(copy, key),
                excerpt=str(copy.check.values["body"])[:_MAX_EXCERPT],
            )
            for copy in _near_copies(body.days, key)
        ]
    )


@operation(
    "POST",
    "/retrospect/corrections",
    "Call comments spam, and tell the sites that want to be told",
    body=CorrectIn,
    answer=CorrectedOut,
)
def correct_near_copies(key: Key, body: CorrectIn) -> CorrectedOut:
    if (body.guids is None) == (body.days is None):
        message = "give names of verdicts, or days for all near-copies, and not both"
        raise Problem(422, f"guids: {message}", [("guids", message)])
    parts = components()
    guids: list[str] = body.guids or []
    if body.days is not None:
        guids = [copy.check.guid for copy in _near_copies(body.days, key)]
    corrected = parts.retrospect.correct(guids, sees=_seen_by(key))
    found = [check for _, check, _ in corrected if check is not None]
    n_new = sum(is_new for _, _, is_new in corrected)
    unknown = [guid for guid, check, _ in corrected if check is None]
    told = [
        ToldOut(site=each.site, n_comments=each.n_comments, n_changed=each.n_changed, problem=each.problem)
        # Those that were called spam before, too: the site may have been down when it was to be told.
        for each in parts.webhooks.tell(found)
    ]
    return CorrectedOut(n_corrected=n_new, n_known=len(found) - n_new, unknown=unknown, told=told)


def _near_copies(days: float, key: Key) -> list[NearCopy]:
    with _LOOKING.taken():
        return components().retrospect.near_copies(days=days, sees=_seen_by(key))


def _seen_by(key: Key) -> Sees:
    return lambda check: key.sees(check.site, check.key_id)


def _shown_site(copy: NearCopy, key: Key) -> str | None:
    """Return where the spam was, unless that is no business of the key's site."""
    is_shown = key.scope is Scope.ADMIN or copy.spam_site in {copy.check.site.address, *key.sites}
    return copy.spam_site if is_shown else None
