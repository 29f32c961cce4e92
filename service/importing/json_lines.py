"""JSON Lines: one comment a line, with the fields that docs/corpora.md lists."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from service.importing.exported import Row, Skipped, Why
from service.importing.records import exported


def read(lines: Iterable[str], *, site: str) -> Iterator[Row]:
    """Yield a comment, or why there is none, for each line that is not empty."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
            if not isinstance(record, dict):
                raise ValueError('it is not a JSON object; write {"content": "...", "label": "ham"}')
            yield exported(record, site=site)
        except json.JSONDecodeError as error:
            yield Skipped(
                Why.UNREADABLE, f"line {number}, column {error.colno}: it is not JSON ({error.msg})"
            )
        except RecursionError:
            yield Skipped(Why.UNREADABLE, f"line {number}: its JSON is nested too deeply")
        except ValueError as error:
            yield Skipped(Why.UNREADABLE, f"line {number}: {error}")
