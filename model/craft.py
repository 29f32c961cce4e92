"""States how a text was made: broken lines and gaps that programs leave and people do not.

Comment robots wrap their texts at a fixed width in the middle of sentences, leave a blank before the break, and
put the advertised address on a line of its own. On the refused comments of one blog a third of the spam has such
breaks, of real comments two in a hundred (docs/experiments/0009-facts.md).
"""

from __future__ import annotations

import re

# A habit shows early; what a megabyte of text does later costs time and tells nothing.
_MAX_CHARS = 6_000
_MIN_CHARS = 20
_WRAPPED = re.compile(r"[a-z,] ?\r?\n[a-z]")
_BLANK_BEFORE_BREAK = re.compile(r"\S \r?\n(?=\S)")
_WIDE_GAP = re.compile(r"(?<=[a-z,])  +(?=[a-z])")
_ADDRESS = re.compile(r"(?:https?://|www\.|\[url)\S+\Z")


def facts(body: str) -> list[str]:
    """Return what the breaks and gaps of a body, as written, tell."""
    if len(body) <= _MIN_CHARS:
        return []
    found = []
    if "\n" in body:
        last_line = body[-400:].rstrip().rpartition("\n")
        if last_line[1] and _ADDRESS.match(last_line[2].lstrip()):
            found.append("craft:address-last")
    start = body[:_MIN_CHARS].lstrip()
    if start.startswith(("http://", "https://")):
        found.append("craft:address-first")
    body = body[:_MAX_CHARS]
    if "\n" in body:
        found += _counted("wrapped", _WRAPPED, body)
        found += _counted("blank-before-break", _BLANK_BEFORE_BREAK, body)
    if "  " in body:
        found += _counted("wide-gap", _WIDE_GAP, body)
    return found


def _counted(name: str, pattern: re.Pattern[str], body: str) -> list[str]:
    n = len(pattern.findall(body))
    return [f"craft:{name}:{min(n, 3)}"] if n else []
