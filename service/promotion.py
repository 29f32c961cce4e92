"""Use case: choose the version that answers, and remember who chose it, when and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from model.registry import Move, Registry
from service.clock import Clock
from service.stores.versions import ModelEvent

_log = structlog.get_logger(__name__)


class EventLog(Protocol):
    """Where moves are kept."""

    def add_missing(self, events: Iterable[ModelEvent]) -> None: ...

    def latest(self, n: int) -> list[ModelEvent]: ...


class Promotion:
    """Moves the champion's name.

    The registry's file of names is what every worker reads, so it says what is so, and each move in it carries
    who, when and why. The database gets the same moves after it: a process that dies in between has lost
    nothing, because the next one to look copies what is missing.
    """

    def __init__(self, registry: Registry, events: EventLog, clock: Clock) -> None:
        self._registry = registry
        self._events = events
        self._clock = clock

    def promote(self, version: str, *, by: str, why: str) -> Move | None:
        """Let a version answer; None if it does so already.

        Raises
        ------
        model.errors.ModelError
            If it is not there or cannot be read.
        """
        move = self._registry.promote(version, by=by, why=why, at=self._clock().isoformat())
        self.record()
        return move

    def rollback(self, *, by: str, why: str) -> Move:
        """Let the version answer that answered before.

        Raises
        ------
        model.errors.ModelError
            If there is none, or it cannot be read.
        """
        move = self._registry.rollback(by=by, why=why, at=self._clock().isoformat())
        self.record()
        return move

    def history(self, n: int) -> list[ModelEvent]:
        """Return the latest moves, newest first."""
        self.record()
        return self._events.latest(n)

    def record(self) -> None:
        """Copy the registry's moves to the database as far as they are missing there."""
        moves = self._registry.moves()
        if not moves:
            return
        try:
            self._events.add_missing(self._event(move) for move in moves)
        except SQLAlchemyError as error:
            _log.warning(
                "a move of the champion is not recorded in the database yet",
                cause=type(error).__name__,
                remedy="none needed: `replyguard models show` or the next move records it",
            )

    def _event(self, move: Move) -> ModelEvent:
        at = dt.datetime.fromisoformat(move.at) if move.at else self._clock()
        return ModelEvent(move.id, at, move.what, move.version, move.replaced, move.by, move.why)
