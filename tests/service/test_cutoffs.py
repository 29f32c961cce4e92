"""What a budget means, and what is said of it."""

from __future__ import annotations

import math

import numpy as np
import pytest

from model.budget import CutTable, tabulate, umbrella_threshold
from model.verdict import Policy
from service.cutoffs import Basis, HamSeen, SiteHam, cut_offs, weigh
from service.settings import UnsureAnswer

OWN = Policy(0.5, 0.9, 0.99)
POOLED = tabulate(np.linspace(0, 1, 6_000), n_sources=25)


def passed(n: int, *, labelled: bool = True, settled: bool = True) -> list[HamSeen]:
    return [HamSeen(score, False, labelled, settled) for score in np.linspace(0, 0.6, n)]


def test_the_sites_own_ham_decides_once_it_proves_the_budget() -> None:
    site = weigh(passed(640), counts_silence=False)
    found = cut_offs(10, UnsureAnswer.PUBLISH, own=OWN, pooled=POOLED, site=site)
    assert found.basis is Basis.SITE
    assert found.policy.spam_from == umbrella_threshold(np.linspace(0, 0.6, 640), max_fpr=0.01)
    assert found.statement == "held at most 10 in 1,000 with 90% confidence, from 640 comments of this site"


@pytest.mark.parametrize(("n", "basis"), [(229, Basis.POOLED), (230, Basis.SITE)])
def test_before_that_other_sites_decide(n: int, basis: Basis) -> None:
    found = cut_offs(
        10, UnsureAnswer.PUBLISH, own=OWN, pooled=POOLED, site=weigh(passed(n), counts_silence=False)
    )
    assert found.basis is basis
    if basis is Basis.POOLED:
        assert found.policy.spam_from == POOLED.cut(0.01)
        assert "from 6,000 comments of 25 other sites; on this site not yet proved" in found.statement
        assert "worth 229 of 230" in found.statement


def test_what_is_not_published_is_held() -> None:
    published = cut_offs(12, UnsureAnswer.PUBLISH, own=OWN, pooled=POOLED, site=None).policy
    held = cut_offs(12, UnsureAnswer.HOLD, own=OWN, pooled=POOLED, site=None).policy
    assert published.spam_from == held.unsure_from == POOLED.cut(0.012)
    assert held.spam_from == POOLED.cut(0.004)
    assert published.unsure_from < published.spam_from < published.discard_from


def test_a_version_without_a_table_keeps_its_own_cut_offs() -> None:
    found = cut_offs(10, UnsureAnswer.PUBLISH, own=OWN, pooled=None, site=None)
    assert (found.policy, found.basis) == (OWN, Basis.MODEL)
    assert "worth 0 of 230" in found.statement
    site = weigh(passed(640), counts_silence=False)
    own = cut_offs(10, UnsureAnswer.PUBLISH, own=OWN, pooled=None, site=site)
    # Of blatant spam 640 comments prove nothing: nobody is told to throw anything away.
    assert (own.basis, own.policy.discard_from) == (Basis.SITE, math.inf)


def test_a_budget_that_nothing_proves_calls_nothing_spam() -> None:
    few = CutTable((0.01,), (0.7,), 0.9, 300, 2)
    found = cut_offs(0.5, UnsureAnswer.PUBLISH, own=OWN, pooled=few, site=None)
    assert found.policy.spam_from == math.inf
    assert "nothing is called spam" in found.statement


def test_a_retrained_version_says_whose_scores_the_promise_rests_on() -> None:
    carried = POOLED.carried_on("0.1.0-abc", np.empty(0), np.empty(0))
    found = cut_offs(10, UnsureAnswer.PUBLISH, own=OWN, pooled=carried, site=None)
    assert (found.basis, found.policy.spam_from) == (Basis.POOLED, POOLED.cut(0.01))
    assert (
        "of 25 other sites, as version 0.1.0-abc scored them, from which this one was retrained;"
        in found.statement
    )


def test_corrections_alone_are_no_sample() -> None:
    corrections = [HamSeen(0.97, True, True, True)] * 300
    site = weigh(corrections, counts_silence=False)
    assert (site.n_labelled, site.n_worth, site.table) == (300, 0, None)
    found = cut_offs(10, UnsureAnswer.PUBLISH, own=OWN, pooled=POOLED, site=site)
    assert "none that was let through" in found.statement
    with_others = weigh(corrections[:3] + passed(3_000, labelled=False), counts_silence=True)
    assert with_others.table is not None
    assert with_others.table.cut(0.01) < 0.7


def test_labelled_ham_stands_for_all_that_was_let_through() -> None:
    seen = passed(400) + passed(3_600, labelled=False) + [HamSeen(0.99, True, True, True)] * 8
    site = weigh(seen, counts_silence=False)
    assert 390 <= site.n_worth <= 408
    assert site.table is not None
    # Eight of 4,008 were blocked: unweighted they would be 2 % of the sample.
    assert site.table.cut(0.01) < 0.7


def test_silence_counts_only_where_wanted_and_after_a_while() -> None:
    seen = passed(300, labelled=False) + passed(300, labelled=False, settled=False)
    assert weigh(seen, counts_silence=False).table is None
    site = weigh(seen, counts_silence=True)
    assert (site.n_labelled, site.n_silent, site.n_worth) == (0, 300, 300)
    found = cut_offs(10, UnsureAnswer.PUBLISH, own=OWN, pooled=POOLED, site=site)
    assert found.statement.endswith("300 of them let through and not corrected for 14 days")


def test_what_was_found_is_the_same_after_it_was_kept() -> None:
    for site in (weigh([], counts_silence=False), weigh(passed(500), counts_silence=False)):
        assert SiteHam.from_dict(site.as_dict()) == site


def test_the_promise_is_kept_as_often_as_it_says() -> None:
    chance = np.random.default_rng(0)
    kept = 0
    for _ in range(300):
        site = weigh(
            [HamSeen(score, False, True, True) for score in chance.random(400)], counts_silence=False
        )
        found = cut_offs(20, UnsureAnswer.PUBLISH, own=OWN, pooled=None, site=site)
        kept += 1.0 - found.policy.spam_from <= 0.02
    assert kept / 300 >= 0.87
