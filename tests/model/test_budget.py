import math

import numpy as np
import pytest
from scipy.stats import binom

from model.budget import GRID, CutTable, ham_needed, tabulate, umbrella_threshold


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


@pytest.mark.parametrize(("n_ham", "max_fpr"), [(230, 0.01), (700, 0.01), (2_000, 0.003), (5_000, 0.0005)])
def test_the_rank_is_the_smallest_that_the_binomial_allows(n_ham, max_fpr):
    threshold = umbrella_threshold(np.arange(n_ham, dtype=float), max_fpr=max_fpr, confidence=0.9)
    rank = math.floor(threshold) + 1
    assert binom.sf(rank - 1, n_ham, 1 - max_fpr) <= 0.1
    assert binom.sf(rank - 2, n_ham, 1 - max_fpr) > 0.1


@pytest.mark.parametrize("max_fpr", GRID)
def test_the_ham_needed_is_the_least_that_proves_anything(max_fpr):
    n = ham_needed(max_fpr, 0.9)
    assert math.isfinite(umbrella_threshold(np.linspace(0, 1, n), max_fpr=max_fpr))
    assert math.isinf(umbrella_threshold(np.linspace(0, 1, n - 1), max_fpr=max_fpr))


def test_a_table_gives_the_cut_off_of_the_next_stricter_budget():
    table = tabulate(np.linspace(0, 1, 3_000), n_sources=4)
    assert table.cut(0.01) == umbrella_threshold(np.linspace(0, 1, 3_000), max_fpr=0.01)
    assert table.cut(0.0149) == table.cut(0.012)
    assert table.cut(0.5) == table.cut(0.1)
    assert table.cut(0.0004) == math.inf
    assert list(table.cuts) == sorted(table.cuts, reverse=True)


def test_a_table_is_the_same_after_it_was_written():
    table = tabulate(np.linspace(0, 1, 300), n_sources=2)
    assert math.isinf(table.cut(0.0005))
    assert CutTable.from_dict(table.as_dict()) == table
    carried = table.carried_on("0.1.0-abc", np.array([0.2]), np.array([0.99]))
    assert CutTable.from_dict(carried.as_dict()) == carried
    before_there_was_such_a_field = {
        key: value for key, value in table.as_dict().items() if key != "proved_on"
    }
    assert CutTable.from_dict(before_there_was_such_a_field) == table


TABLE = CutTable((0.001, 0.01, 0.1), (math.inf, 0.8, 0.4), 0.9, 3_000, 12)


@pytest.mark.parametrize(
    ("before", "after", "cuts"),
    [
        ([], [], (math.inf, 0.8, 0.4)),
        # lower scores prove nothing: the cut-offs stay
        ([0.9, 0.5, 0.1], [0.3, 0.2, 0.1], (math.inf, 0.8, 0.4)),
        # other comments lie beyond, but no more of them
        ([0.9, 0.5, 0.1], [0.1, 0.95, 0.7], (math.inf, 0.8, 0.4)),
        # one more lies beyond each: that one is let through again
        ([0.9, 0.5, 0.1], [0.95, 0.85, 0.6], (math.inf, np.nextafter(0.85, 1), np.nextafter(0.6, 1))),
        # a score on the cut-off lies beyond it
        ([0.3, 0.3], [0.4, 0.3], (math.inf, 0.8, np.nextafter(0.4, 1))),
        # of equal scores none is let through without the others
        ([0.9, 0.1, 0.1], [0.9, 0.9, 0.9], (math.inf, np.nextafter(0.9, 1), np.nextafter(0.9, 1))),
    ],
)
def test_a_version_fitted_further_holds_no_more_of_the_ham_at_hand(before, after, cuts):
    carried = TABLE.carried_on("0.1.0-abc", np.array(before), np.array(after))
    assert carried.cuts == cuts
    assert (carried.proved_on, carried.n_ham, carried.confidence) == ("0.1.0-abc", 3_000, 0.9)
    for old, new in zip(TABLE.cuts, carried.cuts, strict=True):
        assert (np.array(after) >= new).sum() <= (np.array(before) >= old).sum()


@pytest.mark.parametrize(
    ("budgets", "cuts"), [((0.1, 0.01), (0.5, 0.6)), ((0.01, 0.1), (0.5,)), ((0.01,), (math.nan,))]
)
def test_a_table_that_makes_no_sense_is_refused(budgets, cuts):
    with pytest.raises(ValueError, match=r"rising|numbers"):
        CutTable(budgets, cuts, 0.9, 10, 1)
