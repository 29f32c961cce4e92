import pytest

from model.comment import Comment, Label, LabeledComment
from training.brands import brands_of, fold


def rows(spam, ham=()):
    return [
        *(LabeledComment(Comment(body=body), Label.SPAM) for body in spam),
        *(LabeledComment(Comment(body=body), Label.HAM) for body in ham),
    ]


@pytest.mark.parametrize(
    ("styled", "plain"),
    [
        ("𝐍𝐨𝐯𝐚𝟖𝟖", "nova88"),
        ("Ｎｏｖａ８８", "nova88"),
        ("n̲o̲v̲a̲8̲8̲", "nova88"),
        ("NOVA❽❽", "nova88"),
        ("🄽🄾🅅🄰88", "nova88"),
        ("🅝🅞🅥🅐88", "nova88"),
        ("nоvа88", "nova88"),
        ("été", "ete"),
        ("日本", "日本"),
    ],
)
def test_disguised_letters_are_read(styled, plain):
    assert fold(styled) == plain


def test_a_name_that_only_spam_says_is_a_brand():
    found = brands_of(rows(["play at Nova88 today"] * 5 + ["hello there"], ["I like novels"]))
    assert found == ["nova88"] * 5 + ["", ""]


def test_a_name_needs_five_comments():
    assert set(brands_of(rows(["play at nova88"] * 4, ["no"]))) == {""}


def test_a_name_that_people_say_is_no_brand():
    assert set(brands_of(rows(["play at nova88"] * 6, ["my old amiga500 and nova88"] * 2))) == {""}


def test_spaced_and_spelled_names_are_found():
    found = brands_of(rows([*["play at mandaslot"] * 5, "try m a n d a s l o t now", "try m4nd4sl0t now"]))
    assert set(found) == {"mandaslot"}


def test_a_name_within_a_name_is_the_same_brand():
    found = brands_of(rows(["at nova88"] * 5 + ["at supernova88"] * 5))
    assert set(found) == {"nova88"}


def test_what_every_site_promises_is_nobodys_name():
    assert set(brands_of(rows(["get maxwin"] * 9 + ["mekswin here"] * 9))) == {""}


def test_a_name_that_reads_as_a_word_is_dropped():
    # Read as letters, "g0ld3n" is a word that real comments have too.
    found = brands_of(rows(["at gold3n now"] * 6, ["a golden evening"] * 3))
    assert set(found) == {""}
