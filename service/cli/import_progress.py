"""How far an import has come, on standard error: by bytes of the file, or by rows of the database."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TaskProgressColumn, TextColumn, TimeRemainingColumn

from service.importing.exported import Row

#: Rows between two looks at the clock.
_EVERY_ROWS = 200


class ImportProgress:
    """A bar for the step at work; nothing where standard error is no terminal."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rows]:,} comments"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show a bar while the block runs."""
        self._task = self._progress.add_task(name, total=None, rows=0)
        try:
            yield
        finally:
            self._progress.remove_task(self._task)
            self._task = None

    def to(self, done: int, total: int | None) -> None:
        """Move the step's bar."""
        if self._task is not None:
            self._progress.update(self._task, completed=done, total=total)

    def through(self, rows: Iterator[Row], tell: Callable[[], int] | None, size: int) -> Iterator[Row]:
        """Hand rows on and move the bar with them.

        Parameters
        ----------
        rows : iterator of Row
        tell : callable or None
            Bytes read so far; if None, rows are what ``size`` counts.
        size : int
        """
        n_rows = 0
        for n_rows, row in enumerate(rows, 1):
            if n_rows % _EVERY_ROWS == 0 and self._task is not None:
                done = n_rows if tell is None else tell()
                self._progress.update(self._task, completed=done, total=size, rows=n_rows)
            yield row
