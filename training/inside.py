"""Judges inside large sources: ours and the peers, with videos, brands and campaigns left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import matthews_corrcoef

from model.comment import LabeledComment
from training import corpus, metrics
from training.campaigns import campaigns
from training.fit import FitParams, fit_linear
from training.groups import ALONE, FITS, KINDS_ALIKE, NOT_JUDGED, InsideTest, inside_tests, may_fit
from training.matrix import make_matrix
from training.peers import OURS, PeerBuilder, PeerFailedError, PeerUnavailableError
from training.resampling import campaign_recall_interval

# Where each scorer itself draws the line; the others give log-odds or a margin, which is 0 there.
_OWN_CUTS = {"bogofilter": 0.5, "spamprobe": 0.7}


@dataclass(frozen=True, slots=True)
class InsideRow:
    """What one scorer reached in one part of a test, scores of all folds pooled.

    Attributes
    ----------
    test, part, fit, scorer : str
    n_spam, n_ham, n_folds : int
    auc, recall_1, recall_01 : float
        Recalls at 1 % and 0.1 % of the part's ham called spam.
    recall_1_interval, recall_01_interval : (float, float)
        95 % bootstrap intervals over campaigns.
    mcc : float
        Matthews correlation at the line that the scorer draws itself, not chosen on what is judged.
    """

    test: str
    part: str
    fit: str
    scorer: str
    n_spam: int
    n_ham: int
    n_folds: int
    auc: float
    recall_1: float
    recall_1_interval: tuple[float, float]
    recall_01: float
    recall_01_interval: tuple[float, float]
    mcc: float


@dataclass(frozen=True, slots=True)
class InsideReport:
    """What all tests inside sources gave.

    Attributes
    ----------
    rows : list of InsideRow
    skipped : mapping of str to str
        Peers that could not run here, and why.
    """

    rows: list[InsideRow]
    skipped: dict[str, str] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return the report as JSON-ready data; no text of a comment."""
        return {"rows": [_rounded(asdict(row)) for row in self.rows], "skipped": self.skipped}


def judge_inside(
    comments: Sequence[LabeledComment],
    params: FitParams,
    *,
    peers: Mapping[str, PeerBuilder] | None = None,
    fits: Sequence[str] = FITS,
    only: Sequence[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> InsideReport:
    """Run every test that the comments allow.

    Parameters
    ----------
    comments : sequence of LabeledComment
    params : FitParams
    peers : mapping of str to PeerBuilder, optional
        Judged on the fits "alone" only: what they would cost on all sources stands in no relation.
    fits : sequence of str
        Which of ``groups.FITS``.
    only : sequence of str
        Tests whose names begin so; all if empty.
    progress : callable
        Told what is being fitted, and what is skipped.
    """
    everything = corpus.deduplicate(comments)
    groups = campaigns(everything)
    tests = [
        test
        for test in inside_tests(everything, groups, seed=params.seed)
        if not only or test.name.startswith(tuple(only))
    ]
    report = InsideReport([])
    if not tests:
        return report
    progress("features")
    matrix = make_matrix(everything, params.features)
    limited = _limited(everything, params)
    for test in tests:
        for fit in test.fits:
            if fit not in fits:
                continue
            chosen = params if fit != KINDS_ALIKE else _kinds_alike(params)
            scores = np.full(len(everything), np.nan)
            for fold, fitted, judged in _folds(test, fit, limited):
                progress(f"{test.name}, {fit}, fold {fold + 1}")
                scores[judged] = matrix.judged(fit_linear(matrix[fitted], chosen), judged)
            report.rows.extend(_measure(test, fit, OURS, matrix.is_spam, scores, groups))
    # The peers' tables of n-grams want the room.
    del matrix
    for name, build in (peers or {}).items():
        for test in tests:
            if ALONE not in test.fits or name in report.skipped:
                continue
            _judge_peer(report, name, build, test, everything, params, groups, progress)
    return report


def _judge_peer(
    report: InsideReport,
    name: str,
    build: PeerBuilder,
    test: InsideTest,
    comments: Sequence[LabeledComment],
    params: FitParams,
    groups: NDArray[np.int64],
    progress: Callable[[str], None],
) -> None:
    """Judge one peer on the own rows of one test."""
    places = np.flatnonzero(test.own)
    rows = [comments[place] for place in places.tolist()]
    try:
        peer = build(rows)
    except PeerUnavailableError as error:
        report.skipped[name] = str(error)
        progress(f"{name} skipped: {error}")
        return
    folds = test.folds[places]
    found: dict[str, NDArray[np.float64]] = {}
    for fold in np.unique(folds):
        progress(f"{test.name}, {name}, fold {fold + 1}")
        fitted, judged = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        weights = corpus.balanced_weights([rows[place] for place in fitted.tolist()], params.balance)
        for scorer, values in peer.scores(fitted, weights, judged).items():
            if not np.isfinite(values).all():
                raise PeerFailedError(f"{scorer} gave a score that is no number, in {test.name}")
            found.setdefault(scorer, np.full(len(comments), np.nan))[places[judged]] = values
    for scorer, scores in found.items():
        report.rows.extend(_measure(test, ALONE, scorer, corpus.labels(comments), scores, groups))


def _limited(comments: Sequence[LabeledComment], params: FitParams) -> NDArray[np.bool_]:
    allowed = {id(row) for row in corpus.limit(comments, params.limits, seed=params.seed)}
    return np.array([id(row) in allowed for row in comments], dtype=np.bool_)


def _kinds_alike(params: FitParams) -> FitParams:
    return dataclasses.replace(
        params, balance=dataclasses.replace(params.balance, other_ham=1.0, other_spam=1.0)
    )


def _folds(
    test: InsideTest, fit: str, limited: NDArray[np.bool_]
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.int64]]]:
    """Yield each fold with the places to fit on and to judge."""
    allowed = may_fit(test, fit, limited)
    shown = np.any(list(test.parts.values()), axis=0)
    for fold in range(int(test.folds.max()) + 1):
        inside = test.folds == fold
        yield fold, np.flatnonzero(allowed & ~inside), np.flatnonzero(inside & shown)


