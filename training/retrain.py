"""The story of a retraining: split the feedback, fit a challenger, judge it against the champion."""

from __future__ import annotations

import dataclasses
import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from model.budget import CutTable
from model.classifier import SpamClassifier
from model.comment import Comment, LabeledComment
from model.precision import Precision
from training import corpus, datasets, run
from training.clusters import clusters
from training.fit import FitParams, cut_table, fit_calibrated, make_classifier
from training.gate import Flip, GateParams, Judgement, flips, judge
from training.matrix import make_matrix
from training.warm import WarmParams, fit_warm

Progress = Callable[[str, float], None]

#: Share of the labels, the newest of each site, that the challenger is judged on and not fitted on.
_HELD_OUT = 0.25
#: Where a card says of which label on nothing was fitted.
CARD_KEY = "retraining"


@dataclass(frozen=True, slots=True)
class Label:
    """What a person said of a comment.

    Attributes
    ----------
    number : int
        Rises with time.
    row : LabeledComment
        Its weight is the label's voice; its source is the site.
    """

    number: int
    row: LabeledComment


@dataclass(frozen=True, slots=True)
class Material:
    """What a retraining starts from.

    Attributes
    ----------
    base : SpamClassifier
        The shipped version.
    precision : Precision
        What its corpora knew.
    champion : SpamClassifier
    labels : sequence of Label
        Oldest first.
    standing : sequence of LabeledComment
        Published comments that nobody corrected.
    stored : sequence of (id, source, Comment)
        Comments whose decision is compared.
    corpora : Path, optional
        Public labelled comments; with them the fit is a full one.
    """

    base: SpamClassifier
    precision: Precision
    champion: SpamClassifier
    labels: Sequence[Label]
    standing: Sequence[LabeledComment] = ()
    stored: Sequence[tuple[str, str, Comment]] = ()
    corpora: Path | None = None


@dataclass(frozen=True, slots=True)
class RetrainParams:
    """How a challenger is made and judged."""

    warm: WarmParams = field(default_factory=WarmParams)
    full: FitParams = field(default_factory=FitParams)
    gate: GateParams = field(default_factory=GateParams)
    held_out: float = _HELD_OUT


@dataclass(frozen=True, slots=True)
class Split:
    """Labels to fit on and comments to judge on."""

    fit: list[Label]
    holdout: list[LabeledComment]
    n_straddling: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """A challenger and what the gate says of it.

    Attributes
    ----------
    challenger : SpamClassifier
    judgement : Judgement
    flips : list of Flip
    counts : dict
        Sizes of what it was fitted and judged on.
    """

    challenger: SpamClassifier
    judgement: Judgement
    flips: list[Flip]
    counts: dict[str, int]


def fingerprint(material: Material) -> str:
    """Return what tells whether a retraining would find anything new: 64 hex digits."""
    rows = corpus.fingerprint(label.row for label in material.labels)
    parts = (material.base.version, str(material.corpora is not None), rows)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def retrain(material: Material, params: RetrainParams, progress: Progress) -> Outcome:
    """Make a challenger and judge it.

    Parameters
    ----------
    material : Material
    params : RetrainParams
    progress : callable
        Told a stage's name and how much of it is done, from 0 to 1; may raise to give up.
    """
    progress("split", 0.0)
    parts = split(material, params)
    progress("fit", 0.0)
    fit = _fit_full if material.corpora is not None else _fit_warm
    challenger = fit(material, parts, params, progress)
    progress("judge", 0.0)
    judgement = judge(material.champion, challenger, parts.holdout, material.standing, params.gate)
    progress("compare", 0.0)
    flipped = flips(
        material.champion,
        challenger,
        material.stored,
        each_batch=lambda done: progress("compare", done),
    )
    counts = {
        "labels": len(material.labels),
        "fitted": len(parts.fit),
        "fitted_spam": sum(label.row.is_spam for label in parts.fit),
        "held_out": len(parts.holdout),
        "straddling": parts.n_straddling,
        "standing": len(material.standing),
        "compared": len(material.stored),
    }
    return Outcome(challenger, judgement, flipped, counts)


def split(material: Material, params: RetrainParams) -> Split:
    """Part each site's labels by time; what is judged is newer than all of its site that either version was fitted on.

    Site by site, because the newest labels of all may be those of a single site, one that was imported
    yesterday: then nobody would ask what becomes of the others. Held-out comments whose campaign reaches into
    the part that is fitted are left out of the judgement: that their copies are known says nothing about the
    next campaign.
    """
    labels = sorted(material.labels, key=lambda label: label.number)
    fitted_until = _fitted_until(material.champion)
    newest = _newest_of_each_site(labels, int(len(labels) * params.held_out))
    numbers = {label.number for label in newest if label.number > fitted_until(label.row.source)}
    fit = [label for label in labels if label.number not in numbers]
    holdout = _without_campaigns_of(fit, [label for label in labels if label.number in numbers])
    return Split(fit, holdout, len(numbers) - len(holdout))


