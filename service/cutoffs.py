"""What a site's budget means as cut-offs, on what that rests, and how sure it is; pure."""

from __future__ import annotations

import enum
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from model.budget import CutTable, effective_size, ham_needed, tabulate
from model.verdict import Policy
from service.settings import UnsureAnswer

CONFIDENCE = 0.9
MIN_BUDGET, MAX_BUDGET = 0.5, 100.0
#: Days after which a comment that was let through and not corrected is taken for real, where the policy says so.
SILENCE_DAYS = 14
# As the shipped cut-offs have it: a third of the real comments beyond `unsure` may be beyond `spam`, and one in
# twenty of those in the range where nobody sees them.
_SPAM_PER_UNSURE = 3.0
_DISCARD_PER_SPAM = 1 / 20


class Basis(enum.Enum):
    """Where a cut-off comes from."""

    SITE = "site"
    POOLED = "pooled"
    MODEL = "model"


@dataclass(frozen=True, slots=True)
class HamSeen:
    """A check of a comment that stands for the site's ham.

    Attributes
    ----------
    score : float
        What it got when it came, before anybody had labelled it.
    blocked : bool
        Whether it was held or called spam.
    labelled : bool
        Whether a person called it ham; else nobody has said anything.
    settled : bool
        Whether that was long enough ago to take silence for consent.
    """

    score: float
    blocked: bool
    labelled: bool
    settled: bool


@dataclass(frozen=True, slots=True)
class SiteHam:
    """What a site's own comments say about cut-offs under one version.

    Attributes
    ----------
    n_labelled, n_silent : int
        Comments that people called ham; let through, not corrected, and counted as ham.
    n_worth : int
        How many comments drawn alike they are worth as a proof.
    table : CutTable or None
        None if they prove nothing at all.
    """

    n_labelled: int
    n_silent: int
    n_worth: int
    table: CutTable | None

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data."""
        return asdict(self) | {"table": None if self.table is None else self.table.as_dict()}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> SiteHam:
        """Return what ``as_dict`` gave."""
        table = data["table"]
        return cls(**(data | {"table": None if table is None else CutTable.from_dict(table)}))


def weigh(seen: Iterable[HamSeen], *, counts_silence: bool) -> SiteHam:
    """Find a site's cut-offs on its own ham.

    Corrections alone are no sample of a site's ham: over the Akismet wire people label ham only when it was
    blocked. So ham that was blocked counts once, and labelled ham that was let through stands for all that was
    let through. Where nobody labels any of that, the site's comments prove nothing unless silence counts.

    Parameters
    ----------
    seen : iterable of HamSeen
        One per comment; none that a person called spam.
    counts_silence : bool
        Whether what was let through and not corrected for long counts as ham.
    """
    rows = list(seen)
    blocked = [row for row in rows if row.blocked and row.labelled]
    passed = [row for row in rows if not row.blocked]
    kept = [row for row in passed if row.labelled or (counts_silence and row.settled)]
    n_labelled = len(blocked) + sum(row.labelled for row in kept)
    n_silent = sum(not row.labelled for row in kept)
    if not kept:
        return SiteHam(n_labelled, n_silent, 0, None)
    scores = np.array([row.score for row in (*kept, *blocked)])
    weights = np.ones(scores.size)
    weights[: len(kept)] = len(passed) / len(kept)
    n_worth = effective_size(weights)
    table = tabulate(scores, n_sources=1, confidence=CONFIDENCE, weights=weights)
    provable = any(math.isfinite(cut) for cut in table.cuts)
    return SiteHam(n_labelled, n_silent, n_worth, table if provable else None)


@dataclass(frozen=True, slots=True)
class CutOffs:
    """The cut-offs of one site under one version.

    Attributes
    ----------
    policy : Policy
    budget_per_thousand : float or None
        What was promised; None if the site asks for no promise.
    basis : Basis
        On what the promise rests.
    statement : str
        How sure it is, in a sentence.
    """

    policy: Policy
    budget_per_thousand: float | None
    basis: Basis
    statement: str


def without_budget(policy: Policy) -> CutOffs:
    """Return the cut-offs of a site that sets no budget."""
    return CutOffs(policy, None, Basis.MODEL, "no budget is set: the service's own cut-offs")


def cut_offs(
    budget_per_thousand: float,
    unsure: UnsureAnswer,
    *,
    own: Policy,
    pooled: CutTable | None,
    site: SiteHam | None,
) -> CutOffs:
    """Find the cut-offs that keep a budget.

    Held is what is not published: from the cut-off of spam on, or from that of unsure on where unsure comments
    are not published either.

    Parameters
    ----------
    budget_per_thousand : float
        Real comments of 1,000 that may be held.
    unsure : UnsureAnswer
    own : Policy
        Of the version, if nothing better is there.
    pooled : CutTable or None
        Of the version, from other sites.
    site : SiteHam or None
        Of this site under this version.
    """
    held = budget_per_thousand / 1000
    spam = held if unsure is UnsureAnswer.PUBLISH else held / _SPAM_PER_UNSURE
    budgets = (spam * _SPAM_PER_UNSURE, spam, spam * _DISCARD_PER_SPAM)
    table = None if site is None else site.table
    proved = table is not None and math.isfinite(table.cut(held))
    if pooled is None and not proved:
        return CutOffs(own, budget_per_thousand, Basis.MODEL, _own_statement(held, site))
    cuts = []
    for budget in budgets:
        cut = math.inf if table is None else table.cut(budget)
        cuts.append(cut if math.isfinite(cut) or pooled is None else pooled.cut(budget))
    policy = Policy(*np.maximum.accumulate(cuts).tolist())
    if proved and site is not None:
        return CutOffs(policy, budget_per_thousand, Basis.SITE, _site_statement(budget_per_thousand, site))
    assert pooled is not None
    return CutOffs(policy, budget_per_thousand, Basis.POOLED, _pooled_statement(held, pooled, site))


def _site_statement(budget: float, site: SiteHam) -> str:
    n = site.n_labelled + site.n_silent
    told = (
        f"held at most {budget:g} in 1,000 with {CONFIDENCE:.0%} confidence, from {n:,} comments of this site"
    )
    if site.n_silent:
        told += f", {site.n_silent:,} of them let through and not corrected for {SILENCE_DAYS} days"
    return told


def _pooled_statement(held: float, pooled: CutTable, site: SiteHam | None) -> str:
    if math.isinf(pooled.cut(held)):
        return f"nothing is called spam: no ham known here proves so small a budget; {_not_yet(held, site)}"
    told = f"held at most {held * 1000:g} in 1,000 with {pooled.confidence:.0%} confidence"
    told += f", from {pooled.n_ham:,} comments of {pooled.n_sources} other sites"
    if pooled.proved_on is not None:
        told += f", as version {pooled.proved_on} scored them, from which this one was retrained"
    return f"{told}; {_not_yet(held, site)}"


def _own_statement(held: float, site: SiteHam | None) -> str:
    return f"the model's own cut-offs: this version does not tell what other budgets mean; {_not_yet(held, site)}"


def _not_yet(held: float, site: SiteHam | None) -> str:
    needed = ham_needed(held, CONFIDENCE)
    if site is not None and site.n_labelled and not site.n_worth:
        return "on this site not yet proved: only blocked comments were labelled, none that was let through"
    n_worth = 0 if site is None else site.n_worth
    return f"on this site not yet proved: its comments under this version are worth {n_worth:,} of {needed:,} needed"
