"""The time of day as a collaborator, so that a test can hold it still."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

Clock = Callable[[], dt.datetime]


def utc_now() -> dt.datetime:
    """Return the present moment, with its zone (UTC)."""
    return dt.datetime.now(dt.UTC)
