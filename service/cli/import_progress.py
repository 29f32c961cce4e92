"""How far an import has come, on standard error: by bytes of the file, or by rows of the database."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from service.importing.exported import Row

#: Rows between two looks at the clock.
_EVERY_ROWS = 200


class ImportProgress:
    """A bar for the step at work; nothing where standard error is no terminal."""

    def __init__(self) -> None:
        self._progress: Progress | None = None

    @contextlib.contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Show a bar while the block runs; it is gone before anything else is told."""
        progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[rows]:,} comments"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
            disable=not sys.stderr.isatty(),
        )
        with progress:
            progress.add_task(name, total=None, rows=0)
            self._progress = progress
            try:
                yield
            finally:
                self._progress = None

    def to(self, done: int, total: int | None, n_rows: int = 0) -> None:
        """Move the step's bar."""
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], completed=done, total=total, rows=n_rows)

    def through(self, rows: Iterator[Row], tell: Callable[[], int] | None, size: int) -> Iterator[Row]:
        """Hand rows on and move the bar with them.

        Parameters
        ----------
        rows : iterator of Row
        tell : callable or None
            Bytes read so far; if None, rows are what ``size`` counts.
        size : int
        """
        for n_rows, row in enumerate(rows, 1):
            if n_rows % _EVERY_ROWS == 0:
                self.to(n_rows if tell is None else tell(), size, n_rows)
            yield row
