from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.verdict import Clue
from service.akismet.answers import MAX_REASONS_BYTES, reasons


def clue(text: str, weight: float = 1.0, field: str = "body") -> Clue:
    return Clue(text, weight, field)


@pytest.mark.parametrize(
    ("clues", "listed"),
    [
        ([], ""),
        ([clue("links to a.example", 2.14), clue("thanks", -0.8)], "links to a.example +2.1; thanks -0.8"),
        ([clue("word \"grüße\"")], 'word "gr\\u00fc\\u00dfe" +1.0'),
        ([clue("emoji 🙂")], "emoji \\U0001f642 +1.0"),
        ([clue("a; b\\c\r\nX-Evil: 1")], "a\\u003b b\\\\c\\u000d\\u000aX-Evil: 1 +1.0"),
        ([clue("many small", 3.0, "rest"), clue("one", 0.04), clue("two", 0.06)], "two +0.1"),
        ([clue("a rule", 0.0, "rule")], "a rule"),
    ],
)  # fmt: skip
def test_reasons_are_ascii_and_told_apart(clues: list[Clue], listed: str) -> None:
    assert reasons(clues) == listed


def test_reasons_are_cut_between_two_clues() -> None:
    listed = reasons([clue("x" * 90) for _ in range(20)])
    assert len(listed) <= MAX_REASONS_BYTES
    assert listed.split("; ") == ["x" * 90 + " +1.0"] * 5


def test_a_first_clue_that_is_too_long_is_cut_itself() -> None:
    listed = reasons([clue("ü" * 600), clue("b")])
    assert len(listed) <= MAX_REASONS_BYTES
    assert listed.endswith("\\u00fc... +1.0")


@given(st.lists(st.tuples(st.text(), st.floats(-30, 30))))
def test_any_clues_fit_a_header(pairs: list[tuple[str, float]]) -> None:
    listed = reasons(clue(text, weight) for text, weight in pairs)
    assert len(listed.encode("ascii")) <= MAX_REASONS_BYTES
    assert all(" " <= character <= "~" for character in listed)
