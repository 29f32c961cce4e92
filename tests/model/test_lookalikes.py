import pytest

from model import text
from model.lookalikes import TWIN_OF, i_or_l


def folded(source: str) -> str:
    return text.to_text(text.fold(source).codes)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("vіаgrа", "viagra"),
        ("ВUΥ СНЕАΡ ΝІΚЕ ЅΗОЕЅ ΤΟDАΥ", "buy cheap nike shoes today"),
        ("тhіѕ іѕ а ѕіtе fоr сhеар ѕhоеѕ, аnd һеrе", "this is a site for cheap shoes, and here"),
        ("the ѕосоа and рохуѕ of асе here today", "the socoa and poxys of ace here today"),
        ("wе ѕhір ӏоw-рrісеd nіkе оnӏіnе", "we ship low-priced nike online"),
        ("հօtеӏ υѕеԁ νаӏuеѕ", "hotel used values"),
    ],
)
def test_words_in_look_alikes_come_back(source, expected):
    assert folded(source) == expected
    assert text.fold(source).n_lookalikes > 0


@pytest.mark.parametrize(
    "source",
    [
        "сор",
        "метро москва",
        "we took the метро москва home",
        "это сор, а кот не мокр, и вот он тут",
        "η αθηνα ειναι η πρωτευουσα τησ ελλαδασ και τα νεα νησια ειναι ωραια",
        "ωραια νεα απο τα νησια",
        "այս գիրքը շատ լավն է",
        "我们喜欢这个博客 ありがとう 한국어 שלום مرحبا",
    ],
)
def test_other_languages_stay(source):
    assert folded(source) == source
    assert text.fold(source).n_lookalikes == 0


def test_letters_of_latin_alphabets_are_no_disguise():
    for source, expected in (
        ("kadın ığdır İstanbul", "kadin igdir istanbul"),
        ("Łódź zażółć gęślą jaźń", "lodz zazolc gesla jazn"),
        ("smørrebrød Đặng", "smorrebrod dang"),
    ):
        assert folded(source) == expected
        assert text.fold(source).n_lookalikes == 0


def test_every_twin_is_no_latin_letter_itself():
    assert all(
        not chr(code).isascii() and twin.isascii() and twin.islower() for code, twin in TWIN_OF.items()
    )


@pytest.mark.parametrize(
    "word", ["site", "like", "in", "is", "online", "sale", "click", "viagra", "main", "quality", "world"]
)
def test_a_stroke_is_read_as_english_spells(word):
    # "world" and its like are misread: two neighbours do not tell.
    read = "".join(
        i_or_l(word[place - 1] if place else "", word[place + 1 : place + 2]) if letter in "il" else letter
        for place, letter in enumerate(word)
    )
    assert (read == word) is (word != "world")
