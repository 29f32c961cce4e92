"""From what was decided to bodies and headers, exact to the byte."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from flask import Response

from model.verdict import Clue
from service.checking import Answer, CheckOutcome

GUID_HEADER = "X-akismet-guid"
THANKS = "Thanks for making the web a better place."
MAX_REASONS_BYTES = 500
#: What would be listed as 0.0 is no reason.
_LEAST_WEIGHT = 0.05
#: What goes into a header as it is.
_PLAIN = re.compile(r"[ -:<-\[\]-~]*")
#: Seconds after which a client may ask again when the service could not answer.
RETRY_AFTER_S = 30

#: What goes over the wire. An unsure comment that is to be held gets a body that no client takes for ham or
#: spam, and the header by which WordPress and Discourse hold it whatever else they think.
_WIRE: dict[Answer, tuple[str, dict[str, str]]] = {
    Answer.SPAM: ("true", {}),
    Answer.HAM: ("false", {}),
    Answer.HOLD: ("hold", {"X-akismet-error": "unsure: held for a person to decide"}),
}


def plain(body: str, *, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a text answer without a final newline."""
    return Response(body, status=status, headers=headers, content_type="text/plain; charset=utf-8")


def as_json(content: Any) -> Response:
    """Return a JSON answer."""
    return Response(json.dumps(content), content_type="application/json")


def refusal(debug_help: str) -> Response:
    """Return the protocol's refusal."""
    return plain("invalid", headers={"X-akismet-debug-help": debug_help})


def unavailable(cause: str) -> Response:
    """Return the answer to a request that could not be served: neither ``true`` nor ``false``."""
    return plain(
        "unavailable", status=503, headers={"X-akismet-error": cause, "Retry-After": str(RETRY_AFTER_S)}
    )


def verdict(outcome: CheckOutcome) -> Response:
    """Return the answer to a check."""
    body, headers = _WIRE[outcome.answer]
    response = plain(body, headers=headers)
    if outcome.discard:
        response.headers["X-akismet-pro-tip"] = "discard"
    response.headers["X-Replyguard-Score"] = f"{outcome.verdict.score:.6f}"
    response.headers["X-Replyguard-Verdict"] = outcome.decision.value
    if outcome.would_answer is not None:
        response.headers["X-Replyguard-Would-Answer"] = outcome.would_answer.value
    response.headers["X-Replyguard-Model"] = _ascii(outcome.verdict.version)
    response.headers["X-Replyguard-Reasons"] = reasons(outcome.clues)
    return response


def reasons(clues: Iterable[Clue]) -> str:
    r"""Return the strongest clues as ``text +2.1; text -0.8``, in at most 500 bytes of printable ASCII.

    What is not printable ASCII, and the semicolon, is written ``\uXXXX`` or ``\UXXXXXXXX``; a backslash
    is doubled. The list is cut between two clues; only a first clue that is too long alone is cut itself.
    """
    listed = ""
    for clue in clues:
        # The sum of what is too small to list is no reason.
        if clue.field == "rest" or 0 < abs(clue.weight) < _LEAST_WEIGHT:
            continue
        weight = f" {clue.weight:+.1f}" if clue.weight else ""
        room = MAX_REASONS_BYTES - len(weight) - (len(listed) + 2 if listed else 0)
        text = _ascii(clue.text)
        if len(text) > room:
            if listed:
                break
            text = _cut_escaped(clue.text, room - 3) + "..."
        listed += f"{'; ' if listed else ''}{text}{weight}"
    return listed


def _ascii(text: str) -> str:
    # Most clues are plain; looking at their letters one by one took as long as all the rest of an answer.
    if _PLAIN.fullmatch(text):
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character == "\\":
        return "\\\\"
    if " " <= character <= "~" and character != ";":
        return character
    number = ord(character)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def _cut_escaped(text: str, room: int) -> str:
    kept = ""
    for character in text:
        escaped = _escaped(character)
        if len(kept) + len(escaped) > room:
            break
        kept += escaped
    return kept
