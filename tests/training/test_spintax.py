import random

import pytest

from training import spintax


@pytest.mark.parametrize(
    ("template", "possible"),
    [
        ("plain", {"plain"}),
        ("{a|b} c", {"a c", "b c"}),
        ("{a|{b|c}}{|!}", {"a", "b", "c", "a!", "b!", "c!"}),
        ("{} x", {"x"}),
        ("open {a|b", {"open a", "open b"}),
        ("close a} b", {"close a b"}),
    ],
)
def test_every_alternative_comes_up(template, possible):
    chance = random.Random(0)
    assert {spintax.expand(template, chance) for _ in range(200)} == possible


def test_expansions_are_spam_of_one_group_and_the_same_each_time(tmp_path):
    path = tmp_path / "pieces.txt"
    path.write_text("{Great|Nice} {post|blog}\n\n{I|We} agree\n")
    rows = list(spintax.read_spintax(path, per_piece=20))
    assert rows == list(spintax.read_spintax(path, per_piece=20))
    assert {row.group for row in rows} == {"spintax/0", "spintax/2"}
    assert {row.comment.body for row in rows if row.group == "spintax/2"} == {"I agree", "We agree"}
    assert all(row.is_spam and row.kind == spintax.KIND for row in rows)


def test_deep_nesting_is_bounded():
    assert spintax.expand("{" * 10_000 + "x" + "}" * 10_000, random.Random(0)).strip("{}") == "x"
