"""Work of seconds, one at a time in a process: a worker's other threads are for the checks."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from service.v1.problems import Problem


class Turn:
    """Whose turn it is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    @contextlib.contextmanager
    def taken(self) -> Iterator[None]:
        """Hold the turn for as long as something is done.

        Raises
        ------
        Problem
            If it is held already: 503, come again.
        """
        if not self._lock.acquire(blocking=False):
            raise Problem(
                503, "the same is being worked out for another request; ask again when that has ended"
            )
        try:
            yield
        finally:
            self._lock.release()
