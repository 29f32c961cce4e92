import numpy as np
import pytest

from training import metrics
from training.resampling import campaign_recall_interval, campaign_recall_rounds

LABELS = np.array([False] * 300 + [True] * 300)
SCORES = np.concatenate([np.linspace(0, 1, 300), np.linspace(0.5, 1.5, 300)])


def test_without_near_copies_it_is_the_bootstrap_of_rows():
    low, high = campaign_recall_interval(LABELS, SCORES, np.arange(600), max_fpr=0.01)
    plain = metrics.recall_interval(LABELS, SCORES, max_fpr=0.01)
    assert (low, high) == pytest.approx(plain, abs=0.04)
    assert low < metrics.recall_at_fpr(LABELS, SCORES, max_fpr=0.01)[0] < high


def test_near_copies_widen_the_interval():
    campaigns = np.concatenate([np.arange(300), 300 + np.arange(300) // 100])
    alone = campaign_recall_interval(LABELS, SCORES, np.arange(600), max_fpr=0.01)
    together = campaign_recall_interval(LABELS, SCORES, campaigns, max_fpr=0.01)
    assert together[1] - together[0] > 3 * (alone[1] - alone[0])


def test_one_draw_of_everything_is_the_plain_recall():
    # A campaign for each label: every draw is the sample itself.
    for budget in (0.0, 0.001, 0.01, 0.1):
        rounds = campaign_recall_rounds(LABELS, SCORES, LABELS.astype(np.int64), max_fpr=budget, n_rounds=3)
        assert set(rounds) == {metrics.recall_at_fpr(LABELS, SCORES, max_fpr=budget)[0]}


def test_ties_with_ham_count_against_the_filter():
    is_spam = np.array([False, False, True, True])
    rounds = campaign_recall_rounds(
        is_spam, np.array([0.5, 0.5, 0.5, 0.9]), is_spam.astype(np.int64), max_fpr=0.0
    )
    assert set(rounds) == {0.5}


def test_the_same_seed_draws_the_same():
    first, second = (
        campaign_recall_rounds(LABELS, SCORES, np.arange(600) // 7, max_fpr=0.01, seed=4) for _ in range(2)
    )
    assert np.array_equal(first, second)


def test_one_label_is_refused():
    with pytest.raises(ValueError, match="both ham and spam"):
        campaign_recall_rounds(np.array([True]), np.array([1.0]), np.array([0]), max_fpr=0.01)
