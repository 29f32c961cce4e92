import numpy as np
import pytest

from training import metrics

HAM_FIRST = np.array([False] * 100 + [True] * 100)


def test_recall_is_read_off_at_the_budget():
    scores = np.concatenate([np.linspace(0, 0.99, 100), np.linspace(0.5, 1.49, 100)])
    assert metrics.recall_at_fpr(HAM_FIRST, scores, max_fpr=0.0)[0] == pytest.approx(0.5)
    assert metrics.recall_at_fpr(HAM_FIRST, scores, max_fpr=0.5)[0] == pytest.approx(1.0)


def test_ties_with_ham_count_against_the_filter():
    is_spam = np.array([False, False, True, True])
    recall, threshold = metrics.recall_at_fpr(is_spam, np.array([0.5, 0.5, 0.5, 0.9]), max_fpr=0.0)
    assert recall == 0.5
    assert threshold > 0.5


def test_the_budget_is_never_overdrawn():
    chance = np.random.default_rng(1)
    for n_ham in (3, 99, 100, 101, 1000):
        ham = np.round(chance.random(n_ham), 2)
        for budget in (0.0, 0.001, 0.01, 0.03):
            assert np.mean(ham >= metrics.threshold_at(ham, max_fpr=budget)) <= budget + 1e-12


def test_the_interval_holds_the_estimate():
    chance = np.random.default_rng(2)
    scores = np.concatenate([chance.normal(0, 1, 100), chance.normal(3, 1, 100)])
    low, high = metrics.recall_interval(HAM_FIRST, scores, max_fpr=0.01)
    assert low < metrics.recall_at_fpr(HAM_FIRST, scores, max_fpr=0.01)[0] < high


def test_two_scorers_are_resampled_alike():
    scores = np.random.default_rng(4).normal(0, 1, 200) + ~HAM_FIRST
    rounds = [
        metrics.recall_rounds(HAM_FIRST, values, max_fpr=0.01, n_rounds=20)
        for values in (scores, np.exp(scores))
    ]
    assert rounds[0].shape == (20,)
    assert np.array_equal(*rounds)


def test_calibrated_scores_have_no_calibration_error():
    chance = np.random.default_rng(3)
    scores = chance.random(20_000)
    is_spam = chance.random(20_000) < scores
    assert metrics.expected_calibration_error(is_spam, scores) < 0.02
    assert metrics.expected_calibration_error(is_spam, np.full(20_000, 0.9)) == pytest.approx(0.4, abs=0.02)


@pytest.mark.parametrize("is_spam", [np.zeros(4, bool), np.ones(4, bool), np.array([True, False])])
def test_one_label_alone_is_refused(is_spam):
    with pytest.raises(ValueError, match=r"needed|labels"):
        metrics.auc(is_spam, np.arange(4.0))
