import dataclasses

import numpy as np
import pytest

from model.comment import Comment, Label, LabeledComment
from model.verdict import Policy
from training.gate import GateParams, flips, judge, paired_interval

PARAMS = GateParams(n_rounds=400)
WORDS = [
    "apple birch cedar delta ember fjord grove heath inlet jetty kiosk larch mango nylon olive pearl quartz",
    "raven sable tulip umber violet willow xenon yucca zebra amber basil coral dusk eagle fern ginger hazel",
]


class WordList:
    """A version that calls spam what has one of its words."""

    policy = Policy(0.5, 0.9)

    def __init__(self, version, *spam_words):
        self.version = version
        self.spam_words = spam_words

    def score(self, comments):
        return np.array([0.99 if any(word in c.body for word in self.spam_words) else 0.01 for c in comments])


def comments(n: int, label: Label, word: str) -> list[LabeledComment]:
    """Return so many comments that have nothing in common but one word."""
    words = " ".join(WORDS).split()
    chance = np.random.default_rng(n)
    return [
        LabeledComment(
            Comment(body=" ".join([*chance.permutation(words)[:6].tolist(), word, str(number)])),
            label,
            source=f"site-{number % 2}",
            lang="en",
            id=f"{word}{number}",
        )
        for number in range(n)
    ]


SPAM = [*comments(60, Label.SPAM, "qqcasinoqq"), *comments(40, Label.SPAM, "zzloanszz")]
HAM = comments(120, Label.HAM, "kkthankskk")


def test_a_challenger_that_catches_more_and_blocks_nothing_is_admitted():
    found = judge(
        WordList("a", "qqcasinoqq"), WordList("b", "qqcasinoqq", "zzloanszz"), [*SPAM, *HAM], [], PARAMS
    )
    assert found.admits, found.reason
    spam = found.sides[0]
    assert (spam.n, spam.champion, spam.challenger, spam.gained, spam.lost) == (100, 0.6, 1.0, 40, 0)
    assert spam.low > 0
    assert "100.0% of 100 spam caught, the champion 60.0%" in found.reason
    assert {row.name for row in found.sources} == {"spam site-0", "spam site-1", "ham site-0", "ham site-1"}
    assert {row.name for row in found.languages} == {"spam en", "ham en"}


def test_a_challenger_that_catches_less_is_refused():
    found = judge(
        WordList("a", "qqcasinoqq", "zzloanszz"), WordList("b", "qqcasinoqq"), [*SPAM, *HAM], [], PARAMS
    )
    assert not found.admits
    assert "may catch less" in found.reason


def test_a_challenger_that_blocks_real_comments_is_refused_however_much_it_catches():
    eager = WordList("b", "qqcasinoqq", "zzloanszz", "kkthankskk")
    found = judge(WordList("a"), eager, [*SPAM, *HAM], [], PARAMS)
    assert not found.admits
    assert "blocks too much" in found.reason


def test_comments_let_stand_speak_against_a_challenger_where_nobody_labelled_ham():
    standing = comments(80, Label.HAM, "hhhellohh")
    good, eager = WordList("b", "qqcasinoqq"), WordList("c", "qqcasinoqq", "hhhellohh")
    assert judge(WordList("a"), good, SPAM, standing, PARAMS).admits
    found = judge(WordList("a"), eager, SPAM, standing, PARAMS)
    assert not found.admits
    assert "of 80 standing comments it blocks 100.0%" in found.reason


def test_a_handful_of_comments_proves_nothing():
    found = judge(WordList("a"), WordList("b", "qqcasinoqq"), [*SPAM[:24], *HAM], [], PARAMS)
    assert (found.admits, found.reason.startswith("too little to judge on: 24 held-out spam")) == (
        False,
        True,
    )


def test_one_campaign_counts_as_one_draw():
    """A hundred copies of one spam prove no more than one."""
    copies = [
        dataclasses.replace(SPAM[0], comment=Comment(body=f"qqcasinoqq win the big prize here today {n}"))
        for n in range(100)
    ]
    found = judge(
        WordList("a", "zzloanszz"), WordList("b", "qqcasinoqq"), [*copies, *SPAM[60:], *HAM], [], PARAMS
    )
    assert found.sides[0].n_campaigns == 41
    assert found.sides[0].gained == 100
    assert not found.admits, "what it gains is one campaign, what it loses are forty"


def test_the_interval_is_the_textbook_one_where_every_comment_stands_alone():
    differences = np.repeat([1.0, 0.0], [30, 70])
    low, high = paired_interval(differences, np.arange(100), GateParams(n_rounds=4000))
    assert low == pytest.approx(0.3 - 1.96 * (0.3 * 0.7 / 100) ** 0.5, abs=0.015)
    assert high == pytest.approx(0.3 + 1.96 * (0.3 * 0.7 / 100) ** 0.5, abs=0.015)


def test_a_loud_site_does_not_outvote_a_quiet_one():
    """What it gains on one site is more than what it loses on the other, and it is refused all the same."""
    loud = [dataclasses.replace(row, source="loud") for row in comments(400, Label.SPAM, "qqcasinoqq")]
    quiet = [dataclasses.replace(row, source="quiet") for row in comments(30, Label.SPAM, "zzloanszz")]
    ham = [dataclasses.replace(row, source="loud") for row in HAM]
    before, after = WordList("a", "zzloanszz"), WordList("b", "qqcasinoqq")
    found = judge(before, after, [*loud, *quiet, *ham], [], PARAMS)
    assert found.sides[0].low > 0
    assert not found.admits
    assert found.reason.startswith("it catches less on quiet: of 30 spam 0.0%, the champion 100.0%")
    held = [dataclasses.replace(row, source="quiet") for row in comments(30, Label.HAM, "hhhellohh")]
    many = [dataclasses.replace(row, source="loud") for row in comments(5000, Label.HAM, "kkthankskk")]
    eager = WordList("b", "qqcasinoqq", "hhhellohh")
    found = judge(WordList("a"), eager, [*loud, *many, *held], [], GateParams(n_rounds=400))
    assert found.sides[1].challenger < 0.01
    assert found.reason.startswith("it blocks more on quiet: of 30 ham 100.0%")


def test_flips_name_comments_and_do_not_quote_them():
    stored = [(row.id, row.source, row.comment) for row in (*SPAM, *HAM)]
    found = flips(WordList("a", "qqcasinoqq"), WordList("b", "zzloanszz"), stored, batch=33)
    assert len(found) == 100
    assert {(flip.was, flip.becomes) for flip in found} == {("spam", "ham"), ("ham", "spam")}
    assert {flip.id for flip in found} == {row.id for row in SPAM}


def test_the_report_is_plain_data_without_nan():
    import json

    report = judge(WordList("a"), WordList("b"), [], [], PARAMS).as_dict()
    assert json.loads(json.dumps(report, allow_nan=False))["sides"][0]["champion"] is None
