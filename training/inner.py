"""Chooses settings by inner folds and reports them on the outer source, so that no figure was tuned on itself.

For each blog, a setting is chosen by the recall that it reaches on the *other* blogs, each left out of a fit that
saw neither of the two. What the chosen setting then reaches on the blog itself is the honest figure; what the
setting that is best on the outer blogs reaches is shown beside it, and the distance is what tuning flatters.
A fit without two blogs serves both, so the whole costs one fit per pair and setting.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.comment import LabeledComment
from training import corpus, metrics
from training.evaluate import MIN_ROWS, mark_limited
from training.fit import FitParams, fit_linear
from training.matrix import Matrix, make_matrix
from training.split import leave_one_source_out

INVERSE_PENALTIES = (0.02, 0.05, 0.1)
EVIDENCE_POWERS = (0.0, 0.5)
PER_SOURCE = 1000
"""Rows of one source and label that the inner fits see: they rank settings, and there are many of them."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What is chosen: two fields of ``FitParams``."""

    inverse_penalty: float
    evidence_power: float

    def applied(self, params: FitParams) -> FitParams:
        """Return the parameters under this setting."""
        return dataclasses.replace(
            params, inverse_penalty=self.inverse_penalty, evidence_power=self.evidence_power
        )

    def __str__(self) -> str:
        return f"C {self.inverse_penalty:g}, evidence {self.evidence_power:g}"


GRID = tuple(Setting(*values) for values in product(INVERSE_PENALTIES, EVIDENCE_POWERS))


@dataclass(frozen=True, slots=True)
class Reach:
    """What one fit reached on one blog: recall at 1 % and 0.1 % of its ham."""

    recall_1: float
    recall_01: float

    @property
    def merit(self) -> float:
        """What settings are chosen by: the mean of both recalls, since both are promised."""
        return (self.recall_1 + self.recall_01) / 2


@dataclass(frozen=True, slots=True)
class Choice:
    """One outer blog.

    Attributes
    ----------
    source : str
    chosen : Setting
        Best on the other blogs, in fits that did not see this one.
    inner : float
        Its merit there.
    outer : mapping of Setting to Reach
        What each setting reaches on this blog, fitted on all the others with the usual limits.
    """

    source: str
    chosen: Setting
    inner: float
    outer: Mapping[Setting, Reach]


def choose_inside(
    comments: Sequence[LabeledComment],
    params: FitParams,
    *,
    grid: Sequence[Setting] = GRID,
    per_source: int = PER_SOURCE,
    progress: Callable[[str], None] = lambda _: None,
) -> list[Choice]:
    """Choose a setting for each blog without looking at it.

    Parameters
    ----------
    comments : sequence of LabeledComment
    params : FitParams
        All that is not chosen.
    grid : sequence of Setting
        Ties go to the earlier one.
    per_source : int
        Limit of the inner fits.
    progress : callable
        Told what is left out.

    Raises
    ------
    ValueError
        If fewer than three blogs have ``MIN_ROWS`` of both labels.
    """
    everything = corpus.deduplicate(comments)
    matrix = make_matrix(everything, params.features)
    blogs = {
        name: left_out
        for name, left_out in leave_one_source_out(everything, min_rows=MIN_ROWS)
        if "+" not in name
        and everything[int(np.flatnonzero(left_out)[0])].kind == "blog"
        and _both(matrix, left_out)
    }
    if len(blogs) < 3:
        raise ValueError(
            f"choosing inside needs three blogs with {MIN_ROWS} spam and {MIN_ROWS} ham, not {len(blogs)}"
        )
    limits = dataclasses.replace(params.limits, per_source=per_source)
    few = mark_limited(matrix, dataclasses.replace(params, limits=limits))
    inner: dict[tuple[str, Setting], list[float]] = {}
    for one, other in combinations(blogs, 2):
        progress(f"without {one} and {other}")
        rest = matrix[few & ~blogs[one] & ~blogs[other]]
        for setting in grid:
            linear = fit_linear(rest, setting.applied(params))
            # Judged on the other, it speaks for the choice of the one, and the other way round.
            for outer, judged in ((one, other), (other, one)):
                reached = _reach(matrix.judged(linear, np.flatnonzero(blogs[judged])), matrix, blogs[judged])
                inner.setdefault((outer, setting), []).append(reached.merit)
    usual = mark_limited(matrix, params)
    choices = []
    for name, left_out in blogs.items():
        progress(f"without {name}")
        rest = matrix[usual & ~left_out]
        merits = {setting: float(np.mean(inner[name, setting])) for setting in grid}
        chosen = max(grid, key=merits.__getitem__)
        outer_reach = {
            setting: _reach(
                matrix.judged(fit_linear(rest, setting.applied(params)), np.flatnonzero(left_out)),
                matrix,
                left_out,
            )
            for setting in grid
        }
        choices.append(Choice(name, chosen, merits[chosen], outer_reach))
    return choices


def _both(matrix: Matrix, chosen: NDArray[np.bool_]) -> bool:
    labels = matrix.is_spam[chosen]
    return bool(labels.any() and not labels.all())


def _reach(log_odds: NDArray[np.float64], matrix: Matrix, judged: NDArray[np.bool_]) -> Reach:
    labels = matrix.is_spam[judged]
    return Reach(
        metrics.recall_at_fpr(labels, log_odds, max_fpr=0.01)[0],
        metrics.recall_at_fpr(labels, log_odds, max_fpr=0.001)[0],
    )


def _mean(reached: Iterable[Reach]) -> Reach:
    rows = list(reached)
    return Reach(
        float(np.mean([row.recall_1 for row in rows])), float(np.mean([row.recall_01 for row in rows]))
    )


def as_dict(choices: Sequence[Choice]) -> dict[str, Any]:
    """Return the choices as JSON-ready data."""
    return {
        "choices": [
            {
                "source": choice.source,
                "chosen": str(choice.chosen),
                "inner": round(choice.inner, 6),
                "outer": {str(setting): asdict(reached) for setting, reached in choice.outer.items()},
            }
            for choice in choices
        ],
        "honest": asdict(_mean(choice.outer[choice.chosen] for choice in choices)),
        "fixed": {
            str(setting): asdict(_mean(choice.outer[setting] for choice in choices))
            for setting in choices[0].outer
        },
    }


def to_markdown(choices: Sequence[Choice]) -> str:
    """Return the choices as a table: per blog, then chosen inside against each setting held fixed."""
    lines = [
        "# Settings chosen by inner folds",
        "",
        "For each blog the setting is chosen on the other blogs, by fits that did not see it; then judged on the blog. "
        "Fits are not calibrated, since recall at a budget does not need it.",
        "",
        "| blog left out | chosen without it | inner merit | at 1 % | at 0.1 % |",
        "|---|---|---:|---:|---:|",
    ]
    for choice in choices:
        reached = choice.outer[choice.chosen]
        lines.append(
            f"| {choice.source} | {choice.chosen} | {choice.inner:.3f} | {reached.recall_1:.3f} "
            f"| {reached.recall_01:.3f} |"
        )
    lines += ["", "| mean over the blogs | at 1 % | at 0.1 % |", "|---|---:|---:|"]
    honest = _mean(choice.outer[choice.chosen] for choice in choices)
    lines.append(f"| chosen by inner folds | {honest.recall_1:.3f} | {honest.recall_01:.3f} |")
    for setting in choices[0].outer:
        mean = _mean(choice.outer[setting] for choice in choices)
        lines.append(f"| {setting} for all | {mean.recall_1:.3f} | {mean.recall_01:.3f} |")
    return "\n".join(lines) + "\n"
