"""Use case: show on a site's own history what Replyguard would have done, before anything is kept.

The history is cut by time: whoever learns may see the past only, and the rest is judged. Nothing is written.
"""

from __future__ import annotations

import datetime as dt
import heapq
import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.comment import Comment, Company, Label
from model.verdict import Clue, Decision, Policy, Verdict
from service.history import Survey, labelled
from service.history_company import Arrival, companies
from service.importing.exported import Exported, Row
from service.policy import PolicyOverrides

#: Share of the labelled comments, the newest, that is judged.
JUDGED_SHARE = 0.3
#: Of the normal distribution: 95 % lie within so many standard deviations.
_QUANTILE = 1.959963984540054
#: Comments that are scored together.
_BATCH = 256


class BatchScorer(Protocol):
    """A model that scores many comments at once and one with its reasons."""

    @property
    def version(self) -> str: ...

    @property
    def policy(self) -> Policy: ...

    def score(self, comments: Sequence[Comment]) -> NDArray[np.float64]: ...

    def judge(self, comment: Comment, policy: Policy | None = None) -> Verdict: ...


class Learner(Protocol):
    """Whoever makes a scorer for one site of that site's labels.

    Attributes
    ----------
    max_past : int
        How many labels it can make use of; the newest of the past are handed to it.
    """

    @property
    def max_past(self) -> int: ...

    def learn(self, comments: Sequence[Comment], labels: Sequence[Label]) -> BatchScorer:
        """Return what answers after these labels, which come oldest first."""
        ...


class GlobalModel:
    """Learns nothing from a site: what answers a site that has corrected nothing yet.

    Parameters
    ----------
    champion : BatchScorer
    """

    max_past = 0

    def __init__(self, champion: BatchScorer) -> None:
        self._champion = champion

    def learn(self, comments: Sequence[Comment], labels: Sequence[Label]) -> BatchScorer:
        """Return the champion as it is."""
        return self._champion


@dataclass(frozen=True, slots=True)
class Cut:
    """Where the past ends.

    Attributes
    ----------
    moment : float
        By the comments' dates, in seconds since 1970; those without a date belong to the past.
    ordinal : int or None
        By the order of the file instead, where too few comments have a date: the first one that is judged.
    """

    moment: float
    ordinal: int | None = None

    def is_judged(self, row: Exported, number: int) -> bool:
        """Tell whether a comment belongs to the future.

        Parameters
        ----------
        row : Exported
        number : int
            Its place among the labelled comments of the history, from 0.
        """
        if self.ordinal is not None:
            return number >= self.ordinal
        return row.written_at is not None and row.written_at.timestamp() >= self.moment


def cut_history(survey: Survey, *, since: dt.datetime | None = None) -> Cut:
    """Choose where the past ends.

    Parameters
    ----------
    survey : Survey
    since : datetime, optional
        The first moment that is judged; the newest 30 % of the comments if not given.
    """
    if since is not None:
        return Cut(since.timestamp())
    moments = np.frombuffer(survey.moments, dtype=np.float64) if survey.moments else np.empty(0)
    dated = np.sort(moments[~np.isnan(moments)])
    if 2 * dated.size < moments.size or not moments.size:
        return Cut(math.nan, ordinal=math.floor((1 - JUDGED_SHARE) * moments.size))
    return Cut(float(dated[math.floor((1 - JUDGED_SHARE) * dated.size)]))


@dataclass(frozen=True, slots=True)
class Mistake:
    """A comment that would have been judged wrongly.

    Attributes
    ----------
    row : Exported
    label : Label
    score : float
    clues : tuple of Clue
    """

    row: Exported
    label: Label
    score: float
    clues: tuple[Clue, ...]


