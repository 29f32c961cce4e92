"""Labels that wait for the admin's word, all of a site's at once; one by one is ``FeedbackStore.decide``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from sqlalchemy import ColumnElement, Connection, func, select, update

from service.db import Database
from service.schema import feedback, sites
from service.sites import SiteAddress
from service.stores.feedback import WAITING, State
from service.stores.site_weights import touch

#: Labels decided on in one transaction, so that checks need not wait for hundreds.
PAGE = 500


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits on a site at one moment.

    Attributes
    ----------
    site_id : int
    n_spam, n_ham : int
    last_id : int
        Number of the newest label of the site that waits; 0 if none does.
    label : str or None
        ham or spam, if only such labels are meant.
    """

    site_id: int
    n_spam: int
    n_ham: int
    last_id: int
    label: str | None

    @property
    def n(self) -> int:
        """How many wait."""
        return self.n_spam + self.n_ham


class WaitingStore:
    """Rows of ``feedback`` that are not learnt until the admin accepts them."""

    def __init__(self, database: Database, *, page: int = PAGE) -> None:
        self._database = database
        self._page = page

    def of(self, site: SiteAddress, label: str | None = None) -> Waiting | None:
        """Return what waits on a site, of one label or of both; None if no such site is known."""
        with self._database.read() as connection:
            site_id = connection.execute(
                select(sites.c.id).where(sites.c.address == site.address)
            ).scalar_one_or_none()
            if site_id is None:
                return None
            rows = connection.execute(
                select(feedback.c.label, func.count().label("n"), func.max(feedback.c.id).label("last"))
                .where(*_waiting(site_id, label))
                .group_by(feedback.c.label)
            ).all()
        counts = {row.label: row.n for row in rows}
        last_id = max((row.last for row in rows), default=0)
        return Waiting(site_id, counts.get("spam", 0), counts.get("ham", 0), last_id, label)

    def decide(self, waiting: Waiting, *, accept: bool) -> int:
        """Let all that waited be learnt, or none of it; return how many that were.

        What came since, and what somebody decided on meanwhile, is left as it is. It goes in pages, each in a
        transaction of its own: if it breaks off, what was decided stays so, and the rest waits on.
        """
        n, after = 0, 0
        while True:
            page = self._database.write_together(
                partial(self._decide, waiting=waiting, after=after, accept=accept)
            )
            if page is None:
                return n
            after, n = page[0], n + page[1]

    def _decide(
        self, connection: Connection, *, waiting: Waiting, after: int, accept: bool
    ) -> tuple[int, int] | None:
        """Decide on a page; return its last number and how many were decided on, None if it is empty."""
        still = _waiting(waiting.site_id, waiting.label)
        found = list(
            connection.execute(
                select(feedback.c.id)
                .where(*still, feedback.c.id > after, feedback.c.id <= waiting.last_id)
                .order_by(feedback.c.id)
                .limit(self._page)
            ).scalars()
        )
        if not found:
            return None
        # On PostgreSQL another may be at the same ones: those that it has decided on are left out here.
        chosen = list(
            connection.execute(
                select(feedback.c.id)
                .where(*still, feedback.c.id.in_(found))
                .order_by(feedback.c.id)
                .with_for_update()
            ).scalars()
        )
        if chosen:
            state = State.LEARNT if accept else State.REJECTED
            learnt_at = touch(connection, waiting.site_id) if accept else None
            connection.execute(
                update(feedback)
                .where(feedback.c.id.in_(chosen))
                .values(state=state.value, learnt_at=learnt_at)
            )
        return found[-1], len(chosen)


def _waiting(site_id: int, label: str | None) -> tuple[ColumnElement[bool], ...]:
    """Return what makes a label one of a site that waits."""
    of_label = () if label is None else (feedback.c.label == label,)
    return (
        feedback.c.site_id == site_id,
        feedback.c.state.in_([state.value for state in WAITING]),
        feedback.c.is_test.is_(False),
        feedback.c.superseded_by.is_(None),
        *of_label,
    )
