"""The whole story of a version: prepare, judge on sources left out, fit, describe."""

from __future__ import annotations

import platform
from collections.abc import Callable, Sequence
from importlib.metadata import version as library_version
from typing import Any

from model.classifier import SpamClassifier
from model.comment import LabeledComment
from model.precision import Precision
from training import corpus
from training.evaluate import Report, leave_sources_out
from training.fit import FitParams, cut_table, fit_calibrated, make_classifier, promised_ham
from training.matrix import make_matrix
from training.warm import summarise

LIMITS = (
    "Praise written by a language model about the very post is hardly told from a reader's by its text alone.",
    "Chinese and other languages that the sources know from few sites: scores there are less sure.",
    "Labels are people's, from many sites with different ideas of what spam is; a few per cent are wrong.",
    "A score is about a comment, never about the person who wrote it.",
)


def fit_version(
    comments: Sequence[LabeledComment],
    params: FitParams,
    *,
    report: dict[str, Any] | None = None,
    licences: dict[str, str] | None = None,
) -> SpamClassifier:
    """Fit the version that ships.

    Parameters
    ----------
    comments : sequence of LabeledComment
    params : FitParams
    report : mapping, optional
        What an evaluation found (``Report.as_dict``); goes on the card.
    licences : mapping of str to str, optional
        Licence per source, for the card.

    Returns
    -------
    SpamClassifier
        The same comments and parameters give the same version, byte for byte.
    """
    kept = corpus.limit(corpus.deduplicate(comments), params.limits, seed=params.seed)
    matrix = make_matrix(kept, params.features, params.padding, seed=params.seed)
    linear, policy, unseen = fit_calibrated(matrix, params)
    budgets = params.budgets
    ham = promised_ham(matrix)
    under_pages = " under pages" if (corpus.on_pages(matrix.comments) & ham).any() else ""
    card: dict[str, Any] = {
        "sources": tuple(
            {
                "name": name,
                "kind": rows[0].kind,
                "n_spam": sum(row.is_spam for row in rows),
                "n_ham": sum(not row.is_spam for row in rows),
                "licence": (licences or {}).get(name, "not stated"),
            }
            for name, rows in corpus.by_source(kept).items()
        ),
        "metrics": {} if report is None else {"left_out": report["sources"], "means": report["means"]},
        "policy": {
            "unsure from": _cut(policy.unsure_from, budgets.unsure),
            "spam from": _cut(policy.spam_from, budgets.spam),
            "discard from": _cut(policy.discard_from, budgets.discard),
            "found on": f"{int(ham.sum())} ham{under_pages} of sources left out, weighed by source; umbrella "
            f"algorithm, confidence {budgets.confidence:g}",
        },
        "limits": LIMITS,
        "libraries": {
            "python": platform.python_version(),
            **{name: library_version(name) for name in ("numpy", "scipy", "scikit-learn", "joblib")},
        },
    }
    table = cut_table(matrix, unseen, params)
    return make_classifier(linear, policy, matrix, params, card=card, cut_table=table)


def sum_up(comments: Sequence[LabeledComment], params: FitParams) -> Precision:
    """Return what a version that ``fit_version`` makes of these comments knows of each token.

    A version that carries it can be fitted further without the comments (``training.warm``).
    """
    kept = corpus.limit(corpus.deduplicate(comments), params.limits, seed=params.seed)
    matrix = make_matrix(kept, params.features)
    return summarise(matrix, corpus.balanced_weights(matrix.comments, params.balance))


def evaluate(
    comments: Sequence[LabeledComment],
    params: FitParams,
    *,
    only: Sequence[str] = (),
    progress: Callable[[str], None] = lambda _: None,
) -> Report:
    """Judge on sources left out; see ``leave_sources_out``."""
    return leave_sources_out(comments, params, progress=progress, only=only)


def _cut(threshold: float, budget: float) -> str:
    return f"score {threshold:.6f} (at most {budget:.2%} of real comments)"
