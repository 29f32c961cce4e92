import collections
import re

import pytest

from model.comment import Label
from training import datasets, written
from training.spintax import KIND

ENTRY = """
[lists]
word = ["{red|blue} kettle", "<colour> spoon"]
colour = ["green"]

[[comments]]
name = "kettles"
label = "spam"
lang = "en"
authors = ["<word>"]
urls = ["https://<slug>.example/<slugjoined>"]
bodies = ["I like my <word>, the <word>"]
"""


@pytest.fixture(scope="module")
def shipped():
    return written.read_written()


def read(folder, text):
    (folder / "some.toml").write_text(text, encoding="utf-8")
    return written.read_written(folder, per_body=20)


def test_a_list_gives_the_same_entry_throughout_a_comment(tmp_path):
    rows = read(tmp_path, ENTRY)
    names = {"red kettle", "blue kettle", "green spoon"}
    assert {row.comment.author for row in rows} == names
    for row in rows:
        name = row.comment.author
        assert row.comment.body == f"I like my {name}, the {name}"
        assert row.comment.url == f"https://{name.replace(' ', '-')}.example/{name.replace(' ', '')}"


def test_comments_of_one_body_are_one_group_and_never_judged(tmp_path):
    rows = read(tmp_path, ENTRY)
    assert {row.group for row in rows} == {"written/some/kettles/0"}
    assert {(row.source, row.kind, row.label, row.lang) for row in rows} == {
        (written.SOURCE, KIND, Label.SPAM, "en")
    }
    assert rows == written.read_written(tmp_path, per_body=20)


def test_an_entry_may_be_made_more_often(tmp_path):
    (tmp_path / "some.toml").write_text(ENTRY.replace('lang = "en"', 'lang = "en"\ntimes = 20'))
    assert len(written.read_written(tmp_path, per_body=1)) == 3


def test_a_name_in_other_letters_has_no_address_made_of_it(tmp_path):
    rows = read(tmp_path, ENTRY.replace('authors = ["<word>"]', 'authors = ["Алина", "Ana"]'))
    assert {(row.comment.author, row.comment.url) for row in rows} == {
        ("Алина", ""),
        ("Ana", "https://ana.example/ana"),
    }


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (('label = "spam"', 'label = "bad"'), "'label' is 'bad'"),
        (('lang = "en"', ""), "'lang' is missing"),
        (("<colour> spoon", "<color> spoon"), "no list is called color"),
        (("the <word>", "the <wrod>"), "no list is called wrod"),
        (('"green"]', '"green"'), "some.toml"),
    ],
)
def test_an_entry_that_cannot_be_used_is_named(tmp_path, change, problem):
    with pytest.raises(written.TemplateError, match=re.escape(problem)):
        read(tmp_path, ENTRY.replace(*change))


def test_what_ships_leaves_no_notation_behind(shipped):
    left = [row.id for row in shipped if re.search(r"[{}|]|<[a-z_]+>", row.comment.body + row.comment.author)]
    assert not left


def test_what_ships_lets_neither_length_nor_an_address_tell_the_label(shipped):
    """A fit must learn from what is said and who says it: see the heads of the two files."""
    by_label = collections.defaultdict(list)
    for row in shipped:
        by_label[row.is_spam].append(row.comment)
    shares = [sum(bool(one.url) for one in ones) / len(ones) for ones in by_label.values()]
    assert abs(shares[0] - shares[1]) < 0.1
    lengths = [sorted(len(one.body) for one in ones)[len(ones) // 2] for ones in by_label.values()]
    assert max(lengths) < 2 * min(lengths)


def test_every_language_of_the_spam_but_the_rare_ones_has_ham(shipped):
    n_spam, n_ham = (
        collections.Counter(row.lang for row in shipped if row.is_spam is is_spam)
        for is_spam in (True, False)
    )
    assert {lang for lang, n in n_spam.items() if lang and n > 12} <= set(n_ham)


def test_a_version_is_fitted_on_found_and_written_comments(tmp_path, shipped):
    (tmp_path / "a.jsonl").write_text('{"label": "ham", "content": "one"}\n')
    rows = datasets.read_corpora(tmp_path)
    assert rows[0].comment.body == "one"
    assert rows[1:] == shipped
    assert datasets.read_licences(tmp_path)[written.SOURCE].startswith("MIT")