@dataclass(slots=True)
class Agreement:
    """Ours and Akismet's answers to the same comments, against their labels.

    Attributes
    ----------
    ours, akismet : Counter of (Label, bool)
        How many comments of a label were called spam or not.
    only_ours_right, only_akismet_right : int
    """

    ours: Counter[tuple[Label, bool]] = field(default_factory=Counter)
    akismet: Counter[tuple[Label, bool]] = field(default_factory=Counter)
    only_ours_right: int = 0
    only_akismet_right: int = 0

    def add(self, label: Label, ours: bool, akismet: bool) -> None:
        """Note one comment; True is spam."""
        self.ours[label, ours] += 1
        self.akismet[label, akismet] += 1
        is_spam = label is Label.SPAM
        self.only_ours_right += ours == is_spam != akismet
        self.only_akismet_right += akismet == is_spam != ours


@dataclass(slots=True)
class Report:
    """What would have happened to the judged part of a history.

    Attributes
    ----------
    version : str
    policy : Policy
    n_past : int
        Labelled comments before the cut.
    n_learnt : int
        Those of them that were learnt from.
    first, last : datetime or None
        Dates of the oldest and the newest judged comment.
    decisions : Counter of (Label, Decision)
    discarded : Counter of Label
        Those in the discard range.
    all_answered : Agreement
        The comments to which Akismet's answer is known.
    person_said : Agreement
        Those of them whose label a person gave. The others' label is Akismet's own answer that nobody
        changed, so there Akismet is right by definition.
    blocked_ham, missed_spam : list of Mistake
        The worst, worst first.
    """

    version: str
    policy: Policy
    n_past: int = 0
    n_learnt: int = 0
    first: dt.datetime | None = None
    last: dt.datetime | None = None
    decisions: Counter[tuple[Label, Decision]] = field(default_factory=Counter)
    discarded: Counter[Label] = field(default_factory=Counter)
    all_answered: Agreement = field(default_factory=Agreement)
    person_said: Agreement = field(default_factory=Agreement)
    blocked_ham: list[Mistake] = field(default_factory=list)
    missed_spam: list[Mistake] = field(default_factory=list)

    def n_of(self, label: Label) -> int:
        """Return how many comments of a label were judged."""
        return sum(n for (of, _), n in self.decisions.items() if of is label)


def interval(n_hits: int, n: int) -> tuple[float, float]:
    """Return the 95 % score interval of a share; (0, 1) of nothing.

    References
    ----------
    E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927. Written out,
    because importing ``scipy.stats`` for it costs every command half a second.
    """
    if n == 0:
        return 0.0, 1.0
    share, spread = n_hits / n, _QUANTILE**2 / n
    middle = share + spread / 2
    half = math.sqrt(spread * (share * (1 - share) + spread / 4))
    return max(0.0, (middle - half) / (1 + spread)), min(1.0, (middle + half) / (1 + spread))


