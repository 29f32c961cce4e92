"""Log lines on standard error, as text or JSON; never a comment's text, an e-mail or an IP address.

Every message of the program names its values one by one (``_log.info("check", guid=...)``). What cannot be
foreseen is the message of an exception, which may quote what it stumbled over; ``describe`` therefore keeps
the places and the kinds of a traceback and leaves such messages out.
"""

from __future__ import annotations

import logging
import sqlite3
import sys
import time
import traceback
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog

from model.errors import ModelError


def configure_logging(*, log_format: str, level: str) -> None:
    """Send the log lines of the program and of its parts to standard error.

    Parameters
    ----------
    log_format : {"text", "json"}
    level : {"debug", "info", "warning", "error"}
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, _describe_foreign],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Alembic tells of each step on "info"; which schema is there is said by whoever asked for it.
    logging.getLogger("alembic").setLevel(max(root.level, logging.WARNING))
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(root.level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


class Seldom:
    """Says when it is time for a message that could be written with every request.

    Parameters
    ----------
    every_s : float
        Seconds from one message to the next.
    monotonic : callable
        Seconds that only rise.
    """

    def __init__(self, every_s: float, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._every_s = every_s
        self._monotonic = monotonic
        self._next = float("-inf")

    def __call__(self) -> bool:
        """Tell whether it is time; if so, the next time is as many seconds away."""
        now = self._monotonic()
        if now < self._next:
            return False
        self._next = now + self._every_s
        return True


def describe(error: BaseException) -> str:
    """Return a traceback with its places and kinds, and only such messages as cannot quote a comment."""
    lines: list[str] = []
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    for link in reversed(chain):
        lines.extend(
            f"  {frame.filename}:{frame.lineno} in {frame.name}: {frame.line}"
            for frame in traceback.extract_tb(link.__traceback__)
        )
        kind = f"{type(link).__module__}.{type(link).__qualname__}"
        lines.append(f"{kind}: {_safe_message(link)}")
    return "\n".join(lines)


def _safe_message(error: BaseException) -> str:
    # What SQLite and the operating system say names no values; what SQLAlchemy adds is the statement, with
    # its parameters hidden. PostgreSQL quotes values in its details, so of it only the class is told.
    if isinstance(error, (ModelError, OSError, sqlite3.Error)):
        return str(error)
    return "(message left out: it may quote a comment)"


def _describe_foreign(_logger: Any, _name: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Render the exception of a log record that another library wrote, as ``describe`` does."""
    record: logging.LogRecord | None = event.get("_record")
    exc_info = event.pop("exc_info", None)
    if exc_info is None and record is not None:
        exc_info = record.exc_info
    if isinstance(exc_info, tuple) and exc_info[1] is not None:
        event["traceback"] = describe(exc_info[1])
    if record is not None:
        record.exc_info = None
        record.exc_text = None
    return event
