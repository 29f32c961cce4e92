"""Whose turn it is to write: one thread of all worker processes on this machine, in fair order.

SQLite lets one writer in at a time and leaves the others to ask again after ever longer pauses, up to a tenth
of a second; whoever asks first after a release wins, and that is mostly the process that has just written. Here
the next one waits at the door and is in within a fraction of a millisecond. Nothing depends on it but speed:
what protects the file is SQLite's own lock, which is taken as well.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterator

from sqlalchemy.exc import SQLAlchemyError

#: Pause between two looks at a lock that another process holds, in seconds: a small part of the millisecond or
#: more that a commit takes. The kernel could wake us at the right moment instead, but then not at a deadline.
_PAUSE_S = 0.0002


class DatabaseBusy(SQLAlchemyError):
    """No turn to write came within the time allowed."""


class WriteTurn:
    """A lock among the threads of all processes that write one database file.

    Processes meet at two lock files. Who holds ``-turn`` writes; who holds ``-next`` is the only one who waits
    for it, so a process that has just written cannot push in front of one that has been waiting. The kernel
    takes both locks from a process that dies, whatever it was doing.

    Parameters
    ----------
    database_path : str
        The lock files stand beside it, under its name with ``-next`` and ``-turn``; they stay empty.
    """

    def __init__(self, database_path: str) -> None:
        # Two names of one file must lead to the same locks.
        path = os.path.realpath(database_path)
        self._threads = threading.Lock()
        self._next = _FileLock(f"{path}-next")
        self._turn = _FileLock(f"{path}-turn")

    @contextlib.contextmanager
    def taken(self, deadline: float) -> Iterator[None]:
        """Wait for the turn and keep it while the block runs.

        Parameters
        ----------
        deadline : float
            By ``time.monotonic``, in seconds.

        Raises
        ------
        DatabaseBusy
            If the time is up.
        """
        if not self._threads.acquire(timeout=max(0.0, deadline - time.monotonic())):
            raise DatabaseBusy("another thread kept the turn to write for too long")
        try:
            try:
                self._next.acquire(deadline)
                try:
                    self._turn.acquire(deadline)
                finally:
                    self._next.release()
                yield
            finally:
                self._turn.release()
        finally:
            self._threads.release()

    def close(self) -> None:
        """Close the lock files."""
        self._next.close()
        self._turn.close()


class _FileLock:
    """An exclusive lock of the kernel's on a file that is made if need be."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor: int | None = None
        self._is_held = False

    def acquire(self, deadline: float) -> None:
        """Take the lock, or raise DatabaseBusy at the deadline."""
        descriptor = self._opened()
        if descriptor is None:
            return
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    raise DatabaseBusy("another process kept the turn to write for too long") from None
                time.sleep(_PAUSE_S)
            except OSError:
                # A file system without such locks. SQLite's own must do, as where the file cannot be had.
                return
            else:
                self._is_held = True
                return

    def release(self) -> None:
        """Give the lock back; does nothing if it is not held."""
        if self._is_held and self._descriptor is not None:
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            self._is_held = False

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            self._is_held = False

    def _opened(self) -> int | None:
        """Return the open file; None if it cannot be had.

        Opened at the first use, so after a fork: processes that share an open file share its lock. Reading
        is enough to lock, so a file that another user's command made serves too.
        """
        if self._descriptor is None:
            try:
                self._descriptor = os.open(self._path, os.O_RDONLY | os.O_CREAT, 0o644)
            except OSError:
                # A folder that is not there or cannot be written. We go without a turn: SQLite, asked next,
                # finds the same and tells it in the words from which the operator gets a remedy.
                return None
        return self._descriptor
