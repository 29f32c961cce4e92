"""Champion against challenger on the same held-out comments: may the challenger answer, and why or why not."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from model.comment import Comment, LabeledComment
from model.verdict import Policy
from training.clusters import clusters


class Version(Protocol):
    """A version as the gate needs it; ``SpamClassifier`` is one."""

    @property
    def version(self) -> str: ...

    @property
    def policy(self) -> Policy: ...

    def score(self, comments: Sequence[Comment]) -> NDArray[np.float64]: ...


@dataclass(frozen=True, slots=True)
class GateParams:
    """What a challenger has to show.

    Attributes
    ----------
    ham_budget : float
        Share of real comments that may be called spam.
    spam_margin : float
        Share of spam by which the challenger might be worse, for all that the interval says.
    min_ham, min_spam : int
        Fewer held-out comments prove nothing.
    n_rounds : int
        Bootstrap samples.
    seed : int
    """

    ham_budget: float = 0.01
    spam_margin: float = 0.01
    min_ham: int = 25
    min_spam: int = 25
    n_rounds: int = 2000
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Paired:
    """Both versions on the same comments of one label.

    Attributes
    ----------
    name : str
        What these comments are.
    n, n_campaigns : int
    champion, challenger : float
        Shares called spam, each by its version's own cut-off; NaN if there are none.
    gained, lost : int
        Comments that only the challenger, and only the champion, calls spam.
    low, high : float
        95 % bootstrap interval of challenger minus champion, campaigns drawn whole.
    """

    name: str
    n: int
    n_campaigns: int
    champion: float
    challenger: float
    gained: int
    lost: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the gate found.

    Attributes
    ----------
    admits : bool
    reason : str
        One sentence, fit to be shown to the operator.
    champion, challenger : str
        Versions.
    sides : list of Paired
        ``spam``, ``ham`` and ``standing`` (published, and left standing by the moderators).
    sources, languages : list of Paired
        The same by site and by language, named ``spam site`` and so on.
    """

    admits: bool
    reason: str
    champion: str
    challenger: str
    sides: list[Paired]
    sources: list[Paired] = field(default_factory=list)
    languages: list[Paired] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return JSON-ready data; what could not be measured is None."""
        data: dict[str, Any] = asdict(self)
        for rows in (data["sides"], data["sources"], data["languages"]):
            for row in rows:
                row.update({key: None for key, value in row.items() if value != value})
        return data


@dataclass(frozen=True, slots=True)
class Flip:
    """A stored comment that the two versions would treat differently; named, not quoted.

    Attributes
    ----------
    id : str
    source : str
    was, becomes : str
        The champion's and the challenger's decision: ham, unsure or spam.
    score_was, score_becomes : float
    """

    id: str
    source: str
    was: str
    becomes: str
    score_was: float
    score_becomes: float


def judge(
    champion: Version,
    challenger: Version,
    holdout: Sequence[LabeledComment],
    standing: Sequence[LabeledComment],
    params: GateParams,
) -> Judgement:
    """Compare two versions and decide whether the challenger may answer.

    It may if all of this holds, each version judged by its own cut-off for spam:

    1. There are at least ``min_spam`` held-out spam, and ``min_ham`` ham or standing comments.
    2. On the ham, and on the standing comments, where there are ``min_ham`` of them: the challenger blocks no
       larger a share than the budget or than the champion does, and the 95 % interval of the difference ends at
       or below the budget.
    3. On the spam: the 95 % interval of the difference begins above ``-spam_margin``.
    4. On no site with that many of them is it certainly worse: the interval of its spam does not end at or below
       ``-spam_margin``, that of its ham does not begin above the budget. What the sites have in common hides
       what a loud one does to a quiet one.

    Parameters
    ----------
    champion, challenger : Version
    holdout : sequence of LabeledComment
        Labelled by people; neither version was fitted on them.
    standing : sequence of LabeledComment
        Published and not corrected since; their label (ham) is assumed, so they can only speak against.
    params : GateParams

    References
    ----------
    B. Efron and R. Tibshirani, "An Introduction to the Bootstrap" (1993), percentile method on paired
    differences, with clusters; G. Piaggio et al., "Reporting of noninferiority and equivalence randomized
    trials", JAMA 308 (2012), for a margin against an interval.
    """
    spam = [row for row in holdout if row.is_spam]
    ham = [row for row in holdout if not row.is_spam]
    pair = _Pair(champion, challenger, params)
    sides = [
        pair.compare(name, rows)
        for name, rows in (("spam", spam), ("ham", ham), ("standing", list(standing)))
    ]
    sources = list(pair.by(lambda row: row.source, holdout))
    admits, reason = _decide(sides, params)
    if admits and (worse := _worse_on_a_site(sources, params)):
        admits, reason = False, worse
    return Judgement(
        admits,
        reason,
        champion.version,
        challenger.version,
        sides,
        sources,
        list(pair.by(lambda row: row.lang or "?", holdout)),
    )


def flips(
    champion: Version,
    challenger: Version,
    stored: Sequence[tuple[str, str, Comment]],
    *,
    each_batch: Callable[[float], None] = lambda _: None,
    batch: int = 500,
) -> list[Flip]:
    """Return the stored comments whose decision would change, strongest change first.

    Parameters
    ----------
    champion, challenger : Version
    stored : sequence of (id, source, Comment)
    each_batch : callable
        Told the share that is done; may raise to give up.
    """
    found = []
    for first in range(0, len(stored), batch):
        part = stored[first : first + batch]
        comments = [comment for _, _, comment in part]
        before, after = champion.score(comments), challenger.score(comments)
        for (name, source, _), old, new in zip(part, before.tolist(), after.tolist(), strict=True):
            was, becomes = champion.policy.decide(old), challenger.policy.decide(new)
            if was is not becomes:
                found.append(Flip(name, source, was.value, becomes.value, old, new))
        each_batch(min(1.0, (first + batch) / len(stored)))
    return sorted(found, key=lambda flip: -abs(flip.score_becomes - flip.score_was))


def _decide(sides: Sequence[Paired], params: GateParams) -> tuple[bool, str]:
    spam, *harmless = sides
    proved = [side for side in harmless if side.n >= params.min_ham]
    if spam.n < params.min_spam or not proved:
        return False, (
            f"too little to judge on: {spam.n} held-out spam (of {params.min_spam} needed), "
            f"{' and '.join(f'{side.n} {side.name}' for side in harmless)} (of {params.min_ham})"
        )
    for side in proved:
        figures = f"of {side.n} {side.name} comments it blocks {_percent(side.challenger)}"
        against = f"(the champion {_percent(side.champion)}, the budget is {_percent(params.ham_budget)})"
        if side.challenger > max(params.ham_budget, side.champion):
            return False, f"it blocks too much: {figures} {against}"
        if side.high > params.ham_budget:
            return False, (
                f"it may block too much: {figures} {against}, and up to {_percent(side.high)} more than the "
                "champion cannot be ruled out"
            )
    caught = (
        f"{_percent(spam.challenger)} of {spam.n} spam caught, the champion {_percent(spam.champion)} "
        f"(difference {_points(spam.low)} to {_points(spam.high)})"
    )
    if spam.low <= -params.spam_margin:
        return False, f"it may catch less: {caught}"
    blocked = "; ".join(
        f"of {side.n} {side.name} comments {_percent(side.challenger)} blocked, the champion "
        f"{_percent(side.champion)}"
        for side in proved
    )
    return True, f"{caught}; {blocked}, the budget is {_percent(params.ham_budget)}"


def _worse_on_a_site(sources: Sequence[Paired], params: GateParams) -> str:
    """Return on which site the challenger is certainly worse, and how; "" if on none."""
    for side in sources:
        label, _, site = side.name.partition(" ")
        figures = f"{_percent(side.challenger)}, the champion {_percent(side.champion)}"
        interval = f"(difference {_points(side.low)} to {_points(side.high)})"
        if label == "spam" and side.n >= params.min_spam and side.high <= -params.spam_margin:
            return f"it catches less on {site}: of {side.n} spam {figures} {interval}"
        if label == "ham" and side.n >= params.min_ham and side.low > params.ham_budget:
            return f"it blocks more on {site}: of {side.n} ham {figures} {interval}"
    return ""


class _Pair:
    """Two versions side by side."""

    def __init__(self, champion: Version, challenger: Version, params: GateParams) -> None:
        self._versions = (champion, challenger)
        self._params = params

    def compare(self, name: str, rows: Sequence[LabeledComment]) -> Paired:
        """Compare on comments of one label."""
        if not rows:
            nan = float("nan")
            return Paired(name, 0, 0, nan, nan, 0, 0, nan, nan)
        comments = [row.comment for row in rows]
        old, new = (version.score(comments) >= version.policy.spam_from for version in self._versions)
        groups = clusters(rows)
        low, high = paired_interval(new.astype(float) - old.astype(float), groups, self._params)
        return Paired(
            name,
            len(rows),
            int(groups.max()) + 1,
            float(old.mean()),
            float(new.mean()),
            int((new & ~old).sum()),
            int((old & ~new).sum()),
            low,
            high,
        )

    def by(self, name: Callable[[LabeledComment], str], rows: Sequence[LabeledComment]) -> Iterator[Paired]:
        """Compare on each slice, both labels apart."""
        for value in sorted({name(row) for row in rows}):
            for label, is_spam in (("spam", True), ("ham", False)):
                part = [row for row in rows if name(row) == value and row.is_spam is is_spam]
                if part:
                    yield self.compare(f"{label} {value}", part)


def paired_interval(
    differences: NDArray[np.float64], groups: NDArray[np.int64], params: GateParams
) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of a mean difference, groups drawn whole.

    Parameters
    ----------
    differences : ndarray of float64, shape (n,)
        Per comment, challenger minus champion.
    groups : ndarray of int64, shape (n,)
        From 0 on.
    params : GateParams
    """
    sums = np.bincount(groups, weights=differences)
    sizes = np.bincount(groups).astype(np.float64)
    chance = np.random.default_rng(params.seed)
    means = np.empty(params.n_rounds)
    for number in range(params.n_rounds):
        drawn = chance.integers(0, sums.size, sums.size)
        means[number] = sums[drawn].sum() / sizes[drawn].sum()
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _points(share: float) -> str:
    return f"{100 * share:+.1f} points"
