"""Writes what several threads bring at the same time in one transaction, which costs one wait for the disk."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from sqlalchemy import Connection

from service.turns import DatabaseBusy, WriteTurn

Work = Callable[[Connection], Any]


class _Entry:
    """What one thread wants written, and what has become of it."""

    def __init__(self, work: Work) -> None:
        self.work = work
        self.woken = threading.Event()
        self.leads = False
        self.value: Any = None
        self.error: BaseException | None = None


class GroupCommit:
    """Gathers the work of waiting threads into common transactions.

    The first thread leads: it waits for the turn, begins, and only then takes up what has gathered, so a group
    grows for as long as it has to wait anyway and nobody ever waits for a group to grow. When it has
    committed it wakes the others and hands the lead to the first one that has come meanwhile.

    Parameters
    ----------
    turn : WriteTurn
    transaction : callable
        Opens a transaction, given its deadline by ``time.monotonic``; committed when its block ends well.
    timeout_s : float
        Longest wait for a transaction to begin. Once begun it is waited for to the end, since only then is it
        known whether the work is on disk.
    """

    def __init__(
        self,
        turn: WriteTurn,
        transaction: Callable[[float], AbstractContextManager[Connection]],
        *,
        timeout_s: float,
    ) -> None:
        self._turn = turn
        self._transaction = transaction
        self._timeout_s = timeout_s
        self._mutex = threading.Lock()
        self._waiting: list[_Entry] = []
        self._is_led = False

    def run(self, work: Work) -> Any:
        """Do the work in a transaction and return its value; on return it is on disk.

        Parameters
        ----------
        work : callable
            Called with the connection, by whichever thread leads. Where the common transaction fails, it is
            undone and each work is done once more in one of its own; so a work must have no effect but
            through the connection.

        Raises
        ------
        DatabaseBusy
            If no transaction began in time; the work will not be done then.
        Exception
            What the work raised, or the commit; nothing of the work is kept.
        """
        entry = _Entry(work)
        deadline = time.monotonic() + self._timeout_s
        with self._mutex:
            self._waiting.append(entry)
            entry.leads = not self._is_led
            self._is_led = True
        if not entry.leads and not entry.woken.wait(self._timeout_s):
            with self._mutex:
                if entry in self._waiting and not entry.leads:
                    self._waiting.remove(entry)
                    raise DatabaseBusy("no transaction began within the time allowed")
            entry.woken.wait()
        if entry.leads:
            self._lead(entry, deadline)
        if entry.error is not None:
            raise entry.error
        return entry.value

    def _lead(self, leader: _Entry, deadline: float) -> None:
        group = [leader]
        try:
            with self._turn.taken(deadline):
                try:
                    self._together(group, deadline)
                except Exception:
                    if len(group) == 1:
                        raise
                    # One of them is at fault, in its statements or, by a deferred constraint, at the commit.
                    for entry in group:
                        self._alone(entry, deadline)
        except BaseException as error:
            for entry in group:
                entry.error = (
                    error if isinstance(error, Exception) else DatabaseBusy("the writer was stopped")
                )
            if not isinstance(error, Exception):
                raise
        finally:
            with self._mutex:
                # The leader is still among them if the turn never came.
                self._waiting = [entry for entry in self._waiting if entry is not leader]
                self._is_led = bool(self._waiting)
                if self._is_led:
                    self._waiting[0].leads = True
                    self._waiting[0].woken.set()
            for entry in group:
                entry.woken.set()

    def _together(self, group: list[_Entry], deadline: float) -> None:
        """Do in one transaction all that waits when it has begun; ``group`` then tells what that was."""
        with self._transaction(deadline) as connection:
            with self._mutex:
                group[:] = self._waiting
                self._waiting = []
            for entry in group:
                entry.value = entry.work(connection)

    def _alone(self, entry: _Entry, deadline: float) -> None:
        try:
            with self._transaction(deadline) as connection:
                entry.value = entry.work(connection)
        # Whatever one work raises is for its own thread; the others of the group must go on.
        except Exception as error:
            entry.error = error
