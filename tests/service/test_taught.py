from __future__ import annotations

import numpy as np
import pytest

from model.comment import Comment, Label
from model.site_weights import DOUBT_FROM
from service.taught import SiteLearner
from tests.toy import toy_classifier, toy_corpus

SPAM = [Comment(body=f"we paint houses in every town, offer {n}", author="Painter") for n in range(6)]
HAM = [Comment(body=f"my notes on parsing say otherwise, see chapter {n}", author="Ann") for n in range(6)]


def taught():
    labels = [Label.SPAM] * len(SPAM) + [Label.HAM] * len(HAM)
    return SiteLearner(toy_classifier()).learn([*SPAM, *HAM], labels)


def test_what_a_site_said_moves_its_scores():
    plain, model = toy_classifier(), taught()
    new = [
        Comment(body="we paint houses in every town, offer 77"),
        Comment(body="notes on parsing, chapter 99"),
    ]
    # The toy model takes the second for more of a spam than the first.
    assert np.diff(plain.score(new)) > 0 > np.diff(model.score(new))
    assert model.version == plain.version


def test_one_comment_is_judged_as_in_a_batch():
    model = taught()
    scores = model.score([*SPAM[:2], *HAM[:2]])
    singly = [model.judge(comment).score for comment in (*SPAM[:2], *HAM[:2])]
    np.testing.assert_allclose(scores, singly, rtol=0, atol=1e-9)
    verdict = model.judge(SPAM[0])
    assert verdict.bias + sum(clue.weight for clue in verdict.clues) == pytest.approx(
        verdict.log_odds, abs=1e-6
    )


def test_without_labels_the_model_answers_as_it_is():
    classifier = toy_classifier()
    assert SiteLearner(classifier).learn([], []) is classifier


def test_a_label_that_contradicts_overwhelming_evidence_teaches_nothing():
    classifier = toy_classifier()
    rows = [row.comment for row in toy_corpus()]
    odds = classifier.examples(rows).log_odds
    surest, doubted = rows[int(odds.argmax())], rows[int(np.abs(odds).argmin())]
    assert odds.max() > DOUBT_FROM
    assert SiteLearner(classifier).learn([surest], [Label.HAM]) is classifier
    assert SiteLearner(classifier).learn([surest, doubted], [Label.HAM, Label.HAM]) is not classifier
