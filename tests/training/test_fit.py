import dataclasses

import numpy as np
import pytest

from model.comment import Comment
from tests.toy import TOY_PARAMS, toy_corpus
from training import corpus
from training.fit import evidence, fit_calibrated, fit_linear
from training.matrix import make_matrix
from training.split import source_folds

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


def test_two_processes_make_the_rows_that_one_makes():
    rows = toy_corpus() * 12
    one, two = (make_matrix(rows, TOY_PARAMS.features, n_processes=n).rows for n in (1, 2))
    assert np.array_equal(one.indptr, two.indptr)
    assert np.array_equal(one.indices, two.indices)
    assert np.array_equal(one.data, two.data)


def test_no_comments_make_an_empty_matrix():
    assert make_matrix([], TOY_PARAMS.features).rows.shape == (0, 1 << TOY_PARAMS.features.bits)


@pytest.mark.parametrize("power", [0.0, 0.5])
def test_calibration_is_that_of_fits_without_the_rows_left_out(power):
    params = dataclasses.replace(TOY_PARAMS, evidence_power=power)
    linear, _, unseen = fit_calibrated(MATRIX, params)
    whole = fit_linear(MATRIX, params)
    slope = np.linalg.norm(linear.weights) / np.linalg.norm(whole.weights)
    np.testing.assert_allclose(linear.weights, whole.weights * slope, rtol=1e-9, atol=1e-12)
    shift = linear.bias - whole.bias * slope
    folds = source_folds(MATRIX.comments, params.n_calibration_folds)
    for fold in range(params.n_calibration_folds):
        without = fit_linear(MATRIX[folds != fold], params).stretched(slope, shift)
        np.testing.assert_array_almost_equal(
            unseen[folds == fold], without.log_odds(MATRIX[folds == fold].rows), decimal=9
        )


@pytest.mark.parametrize("power", [0.0, 0.5])
def test_rows_of_one_label_alone_are_refused(power):
    params = dataclasses.replace(TOY_PARAMS, evidence_power=power)
    with pytest.raises(ValueError, match=r"one of them only|class"):
        fit_linear(MATRIX, params, MATRIX.is_spam)


@pytest.mark.parametrize("n_sources", [1, 2, 3])
def test_few_sources_without_pages_can_be_fitted_on(n_sources):
    rows = [
        dataclasses.replace(row, source=f"video-{number % n_sources}", kind="video")
        for number, row in enumerate(toy_corpus())
    ]
    matrix = make_matrix(rows, TOY_PARAMS.features)
    _, policy, unseen = fit_calibrated(matrix, dataclasses.replace(TOY_PARAMS, n_calibration_folds=4))
    assert unseen[matrix.is_spam].min() > unseen[~matrix.is_spam].max()
    assert policy.unsure_from < 1.0
