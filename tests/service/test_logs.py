from __future__ import annotations

import json
import logging
import sqlite3

import pytest
import structlog

from model.errors import ModelUnavailable
from service.logs import configure_logging, describe


def test_a_description_names_places_and_kinds_but_quotes_nothing() -> None:
    try:
        try:
            raise ValueError("a private remark")
        except ValueError as error:
            raise RuntimeError("maud@mail.example.org") from error
    except RuntimeError as error:
        text = describe(error)
    assert "builtins.ValueError" in text
    assert "builtins.RuntimeError" in text
    assert "test_logs.py" in text
    assert "(message left out" in text


@pytest.mark.parametrize(
    "error", [ModelUnavailable("no champion"), OSError(28, "No space left"), sqlite3.Error("locked")]
)
def test_messages_that_cannot_quote_a_comment_are_told(error: Exception) -> None:
    assert str(error) in describe(error)


def test_json_lines_carry_our_values_and_other_libraries_tracebacks_without_messages(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        configure_logging(log_format="json", level="info")
        structlog.get_logger("ours").info("check", guid="g1", score=0.5)
        try:
            raise ValueError("a private remark")
        except ValueError:
            logging.getLogger("theirs").exception("something failed")
        first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())
        assert (first["event"], first["guid"], first["level"]) == ("check", "g1", "info")
        assert (second["event"], second["level"]) == ("something failed", "error")
        assert "ValueError" in second["traceback"]
        assert "private" not in second["traceback"].replace('raise ValueError("a private remark")', "")
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        structlog.reset_defaults()