def _newest_of_each_site(labels: Sequence[Label], n: int) -> list[Label]:
    """Return so many labels in all, of each site the same share and its newest; given oldest first."""
    counts = Counter(label.row.source for label in labels)
    passed: Counter[str] = Counter()
    ages = []
    for label in reversed(labels):
        site = label.row.source
        ages.append(((passed[site] + 0.5) / counts[site], -label.number))
        passed[site] += 1
    by_age = sorted(zip(ages, reversed(labels), strict=True), key=lambda pair: pair[0])
    return [label for _, label in by_age[:n]]


def unseen(labels: Sequence[Label], versions: Sequence[SpamClassifier]) -> list[LabeledComment]:
    """Return the comments that none of these versions was fitted on, nor on another of their campaign."""
    untils = [_fitted_until(version) for version in versions]
    is_known = [label.number <= max(until(label.row.source) for until in untils) for label in labels]
    known = [label for label, fitted in zip(labels, is_known, strict=True) if fitted]
    return _without_campaigns_of(
        known, [label for label, fitted in zip(labels, is_known, strict=True) if not fitted]
    )


def _without_campaigns_of(known: Sequence[Label], newer: Sequence[Label]) -> list[LabeledComment]:
    groups = clusters([label.row for label in (*known, *newer)])
    straddling = np.isin(groups[len(known) :], groups[: len(known)])
    return [label.row for label, is_known in zip(newer, straddling, strict=True) if not is_known]


def _fitted_until(version: SpamClassifier) -> Callable[[str], int]:
    """Return what tells up to which label of a site a version was fitted."""
    told = version.card.metrics.get(CARD_KEY, {})
    # Versions of before sites were parted one by one were fitted on all labels up to one.
    for_all = int(told.get("last_label", 0)) if "last_labels" not in told else 0
    of_site = told.get("last_labels", {})
    return lambda site: int(of_site.get(site, for_all))


def _fit_warm(material: Material, parts: Split, params: RetrainParams, progress: Progress) -> SpamClassifier:
    rows = _one_voice_per_campaign(parts.fit, params.full)
    matrix = make_matrix(rows, material.base.params)
    progress("fit", 0.2)
    rounds = 0

    def count() -> None:
        nonlocal rounds
        rounds += 1
        progress("fit", 0.2 + 0.8 * rounds / params.warm.max_iter)

    linear = fit_warm(material.base, material.precision, matrix, params.warm, each_round=count)
    card = _card(material, parts.fit) | {"policy": dict(material.base.card.policy)}
    described = dataclasses.replace(params.full, features=material.base.params)
    challenger = make_classifier(linear, material.base.policy, matrix, described, card=card)
    challenger.cut_table = _carried_on(material.base, challenger, parts.holdout)
    return challenger


def _carried_on(
    base: SpamClassifier, challenger: SpamClassifier, holdout: Sequence[LabeledComment]
) -> CutTable | None:
    """Return what budgets mean under a challenger whose corpora are elsewhere; see ``CutTable.carried_on``.

    Only ham that people labelled counts: among published comments that nobody corrected is spam that nobody
    noticed, and a challenger that notices it must not have its cut-offs raised above it.
    """
    if base.cut_table is None:
        return None
    ham = [row.comment for row in holdout if not row.is_spam]
    return base.cut_table.carried_on(base.version, base.score(ham), challenger.score(ham))


def _fit_full(material: Material, parts: Split, params: RetrainParams, progress: Progress) -> SpamClassifier:
    if material.corpora is None:
        raise ValueError("a full fit needs the corpora")
    public = corpus.limit(
        corpus.deduplicate(datasets.read_corpora(material.corpora)), params.full.limits, seed=params.full.seed
    )
    progress("fit", 0.1)
    matrix = make_matrix([*public, *_one_voice_per_campaign(parts.fit, params.full)], params.full.features)
    progress("fit", 0.2)
    linear, policy, unseen_odds = fit_calibrated(matrix, params.full)
    progress("fit", 1.0)
    table = cut_table(matrix, unseen_odds, params.full)
    card = _card(material, parts.fit)
    return make_classifier(linear, policy, matrix, params.full, card=card, cut_table=table)


def _one_voice_per_campaign(labels: Sequence[Label], params: FitParams) -> list[LabeledComment]:
    """Limit how loud a site and a campaign are."""
    rows = [label.row for label in labels]
    groups = clusters(rows)
    named = [
        dataclasses.replace(row, group=f"campaign/{group}")
        for row, group in zip(rows, groups.tolist(), strict=True)
    ]
    return corpus.limit(named, params.limits, seed=params.seed)


def _card(material: Material, labels: Sequence[Label]) -> dict[str, Any]:
    sources = corpus.by_source(label.row for label in labels)
    return {
        "sources": (
            *({**source, "kind": str(source["kind"])} for source in material.base.card.sources),
            *(
                {
                    "name": name,
                    "kind": "feedback",
                    "n_spam": sum(row.is_spam for row in rows),
                    "n_ham": sum(not row.is_spam for row in rows),
                    "licence": "the operator's own",
                }
                for name, rows in sources.items()
            ),
        ),
        "metrics": {
            CARD_KEY: {
                "base": material.base.version,
                "last_label": labels[-1].number if labels else 0,
                "last_labels": {label.row.source: label.number for label in labels},
                "n_labels": len(labels),
            }
        },
        "limits": run.LIMITS,
        "libraries": dict(material.base.card.libraries),
    }
