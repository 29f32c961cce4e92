"""Reads the checks that a site's cut-offs are found on."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import and_, select

from service.db import Database
from service.schema import checks, feedback, sites
from service.sites import SiteAddress
from service.stores.site_weights import REJECTED

#: Latest checks of a site that are looked at.
MAX_CHECKS = 10_000


@dataclass(frozen=True, slots=True)
class JudgedComment:
    """A check with what people said of its comment.

    Attributes
    ----------
    score : float
        At the first of the comment's checks that are looked at.
    answer : str
        true, false or hold.
    label : str or None
        ham, spam, or None if nobody said anything, or what was said was rejected.
    created_at : datetime
    """

    score: float
    answer: str
    label: str | None
    created_at: dt.datetime


class CalibrationStore:
    """The scores that a site's comments got."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def judged(self, site: SiteAddress, model_version: str, since: dt.datetime) -> list[JudgedComment]:
        """Return the comments of a site that one version decided on, each once, tests left out.

        Parameters
        ----------
        site : SiteAddress
        model_version : str
        since : datetime
            Earlier checks are passed over, and all but the latest ``MAX_CHECKS``.
        """
        own = select(sites.c.id).where(sites.c.address == site.address).scalar_subquery()
        latest = (
            select(
                checks.c.site_id,
                checks.c.id,
                checks.c.content_hash,
                checks.c.score,
                checks.c.answer,
                checks.c.created_at,
                checks.c.model_version,
                checks.c.decided_by,
                checks.c.is_test,
                checks.c.restricted,
            )
            .where(checks.c.site_id == own)
            .order_by(checks.c.id.desc())
            .limit(MAX_CHECKS)
            .subquery()
        )
        effective = and_(
            feedback.c.site_id == latest.c.site_id,
            feedback.c.content_hash == latest.c.content_hash,
            feedback.c.superseded_by.is_(None),
            feedback.c.state != REJECTED,
            feedback.c.is_test.is_(False),
        )
        query = (
            select(
                latest.c.content_hash, latest.c.score, latest.c.answer, latest.c.created_at, feedback.c.label
            )
            .select_from(latest.outerjoin(feedback, effective))
            .where(
                latest.c.model_version == model_version,
                latest.c.decided_by == "model",
                latest.c.is_test.is_(False),
                latest.c.restricted.is_(False),
                latest.c.created_at >= since,
            )
            .order_by(latest.c.id.desc())
        )
        with self._database.read() as connection:
            rows = connection.execute(query).all()
        # The first check of a comment is the one before anybody could label it: it comes last and stays.
        first = {
            row.content_hash: JudgedComment(row.score, row.answer, row.label, row.created_at) for row in rows
        }
        return list(first.values())
