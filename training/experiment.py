"""Compares ways to fit, quickly and on the same sources left out; what wins goes into ``FitParams``.

An experiment is a TOML file of variants, kept in ``docs/experiments`` with the table that it gave. It fits
once per source and variant, without calibration, since recall at a budget does not need it.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from model.comment import LabeledComment
from model.features import FeatureParams
from training import corpus, metrics
from training.augment import Padding
from training.evaluate import MIN_ROWS, mark_limited
from training.fit import FitParams, fit_linear
from training.matrix import Matrix, make_matrix
from training.split import leave_one_source_out


class ExperimentError(Exception):
    """An experiment file that cannot be run; the message names the variant and the setting."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to fit.

    Attributes
    ----------
    name : str
    params : FitParams
    kinds : tuple of str
        Kinds of sources to fit on; all if empty.
    """

    name: str
    params: FitParams
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a variant reached on one source left out: AUC, and recall at 1 % and 0.1 % of its ham."""

    variant: str
    source: str
    auc: float
    recall_1: float
    recall_01: float


_Params = TypeVar("_Params", FitParams, FeatureParams, corpus.Limits, corpus.Balance, Padding)


def read_variants(path: Path) -> list[Variant]:
    """Read an experiment: a table ``[base]`` of settings for all, and ``[[variant]]`` tables.

    Each variant has a ``name`` and any field of ``FitParams``, ``FeatureParams`` (under ``features``),
    ``Limits`` (``limits``), ``Balance`` (``balance``) and ``Padding`` (``padding``), and ``kinds``.

    Raises
    ------
    ExperimentError
        If a setting is unknown or unusable.
    """
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    base = data.get("base", {})
    variants = []
    for table in data.get("variant", []):
        name = table.get("name", "without a name")
        settings = _merged(base, {key: value for key, value in table.items() if key != "name"})
        kinds = tuple(settings.pop("kinds", ()))
        try:
            variants.append(Variant(name, _changed(FitParams(), settings), kinds))
        except (TypeError, ValueError) as error:
            raise ExperimentError(f"{path.name}, variant {name!r}: {error}") from error
    if not variants:
        raise ExperimentError(f"{path.name} has no [[variant]]")
    return variants


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        known = merged.get(key)
        merged[key] = _merged(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return merged


def _changed(params: _Params, settings: dict[str, Any]) -> _Params:
    """Return the parameters with some fields changed, nested ones too."""
    changes: dict[str, Any] = {}
    for key, value in settings.items():
        if key not in {field.name for field in dataclasses.fields(params)}:
            raise ValueError(f"unknown setting {key!r}")
        current = getattr(params, key)
        if dataclasses.is_dataclass(current):
            changes[key] = _changed(current, value)  # type: ignore[type-var]
        else:
            changes[key] = tuple(value) if isinstance(value, list) else value
    return dataclasses.replace(params, **changes)


def run_variants(
    comments: Sequence[LabeledComment],
    variants: Sequence[Variant],
    *,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[Outcome]:
    """Judge each variant on every blog with enough of both labels, fitted on all other sources.

    Yields
    ------
    Outcome
        Variant by variant, sources in order of name.
    """
    everything = corpus.deduplicate(comments)
    for variant in variants:
        progress(variant.name)
        rows = [row for row in everything if not variant.kinds or row.kind in variant.kinds]
        yield from _judge(
            make_matrix(rows, variant.params.features, variant.params.padding, seed=variant.params.seed),
            variant,
        )


def _judge(matrix: Matrix, variant: Variant) -> Iterator[Outcome]:
    fitted = mark_limited(matrix, variant.params)
    for name, left_out in leave_one_source_out(matrix.comments, min_rows=MIN_ROWS):
        judged = matrix[left_out]
        if (
            "+" in name
            or judged.comments[0].kind != "blog"
            or judged.is_spam.all()
            or not judged.is_spam.any()
        ):
            continue
        scores = judged.judged(fit_linear(matrix[fitted & ~left_out], variant.params))
        yield Outcome(
            variant.name,
            name,
            metrics.auc(judged.is_spam, scores),
            metrics.recall_at_fpr(judged.is_spam, scores, max_fpr=0.01)[0],
            metrics.recall_at_fpr(judged.is_spam, scores, max_fpr=0.001)[0],
        )


def to_markdown(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as a table: a row per variant, means first, then recall at 1 % / 0.1 % per source."""
    sources = sorted({outcome.source for outcome in outcomes})
    lines = [
        "| variant | AUC | at 1 % | at 0.1 % | " + " | ".join(sources) + " |",
        "|---|---:|---:|---:|" + "---:|" * len(sources),
    ]
    for name in dict.fromkeys(outcome.variant for outcome in outcomes):
        rows = {outcome.source: outcome for outcome in outcomes if outcome.variant == name}
        means = [
            float(np.mean([getattr(row, field) for row in rows.values()]))
            for field in ("auc", "recall_1", "recall_01")
        ]
        cells = [
            f"{rows[source].recall_1:.2f} / {rows[source].recall_01:.2f}" if source in rows else ""
            for source in sources
        ]
        lines.append(f"| {name} | " + " | ".join([f"{mean:.3f}" for mean in means] + cells) + " |")
    return "\n".join(lines) + "\n"