class Rehearsal:
    """Judges the newer part of a history as if it came now.

    Parameters
    ----------
    learner : Learner
    overrides : PolicyOverrides
        The operator's cut-offs.
    n_shown : int
        Mistakes of each kind that the report keeps with their reasons.
    company_days : int
        How far back a judged comment's company is counted, among the comments of the history that came before it;
        0 if it is not counted. Without dates the order of the file counts, as far back as it goes.
    """

    def __init__(
        self, learner: Learner, overrides: PolicyOverrides, *, n_shown: int = 20, company_days: int = 0
    ) -> None:
        self._learner = learner
        self._overrides = overrides
        self._n_shown = n_shown
        self._company_days = company_days

    def run(
        self,
        rows: Callable[[], Iterator[Row]],
        cut: Cut,
        *,
        on_mistake: Callable[[Mistake], None] | None = None,
    ) -> Report:
        """Learn the past, judge the rest, count.

        Parameters
        ----------
        rows : callable
            Begins the history anew at each call.
        cut : Cut
        on_mistake : callable, optional
            Told every mistake, in the order of the history, not only the worst.
        """
        past = self._past(rows, cut)
        scorer = self._learner.learn([comment for comment, _ in past], [label for _, label in past])
        policy = self._overrides.over(scorer.policy)
        report = Report(scorer.version, policy, n_learnt=len(past))
        del past
        worst = {Label.HAM: _Worst(self._n_shown), Label.SPAM: _Worst(self._n_shown)}
        judged = self._judged(rows, cut, report, self._companies(rows, cut))
        while batch := list(islice(judged, _BATCH)):
            scores = scorer.score([row.comment for row, _ in batch])
            for (row, label), score in zip(batch, scores.tolist(), strict=True):
                decision = policy.decide(score)
                _count(report, row, label, decision, policy.discards(score))
                wrong = decision is (Decision.SPAM if label is Label.HAM else Decision.HAM)
                if wrong:
                    worst[label].add(score if label is Label.HAM else -score, row)
                    if on_mistake is not None:
                        on_mistake(self._explained(scorer, policy, row, label))
        for label, kept in ((Label.HAM, report.blocked_ham), (Label.SPAM, report.missed_spam)):
            kept.extend(self._explained(scorer, policy, row, label) for row in worst[label].rows())
        return report

    def _past(self, rows: Callable[[], Iterator[Row]], cut: Cut) -> list[tuple[Comment, Label]]:
        """Return the newest labels of the past that the learner can use, oldest first."""
        if not self._learner.max_past:
            return []
        newest: list[tuple[float, int, Exported, Label]] = []
        for number, (row, label) in enumerate(labelled(rows())):
            if cut.is_judged(row, number):
                continue
            moment = -math.inf if row.written_at is None else row.written_at.timestamp()
            # The number is unique, so that no comparison ever reaches the comment.
            heapq.heappush(newest, (moment, number, row, label))
            if len(newest) > self._learner.max_past:
                heapq.heappop(newest)
        return [(row.comment, label) for _, _, row, label in sorted(newest, key=lambda item: item[:2])]

    def _companies(self, rows: Callable[[], Iterator[Row]], cut: Cut) -> dict[int, Company]:
        """Return the company of the judged comments by their number, as the service would have counted it."""
        if not self._company_days:
            return {}
        by_order = cut.ordinal is not None
        reach = math.inf if by_order else dt.timedelta(days=self._company_days).total_seconds()

        def arrivals() -> Iterator[Arrival]:
            for number, (row, label) in enumerate(labelled(rows())):
                is_judged = cut.is_judged(row, number)
                written = math.nan if row.written_at is None else row.written_at.timestamp()
                moment = float(number) if by_order else written
                yield Arrival(moment, row.comment, label is Label.HAM and not is_judged, is_judged)

        return companies(arrivals(), reach=reach)

    @staticmethod
    def _judged(
        rows: Callable[[], Iterator[Row]], cut: Cut, report: Report, met: Mapping[int, Company]
    ) -> Iterator[tuple[Exported, Label]]:
        for number, (row, label) in enumerate(labelled(rows())):
            if not cut.is_judged(row, number):
                report.n_past += 1
                continue
            if row.written_at is not None:
                report.first = min(report.first or row.written_at, row.written_at)
                report.last = max(report.last or row.written_at, row.written_at)
            if number in met:
                row = replace(row, comment=replace(row.comment, company=met[number]))
            yield row, label

    @staticmethod
    def _explained(scorer: BatchScorer, policy: Policy, row: Exported, label: Label) -> Mistake:
        verdict = scorer.judge(row.comment, policy)
        return Mistake(row, label, verdict.score, verdict.clues)


def _count(report: Report, row: Exported, label: Label, decision: Decision, discards: bool) -> None:
    report.decisions[label, decision] += 1
    report.discarded[label] += discards
    if row.akismet is None:
        return
    said = (label, decision is Decision.SPAM, row.akismet is Label.SPAM)
    report.all_answered.add(*said)
    if row.person is not None:
        report.person_said.add(*said)


class _Worst:
    """The few rows with the highest badness."""

    def __init__(self, n_kept: int) -> None:
        self._n_kept = n_kept
        self._heap: list[tuple[float, int, Exported]] = []
        self._n_seen = 0

    def add(self, badness: float, row: Exported) -> None:
        self._n_seen += 1
        # Of equals the first ones stay.
        heapq.heappush(self._heap, (badness, -self._n_seen, row))
        if len(self._heap) > self._n_kept:
            heapq.heappop(self._heap)

    def rows(self) -> Iterable[Exported]:
        """Return them, worst first."""
        return [row for _, _, row in sorted(self._heap, key=lambda item: item[:2], reverse=True)]
