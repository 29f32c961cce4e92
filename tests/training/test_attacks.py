import html
import random
import re
import unicodedata

import pytest

from model.comment import Comment
from tests.builders import a_comment
from training.attacks import ATTACKS

BY_NAME = {attack.name: attack for attack in ATTACKS}
HAM = ["we moved the compost heap behind the shed", "the second gear slips when it rains"]
SPAM = a_comment(
    body="Great post! Cheap watches at http://shop.example.top/order?a=1 for you & me",
    author="cheap watches",
    url="http://other.example.top/",
)
LETTER_TRICKS = [attack for attack in ATTACKS if attack.kind == "characters"]
ODD_BODIES = [
    "",
    " ",
    "x",
    "\0\ud800 ́ \u202e",
    "腕時計 格安 通販",
    "< <a <a href=>[url=][/url] &; &#x; [b",
    "<" * 3000,
    "[url=" * 3000,
    "a" * 100_000,
]


def attacked(name: str, comment: Comment, *, seed: int = 0) -> Comment:
    return BY_NAME[name].change(comment, random.Random(seed), HAM)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_every_attack_changes_spam_and_does_so_alike_by_the_same_seed(attack):
    first, second = (attack.change(SPAM, random.Random(3), HAM) for _ in range(2))
    assert first == second != SPAM


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
@pytest.mark.parametrize("body", ODD_BODIES, ids=range(len(ODD_BODIES)))
def test_every_attack_takes_any_body(attack, body):
    attack.change(Comment(body=body, author=body[:50]), random.Random(0), HAM)


@pytest.mark.parametrize("attack", LETTER_TRICKS, ids=lambda attack: attack.name)
def test_a_disguised_comment_still_leads_where_it_did(attack):
    body = (
        f"{SPAM.body} <a href='http://a.example/'>cheap</a> [url=http://b.example/]watches[/url] caf&eacute;"
    )
    changed = attack.change(a_comment(body=body, url=SPAM.url), random.Random(1), HAM)
    for kept in (
        "http://shop.example.top/order?a=1",
        "<a href='http://a.example/'>",
        "[url=http://b.example/]",
        "&eacute;",
    ):
        assert kept in changed.body
    assert (changed.url, changed.email) == (SPAM.url, a_comment().email)


def test_look_alikes_replace_letters_one_for_one():
    changed = attacked("look-alikes, all", a_comment(body="Cheap pills"))
    assert len(changed.body) == len("Cheap pills")
    assert not re.search("[a-z]", changed.body, re.IGNORECASE)


def test_half_of_an_attack_leaves_letters_alone():
    body = "cheap watches " * 50
    for name in ("look-alikes", "leetspeak"):
        changed = attacked(f"{name}, half", a_comment(body=body)).body
        kept = sum(new == old for new, old in zip(changed, body, strict=True)) / len(body)
        everything = attacked(f"{name}, all", a_comment(body=body)).body
        assert kept > sum(new == old for new, old in zip(everything, body, strict=True)) / len(body) + 0.2


def test_zero_width_characters_are_not_seen():
    changed = attacked("zero-width, all", SPAM)
    seen = "".join(char for char in changed.body if unicodedata.category(char) != "Cf")
    assert seen == SPAM.body
    assert changed.author != SPAM.author


def test_leetspeak_keeps_the_length():
    assert re.fullmatch("[3][a-z]", attacked("leetspeak, all", a_comment(body="ex")).body)


@pytest.mark.parametrize("seed", range(20))
def test_spaced_words_close_up_again(seed):
    changed = attacked("spacing, all", a_comment(body="buy pills at once"), seed=seed).body
    assert re.sub(r"[ .\-_*]", "", changed) == "buypillsatonce"
    assert " at " in changed


def test_doubled_letters_are_twice_as_many():
    assert attacked("doubling, all", a_comment(body="buy it")).body == "bbuuyy iitt"


def test_entities_read_the_same():
    changed = attacked("entities, all", a_comment(body="Buy pills, café"))
    assert not re.search("[^&#x0-9a-f; ,]", changed.body)
    assert html.unescape(changed.body) == "Buy pills, café"


def test_emoji_stand_between_the_letters():
    changed = attacked("emoji between letters, all", a_comment(body="pills")).body
    assert "".join(filter(str.isascii, changed)) == "pills"
    assert len(changed) == 9


@pytest.mark.parametrize("seed", range(20))
def test_tags_split_words_and_nothing_else(seed):
    changed = attacked("words split by tags, all", a_comment(body="cheap pills"), seed=seed).body
    assert re.sub("<[^>]*>", "", changed) == "cheap pills"
    assert len(re.findall("<", changed)) >= 2


def test_synonyms_replace_known_words_and_keep_the_capital():
    changed = attacked("synonyms", a_comment(body="Great post, cheap. http://great.example/post")).body
    assert changed[0].isupper()
    assert "http://great.example/post" in changed
    words = changed.split("http")[0].lower()
    assert not any(word in words for word in ("great", "post", "cheap"))
    assert attacked("synonyms", a_comment(body="Ubiquitous zebras")).body == "Ubiquitous zebras"


@pytest.mark.parametrize("n_words", [50, 200])
def test_so_many_real_words_are_appended(n_words):
    changed = attacked(f"{n_words} ham words appended", SPAM).body
    assert changed.startswith(f"{SPAM.body}\n\n")
    added = changed.removeprefix(SPAM.body).split()
    assert len(added) == n_words
    assert set(added) <= set(" ".join(HAM).split())


@pytest.mark.parametrize("ham", [[], ["", "  "]])
def test_words_cannot_be_appended_without_real_comments(ham):
    with pytest.raises(ValueError, match="ham texts"):
        BY_NAME["50 ham words appended"].change(SPAM, random.Random(0), ham)


@pytest.mark.parametrize(
    ("body", "left", "moved_to"),
    [
        ("see http://a.example/x now", "see  now", "http://a.example/x"),
        ("see shop.example.top", "see ", "shop.example.top"),
        ('<b>see</b> <a rel="x" href="http://a.example/">here</a>', "<b>see</b> here", "http://a.example/"),
        ("[url=http://a.example]here[/url] http://b.example", "here ", "http://a.example"),
        ("[url]http://a.example[/url]", "", "http://a.example"),
        ("no link at all", "no link at all", "https://maud.example.org/"),
    ],
)
def test_a_moved_link_becomes_the_authors_address(body, left, moved_to):
    changed = attacked("link moved to the author", a_comment(body=body))
    assert (changed.body, changed.url) == (left, moved_to)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("see http://www.shop.example.com/x?y now", "see shop dot example dot com now"),
        ("<a href=http://a.example/>here</a>", "a dot example here"),
        ("[url=http://a.example]here[/url]", "a dot example here"),
        ("no link", "no link"),
    ],
)
def test_a_link_is_said_in_words(body, expected):
    changed = attacked("link as bare words", a_comment(body=body))
    assert (changed.body, changed.url) == (expected, a_comment().url)