def _measure(
    test: InsideTest,
    fit: str,
    scorer: str,
    is_spam: NDArray[np.bool_],
    scores: NDArray[np.float64],
    groups: NDArray[np.int64],
) -> Iterator[InsideRow]:
    for part, marked in test.parts.items():
        judged = marked & (test.folds != NOT_JUDGED)
        labels, values, of = is_spam[judged], scores[judged], groups[judged]
        recalls = {
            budget: (
                metrics.recall_at_fpr(labels, values, max_fpr=budget)[0],
                campaign_recall_interval(labels, values, of, max_fpr=budget),
            )
            for budget in (0.01, 0.001)
        }
        yield InsideRow(
            test=test.name,
            part=part,
            fit=fit,
            scorer=scorer,
            n_spam=int(labels.sum()),
            n_ham=int((~labels).sum()),
            n_folds=int(test.folds.max()) + 1,
            auc=metrics.auc(labels, values),
            recall_1=recalls[0.01][0],
            recall_1_interval=recalls[0.01][1],
            recall_01=recalls[0.001][0],
            recall_01_interval=recalls[0.001][1],
            mcc=float(matthews_corrcoef(labels, values >= _OWN_CUTS.get(scorer, 0.0))),
        )


def to_markdown(report: InsideReport) -> str:
    """Return the report as Markdown tables, one per test and part; no comment is quoted."""
    lines = [
        "# Inside large sources",
        "",
        "Whole groups are left out in folds; a fold is judged by a fit that saw none of its groups, and the scores of "
        "all folds are pooled. Recall is at 1 % and 0.1 % of the pooled ham, with the 95 % bootstrap interval over "
        "campaigns of near-copies. MCC is at the line that the scorer draws itself.",
    ]
    for test, part in dict.fromkeys((row.test, row.part) for row in report.rows):
        rows = [row for row in report.rows if (row.test, row.part) == (test, part)]
        lines += [
            "",
            f"## {test}" + ("" if part == "all" else f": {part}"),
            f"{rows[0].n_spam} spam, {rows[0].n_ham} ham, {rows[0].n_folds} folds.",
            "",
            "| scorer | fitted | AUC | MCC | at 1 % | interval | at 0.1 % | interval |",
            "|---|---|---:|---:|---:|---|---:|---|",
        ]
        lines += [
            f"| {row.scorer} | {row.fit} | {row.auc:.4f} | {row.mcc:.3f} | {row.recall_1:.3f} "
            f"| {row.recall_1_interval[0]:.3f}-{row.recall_1_interval[1]:.3f} | {row.recall_01:.3f} "
            f"| {row.recall_01_interval[0]:.3f}-{row.recall_01_interval[1]:.3f} |"
            for row in sorted(
                rows, key=lambda row: (row.scorer != OURS, -row.recall_1 * (row.scorer != OURS))
            )
        ]
    lines += [f"\n{name} was skipped: {reason}." for name, reason in report.skipped.items()]
    return "\n".join(lines) + "\n"


def _rounded(data: dict[str, Any]) -> dict[str, Any]:
    return {
        key: round(value, 6)
        if isinstance(value, float)
        else [round(end, 6) for end in value]
        if isinstance(value, tuple)
        else value
        for key, value in data.items()
    }
