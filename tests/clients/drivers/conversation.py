"""How a test and a driver talk: one JSON object per line, a task in and what the client made of it out."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

Task = dict[str, Any]
"""``do``, ``key``, ``blog`` and, for checks and submissions, ``comment`` with the wire's field names."""


def converse(carry_out: Callable[[Task], str]) -> None:
    """Answer every task on standard input with what the client said, or with the error it raised."""
    for line in sys.stdin:
        try:
            answer = {"said": carry_out(json.loads(line))}
        # What a client raises is its own affair; whatever it is, the application sees "not judged".
        except Exception as error:
            answer = {"said": "error", "why": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
