"""Keeps who moved the champion, when and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from service.db import Database, insert_missing
from service.schema import model_events


@dataclass(frozen=True, slots=True)
class ModelEvent:
    """One move of the champion's name.

    Attributes
    ----------
    move_id : str
        The registry's name of the move.
    at : datetime
    what : str
        promote, rollback or release.
    version : str
    replaced : str or None
    who, why : str
    """

    move_id: str
    at: dt.datetime
    what: str
    version: str
    replaced: str | None
    who: str
    why: str


class ModelEventStore:
    """Rows of ``model_events``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add_missing(self, events: Iterable[ModelEvent]) -> None:
        """Write those that are not there yet."""
        with self._database.write() as connection:
            known = set(connection.execute(select(model_events.c.move_id)).scalars())
            for event in events:
                if event.move_id not in known:
                    values = {name: getattr(event, name) for name in ModelEvent.__dataclass_fields__}
                    insert_missing(connection, model_events, model_events.c.move_id, values)

    def latest(self, n: int) -> list[ModelEvent]:
        """Return the latest moves, newest first."""
        with self._database.read() as connection:
            rows = connection.execute(
                select(model_events).order_by(model_events.c.at.desc(), model_events.c.id.desc()).limit(n)
            )
            return [
                ModelEvent(**{name: getattr(row, name) for name in ModelEvent.__dataclass_fields__})
                for row in rows
            ]
