import math

import pytest

from model.verdict import Decision, Policy

POLICY = Policy(unsure_from=0.30, spam_from=0.90, discard_from=0.99)


@pytest.mark.parametrize(
    ("score", "decision"),
    [
        (0.0, Decision.HAM),
        (0.2999, Decision.HAM),
        (0.30, Decision.UNSURE),
        (0.8999, Decision.UNSURE),
        (0.90, Decision.SPAM),
        (1.0, Decision.SPAM),
    ],
)
def test_cut_offs_are_half_open(score, decision):
    assert POLICY.decide(score) is decision


def test_only_the_blatant_is_discarded():
    assert not POLICY.discards(0.98)
    assert POLICY.discards(0.99)
    assert not Policy(0.3, 0.9).discards(1.0)


def test_what_is_no_number_never_passes_for_ham():
    with pytest.raises(ValueError, match="not a number"):
        POLICY.decide(math.nan)


@pytest.mark.parametrize("cuts", [(0.9, 0.3, 1.0), (0.3, 0.9, 0.5), (-0.1, 0.9, 1.0), (math.nan, 0.9, 1.0)])
def test_cut_offs_out_of_order_are_refused(cuts):
    with pytest.raises(ValueError, match="cut-offs"):
        Policy(*cuts)
