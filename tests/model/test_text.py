import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from model import text

any_text = st.text(st.characters(codec=None), max_size=300)


def folded(source: str) -> str:
    return text.to_text(text.fold(source).codes)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("Hello WORLD", "hello world"),
        ("tabs\tand\nlines", "tabs and lines"),
        ("Café Ångström", "cafe angstrom"),
        ("𝓒𝓪𝓼𝓲𝓷𝓸 ｂｅｔ 🅱🅾🅽🆄🆂 ᴄᴀꜱɪɴᴏ", "casino bet bonus casino"),
        ("v\u200bi\u2060a\u00adgra", "viagra"),
        ("h\u0336e\u0336l\u0336p", "help"),
        ("ﬁne straße", "fine strasse"),
        ("日本語が 한국어 नमस्ते", "日本語が 한국어 नमस्ते"),
        ("", ""),
    ],
)
def test_folding_shows_what_a_reader_sees(source, expected):
    assert folded(source) == expected


def test_look_alikes_are_undone_only_beside_latin_letters():
    assert folded("vіаgrа") == "viagra"
    assert folded("сор при") == "сор при"


def test_what_was_undone_is_counted():
    result = text.fold("𝓪𝓫 c\u200bd e\u0336 vіа")
    assert (result.n_styled, result.n_invisible, result.n_marks, result.n_lookalikes) == (2, 1, 1, 2)


def test_accents_of_plain_words_are_no_disguise():
    result = text.fold("déjà vu, über Ångström")
    assert (result.n_styled, result.n_invisible, result.n_marks, result.n_lookalikes) == (0, 0, 0, 0)


@given(any_text)
@settings(max_examples=300, deadline=None)
def test_folding_takes_anything_and_keeps_positions(source):
    result = text.fold(source)
    if result.origin is None:
        assert result.codes.size == len(source)
    else:
        assert result.origin.size == result.codes.size
        assert np.all(np.diff(result.origin) >= 0)
        assert result.origin.size == 0 or (result.origin[0] >= 0 and result.origin[-1] < len(source))


@given(any_text)
@example("\u33c0")  # kilo-ohm in one character
@example("x\ufb13")  # an Armenian ligature beside a Latin letter
@example("\u01fe")  # a stroke under an accent
@example("\u1da6")  # a small capital, raised
@settings(max_examples=300, deadline=None)
def test_folding_twice_changes_nothing_more(source):
    once = folded(source)
    assert folded(once) == once
