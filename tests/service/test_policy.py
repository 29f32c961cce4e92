from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.verdict import Policy
from service.policy import PolicyOverrides

MODEL = Policy(unsure_from=0.4, spam_from=0.8, discard_from=0.98)
cuts = st.one_of(st.none(), st.floats(0, 1), st.just(math.inf))


@pytest.mark.parametrize(
    ("overrides", "policy"),
    [
        (PolicyOverrides(), MODEL),
        (PolicyOverrides(spam_from=0.9), Policy(0.4, 0.9, 0.98)),
        (PolicyOverrides(spam_from=0.2), Policy(0.2, 0.2, 0.98)),
        (PolicyOverrides(spam_from=0.99), Policy(0.4, 0.99, 0.99)),
        (PolicyOverrides(unsure_from=0.9), Policy(0.9, 0.9, 0.98)),
        (PolicyOverrides(discard_from=0.5), Policy(0.4, 0.5, 0.5)),
        (PolicyOverrides(discard_from=math.inf), Policy(0.4, 0.8, math.inf)),
    ],
)
def test_a_given_cut_off_counts_and_moves_its_neighbours_along(
    overrides: PolicyOverrides, policy: Policy
) -> None:
    assert overrides.over(MODEL) == policy


@given(st.lists(cuts, min_size=3, max_size=3), st.lists(st.floats(0, 1), min_size=3, max_size=3))
def test_whatever_is_given_in_order_makes_a_policy_that_keeps_it(
    given_cuts: list[float | None], own: list[float]
) -> None:
    ordered = iter(sorted(cut for cut in given_cuts if cut is not None))
    overrides = PolicyOverrides(*(None if cut is None else next(ordered) for cut in given_cuts))
    policy = overrides.over(Policy(*sorted(own)))
    for name in ("unsure_from", "spam_from", "discard_from"):
        wanted = getattr(overrides, name)
        assert wanted is None or getattr(policy, name) == wanted
