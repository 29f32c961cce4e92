import math

import numpy as np
import pytest

from training.thresholds import Budgets, choose_policy, umbrella_threshold


def test_the_budget_is_kept_with_the_promised_chance():
    chance = np.random.default_rng(0)
    kept = 0
    for _ in range(400):
        threshold = umbrella_threshold(chance.random(500), max_fpr=0.05, confidence=0.9)
        kept += 1.0 - threshold <= 0.05
    assert 0.88 <= kept / 400 <= 0.97


@pytest.mark.parametrize(("n_ham", "provable"), [(229, False), (230, True)])
def test_too_little_ham_proves_nothing(n_ham, provable):
    threshold = umbrella_threshold(np.linspace(0, 1, n_ham), max_fpr=0.01, confidence=0.9)
    assert math.isfinite(threshold) is provable


def test_ranges_that_cannot_be_proved_stay_closed():
    policy = choose_policy(np.linspace(0, 1, 300), Budgets())
    assert 0.9 < policy.unsure_from < policy.spam_from <= 1.01
    assert policy.discard_from == math.inf


def test_budgets_out_of_order_are_refused():
    with pytest.raises(ValueError, match="budgets"):
        Budgets(unsure=0.001, spam=0.01)


def test_weights_count_for_what_they_are_worth():
    scores = np.linspace(0, 1, 1000)
    alike = umbrella_threshold(scores, max_fpr=0.05)
    assert umbrella_threshold(scores, max_fpr=0.05, weights=np.full(1000, 7.0)) == alike
    # The upper half stands for a tenth of the ham to come: its scores may be exceeded five times as often.
    lower = umbrella_threshold(scores, max_fpr=0.05, weights=np.where(scores > 0.5, 0.1, 0.9))
    assert 0.6 < lower < alike
    # All weight on few comments proves nothing.
    few = np.full(1000, 1e-9)
    few[:20] = 1.0
    assert umbrella_threshold(scores, max_fpr=0.05, weights=few) == math.inf
