import pytest
from hypothesis import given
from hypothesis import strategies as st

from model import leet


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("v1agra and c4sin0 b0nus", "viagra and casino bonus"),
        ("replica j3r53y, ca$ino, cla$$es", "replica jersey, casino, classes"),
        (
            "fr33 m0n3y 0n 9r347 5173! c11ck h3r3 70 b3 r1ch",
            "free money on great site! cilck here to be rich",
        ),
        ("wow 7hi$ i$ 4we$ome, b3st pr!ce 0n m3d5 $500", "wow this is awesome, best price on meds $500"),
    ],
)
def test_letters_written_as_digits_and_signs_come_back(source, expected):
    undone, n_words = leet.undo(source)
    assert undone.lower() == expected
    assert n_words > 0


@pytest.mark.parametrize(
    "source",
    [
        "B2B, 3D, MP3, R2D2, covid19, I18n and log4j",
        "gr8 post, win10 x86 $100 5gb 1st i5-7600k sha256 l10n k8s web2py d3js",
        "born in 1984, paid 1,500 for it on 2019-10-05 at 10:30",
        "commit 3f4a5b9c and deadbeef, UTF8 and base64, H264",
        "C++ and g++, a|b, wow!!!great, @alice and me@example.com",
        "bookkeeping in Moscow",
        "3 2 1 go!",
        "",
    ],
)
def test_names_numbers_and_code_stay(source):
    assert leet.undo(source) == (source, 0)


@given(st.text(alphabet="ab13457890@$!|+ .éБ😀", max_size=80))
def test_every_character_keeps_its_place(source):
    undone, n_words = leet.undo(source)
    assert len(undone) == len(source)
    assert (undone == source) or n_words
    assert all(a == b for a, b in zip(source, undone, strict=True) if a in " .éБ😀")
