import math

import numpy as np
import pytest

from training.thresholds import Budgets, choose_policy


def test_ranges_that_cannot_be_proved_stay_closed():
    policy = choose_policy(np.linspace(0, 1, 300), Budgets())
    assert 0.9 < policy.unsure_from < policy.spam_from <= 1.01
    assert policy.discard_from == math.inf


def test_budgets_out_of_order_are_refused():
    with pytest.raises(ValueError, match="budgets"):
        Budgets(unsure=0.001, spam=0.01)
