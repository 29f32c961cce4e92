"""Finds what was let through and looks like what turned out to be spam."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import and_, select

from service.db import Database
from service.schema import checks, feedback, sites
from service.stores.site_weights import LEARNT


@dataclass(frozen=True, slots=True)
class KnownSpam:
    """A comment that a person called spam.

    Attributes
    ----------
    guid : str
        Name of the label.
    site : str
    body : str
    """

    guid: str
    site: str
    body: str


@dataclass(frozen=True, slots=True)
class LetThrough:
    """The fingerprint of a comment that was let through and that nobody has labelled.

    Attributes
    ----------
    guid : str
        Name of its check.
    sketch : bytes
    """

    guid: str
    sketch: bytes


class RetrospectStore:
    """Labels and checks of the last days, of all sites; tests left out."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def spam(self, since: dt.datetime) -> list[KnownSpam]:
        """Return what people have called spam since then and still do, latest first; believed labels only."""
        query = (
            select(feedback.c.guid, sites.c.address, feedback.c.body)
            .select_from(feedback.join(sites, feedback.c.site_id == sites.c.id))
            .where(
                feedback.c.created_at >= since,
                feedback.c.label == "spam",
                feedback.c.state == LEARNT,
                feedback.c.superseded_by.is_(None),
                feedback.c.is_test.is_(False),
                feedback.c.restricted.is_(False),
            )
            .order_by(feedback.c.id.desc())
        )
        with self._database.read() as connection:
            return [KnownSpam(row.guid, row.address, row.body) for row in connection.execute(query)]

    def let_through(self, since: dt.datetime) -> list[LetThrough]:
        """Return what was let through since then and nobody has labelled, each comment of a site once."""
        labelled = and_(
            feedback.c.site_id == checks.c.site_id,
            feedback.c.content_hash == checks.c.content_hash,
            feedback.c.superseded_by.is_(None),
            feedback.c.is_test.is_(False),
        )
        query = (
            select(checks.c.guid, checks.c.site_id, checks.c.content_hash, checks.c.sketch)
            .select_from(checks.outerjoin(feedback, labelled))
            .where(
                checks.c.created_at >= since,
                checks.c.sketch.is_not(None),
                checks.c.decided_by == "model",
                checks.c.restricted.is_(False),
                feedback.c.id.is_(None),
            )
            .order_by(checks.c.id)
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        latest = {(row.site_id, row.content_hash): row for row in rows}
        return [LetThrough(row.guid, row.sketch) for row in latest.values()]
