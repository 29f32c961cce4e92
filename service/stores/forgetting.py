"""Tells which versions of the model were made before labels were erased or restricted."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import func, select

from service.db import Database
from service.schema import receipts, training_runs


class ForgettingStore:
    """Receipts and retrainings, side by side."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def asked_at(self) -> dt.datetime | None:
        """Return when labels were erased or restricted last; None if that never happened."""
        query = (
            select(receipts.c.at, receipts.c.counts)
            .where(receipts.c.what.in_(("erase", "restrict")))
            .order_by(receipts.c.id.desc())
        )
        with self._database.read() as connection:
            return next((row.at for row in connection.execute(query) if row.counts.get("feedback")), None)

    def made_at(self) -> dict[str, dt.datetime]:
        """Return, by version, when the latest retraining that led to it began to read labels.

        A retraining that led to the champion again counts: the labels that are left make that very version.
        """
        query = (
            select(training_runs.c.challenger, func.max(training_runs.c.started_at).label("began"))
            .where(training_runs.c.challenger.is_not(None), training_runs.c.started_at.is_not(None))
            .group_by(training_runs.c.challenger)
        )
        with self._database.read() as connection:
            return {row.challenger: row.began for row in connection.execute(query)}
