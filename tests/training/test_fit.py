import dataclasses

import numpy as np

from model.comment import Comment
from tests.toy import TOY_PARAMS, toy_corpus
from training import corpus
from training.fit import evidence, fit_calibrated, fit_linear, make_matrix

MATRIX = make_matrix(toy_corpus(), TOY_PARAMS.features)
WEIGHTS = corpus.balanced_weights(MATRIX.comments, TOY_PARAMS.balance)


def test_a_token_that_tells_is_louder_than_one_that_does_not():
    scales = evidence(MATRIX, WEIGHTS, dataclasses.replace(TOY_PARAMS, evidence_power=0.5))
    words = make_matrix(
        [dataclasses.replace(MATRIX.comments[0], comment=Comment(body=word)) for word in ("casino", "and")],
        TOY_PARAMS.features,
    )
    telling, common = (scales[words.rows[[place]].indices].max() for place in (0, 1))
    assert telling > common
    assert scales.min() >= 0.0


def test_without_evidence_every_token_is_as_loud():
    off = dataclasses.replace(TOY_PARAMS, evidence_power=0.0)
    assert set(evidence(MATRIX, WEIGHTS, off)) == {1.0}


def test_a_fit_scores_what_it_was_fitted_on():
    log_odds = fit_linear(MATRIX, TOY_PARAMS).log_odds(MATRIX.rows)
    assert log_odds[MATRIX.is_spam].min() > log_odds[~MATRIX.is_spam].max()


def test_calibration_comes_from_sources_left_out():
    linear, policy, unseen = fit_calibrated(MATRIX, TOY_PARAMS)
    assert unseen.shape == MATRIX.is_spam.shape
    assert not np.allclose(unseen, linear.log_odds(MATRIX.rows))
    assert policy.unsure_from <= policy.spam_from <= policy.discard_from
