"""What one site's labels make of the general model."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from numpy.typing import NDArray

from model.comment import Comment, Label
from model.features import Extractor, FeatureParams, Rows
from model.site_weights import (
    MARGIN,
    MAX_PART,
    MAX_TOKEN,
    MAX_TOKENS,
    Examples,
    SiteWeights,
    learn,
    site_params,
)
from tests.toy import toy_corpus, undecided_classifier

CLASSIFIER = undecided_classifier
TEXTS = [f"Lot {number} of zimbrolax, ask for it at {number * 7}" for number in range(12)]


def comments(texts: list[str]) -> list[Comment]:
    return [Comment(body=text, author="reader compost") for text in texts]


def taught(texts: list[str], labels: list[bool]) -> SiteWeights:
    weights = learn(CLASSIFIER().examples(comments(texts)), np.array(labels))
    assert weights is not None
    return weights


def of_tokens(places: list[int], log_odds: list[float]) -> Examples:
    """Return comments of one token each."""
    n = len(places)
    rows = Rows(
        np.arange(n + 1, dtype=np.int64), np.array(places, dtype=np.int32), np.ones(n, dtype=np.float32)
    )
    return Examples(rows, np.array(log_odds))


def test_nothing_is_learnt_from_nothing() -> None:
    assert learn(CLASSIFIER().examples([]), np.zeros(0, dtype=np.bool_)) is None


@pytest.mark.parametrize("is_spam", [True, False])
def test_a_label_carries_its_comment_most_of_the_way_to_its_margin(is_spam: bool) -> None:
    # The general model says the opposite, mildly.
    text = "Buy cheap loans" if not is_spam else TEXTS[0]
    weights = taught([text], [is_spam])
    example = CLASSIFIER().examples(comments([text]))
    sign = 1 if is_spam else -1
    before, after = sign * example.log_odds[0], sign * (example.log_odds + weights.parts(example))[0]
    assert before < after <= MARGIN + 1e-6
    assert MARGIN - after < 0.2 * (MARGIN - before)


def test_what_is_beyond_its_margin_moves_nothing() -> None:
    known = [row.comment for row in toy_corpus() if row.label is Label.SPAM][:5]
    sure = dataclasses.replace(CLASSIFIER().examples(known), log_odds=np.full(5, MARGIN + 0.1))
    weights = learn(sure, np.ones(5, dtype=np.bool_))
    assert weights is not None
    assert (weights.indices.size, weights.trust, weights.bias) == (0, 0.0, 0.0)


def test_labels_in_another_order_teach_the_same() -> None:
    labels = [number % 3 == 0 for number in range(12)]
    forwards, backwards = taught(TEXTS, labels), taught(TEXTS[::-1], labels[::-1])
    examples = CLASSIFIER().examples(comments(TEXTS))
    np.testing.assert_allclose(forwards.parts(examples), backwards.parts(examples), atol=1e-4)


def test_the_same_labels_teach_the_same_to_the_last_bit() -> None:
    labels = [number % 3 == 0 for number in range(12)]
    assert taught(TEXTS, labels).to_bytes() == taught(TEXTS, labels).to_bytes()


def test_the_general_model_is_mistrusted_only_when_both_labels_say_so() -> None:
    one_sided = taught(TEXTS, [True] * 12)
    assert one_sided.trust == 0.0
    assert taught(TEXTS, [number % 2 == 0 for number in range(12)]).trust != 0.0


def test_anchors_hold_back_what_other_comments_labels_carry_along() -> None:
    labels = CLASSIFIER().examples(comments(TEXTS))
    bystanders = CLASSIFIER().examples(comments([f"Ask for the parser, number {n} of it" for n in range(8)]))
    is_spam = np.ones(len(TEXTS), dtype=np.bool_)
    alone, anchored = learn(labels, is_spam), learn(labels, is_spam, anchors=bystanders)
    assert alone is not None
    assert anchored is not None
    assert anchored.parts(bystanders).mean() < alone.parts(bystanders).mean()
    assert (labels.log_odds + anchored.parts(labels)).min() > 0


def test_what_a_site_adds_is_bounded_in_all_and_by_token() -> None:
    texts = ["nice"] * 200
    weights = taught(texts, [True] * 200)
    assert np.abs(weights.values).max() <= MAX_TOKEN
    heavy = SiteWeights(weights.indices, np.full(weights.indices.size, 50.0, dtype=np.float32))
    verdict = CLASSIFIER().judge(comments(["nice"])[0], site=heavy)
    general = CLASSIFIER().judge(comments(["nice"])[0])
    assert verdict.log_odds == pytest.approx(general.log_odds + MAX_PART, abs=1e-9)
    assert sum(clue.weight for clue in verdict.clues) + verdict.bias == pytest.approx(
        verdict.log_odds, abs=1e-6
    )


def test_only_the_heaviest_tokens_are_kept() -> None:
    chance = np.random.default_rng(0)
    texts = [" ".join(map(str, chance.integers(10**9, size=2500).tolist())) for _ in range(16)]
    classifier = CLASSIFIER()
    params = FeatureParams(bits=20)
    rows = Extractor(site_params(params)).rows(comments(texts))
    weights = learn(Examples(rows, classifier.log_odds(comments(texts))), np.ones(16, dtype=np.bool_))
    assert weights is not None
    assert weights.indices.size == MAX_TOKENS
    assert np.all(np.diff(weights.indices) > 0)


def test_clues_with_a_site_still_add_up_and_name_its_moderators() -> None:
    weights = taught(TEXTS, [number % 2 == 0 for number in range(12)])
    classifier = CLASSIFIER()
    examples = classifier.examples(comments(TEXTS))
    parts = weights.parts(examples)
    for comment, general, part in zip(comments(TEXTS), examples.log_odds, parts, strict=True):
        verdict = classifier.judge(comment, site=weights)
        assert verdict.log_odds == pytest.approx(general + part, abs=1e-6)
        assert sum(clue.weight for clue in verdict.clues) + verdict.bias == pytest.approx(
            verdict.log_odds, abs=1e-6
        )
        assert any(clue.text.startswith("this site's moderators") for clue in verdict.clues)


def test_a_model_deaf_to_a_block_has_sites_deaf_to_it() -> None:
    assert site_params(FeatureParams(scales={"body:gram": 0.0})).scales["body:gram"] == 0.0


WORDS = (
    "river lamp orchard violin copper meadow saddle thimble garnet bishop walnut kettle pigeon anchor".split()
)


def chatter(n: int, seed: int) -> list[str]:
    """Return texts of a few common words, which tell nothing."""
    chance = np.random.default_rng(seed)
    return [" ".join(chance.choice(WORDS, size=6, replace=False).tolist()) for _ in range(n)]


def examples(texts: list[str], log_odds: NDArray[np.float64]) -> Examples:
    return dataclasses.replace(CLASSIFIER().examples(comments(texts)), log_odds=log_odds)


def told(texts: list[str], log_odds: NDArray[np.float64], labels: NDArray[np.bool_]) -> SiteWeights:
    weights = learn(examples(texts, log_odds), labels)
    assert weights is not None
    return weights


def test_a_general_model_that_tells_nothing_here_is_left_behind() -> None:
    is_spam = np.arange(60) % 2 == 0
    texts = [
        f"{text} {'zimbrolax' if spam else 'parser'}"
        for text, spam in zip(chatter(60, 0), is_spam, strict=True)
    ]
    noise = np.random.default_rng(1).normal(0.0, 4.0, size=60)
    weights = told(texts, noise, is_spam)
    assert weights.trust < -0.4
    # What it says of others of the kind, though it says it loudly, no longer decides.
    wrong = np.where(is_spam, -3.0, 3.0)
    others = examples([f"{text} unseen" for text in texts], wrong)
    sums = wrong + weights.parts(others)
    assert sums[is_spam].min() > sums[~is_spam].max()


def test_a_general_model_that_is_right_here_keeps_its_say() -> None:
    is_spam = np.arange(60) % 2 == 0
    assert told(chatter(60, 0), np.where(is_spam, 5.0, -5.0), is_spam).trust > -0.2


@pytest.mark.parametrize("seed", range(3))
def test_a_fifth_of_the_labels_wrong_does_not_unlearn_the_general_model(seed: int) -> None:
    is_spam = np.arange(100) % 2 == 0
    log_odds = np.where(is_spam, 5.0, -5.0)
    wrong = np.isin(np.arange(100), np.random.default_rng(seed).permutation(100)[:20])
    weights = told(chatter(100, seed), log_odds, is_spam ^ wrong)
    assert weights.trust > -0.05
    others = examples(chatter(100, seed + 10), log_odds)
    np.testing.assert_array_equal(log_odds + weights.parts(others) > 0.0, is_spam)


@pytest.mark.parametrize("seed", range(3))
def test_a_flood_of_spam_carries_ham_along_only_a_little(seed: int) -> None:
    is_spam = np.arange(100) >= 12
    log_odds = np.where(is_spam, 4.0, -1.0) + np.random.default_rng(seed).normal(0.0, 3.0, size=100)
    weights = told(chatter(100, seed), log_odds, is_spam)
    # New ham, all of words that the spam has too; without a look at the site's own ham it is 1.5 to 2.
    ham = examples(chatter(50, seed + 50), np.zeros(50))
    assert weights.parts(ham).mean() < 1.2


@pytest.mark.parametrize("damage", [lambda data: data[:-1], lambda data: b"", lambda data: b"x" * len(data)])
def test_weights_survive_storage_and_damage_is_noticed(damage: object) -> None:
    data = taught(TEXTS, [True] * 12).to_bytes()
    assert SiteWeights.from_bytes(data).to_bytes() == data
    assert callable(damage)
    with pytest.raises(ValueError, match="no site weights"):
        SiteWeights.from_bytes(damage(data))


def test_one_wrong_label_does_not_turn_a_site_against_the_general_model() -> None:
    """An advertisement that somebody approved, among right labels: other spam stays where the model has it."""
    spam, ham = [12.0, 6.0, 7.0, 8.0, 5.0, 9.0], [-3.0, -2.0, -4.0, -2.5, -3.5, -1.5]
    right = of_tokens(list(range(12)), spam + ham)
    is_spam = np.array([True] * 6 + [False] * 6)
    wrong = of_tokens(list(range(13)), [*spam, *ham, 15.0])
    moderate = of_tokens([40], [4.5])
    for labelled, labels in ((right, is_spam), (wrong, np.append(is_spam, False))):
        weights = learn(labelled, labels)
        assert weights is not None
        assert weights.parts(moderate)[0] > -1.5


def test_right_labels_take_no_spam_from_over_the_cut_off() -> None:
    """A bias is for what the labels would do to ham; that spam is nearer to the middle than ham is no reason."""
    labelled = of_tokens(list(range(20)), [4.0] * 10 + [-1.0] * 10)
    weights = learn(labelled, np.array([True] * 10 + [False] * 10))
    assert weights is not None
    assert weights.parts(of_tokens([40], [4.0]))[0] > -0.5
