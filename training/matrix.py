"""Labelled comments with their rows, made once for many fits, and what a fit says of them."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import scipy.sparse
from numpy.typing import NDArray

from model.comment import LabeledComment
from model.features import Extractor, FeatureParams, Rows
from training import corpus
from training.augment import Padding, echoes
from training.passages import LongComment, lift, long_comments

# Comments that one process turns into rows at a time; with fewer than four such parts a second process costs
# more than it brings.
_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Linear:
    """Weights and bias of one fit, in log-odds.

    Attributes
    ----------
    weights : ndarray of float64, shape (n_features,)
    bias : float
    """

    weights: NDArray[np.float64]
    bias: float

    def log_odds(self, rows: Any) -> NDArray[np.float64]:
        """Return log-odds, shape (n_comments,)."""
        return np.asarray(rows @ self.weights, dtype=np.float64) + self.bias

    def stretched(self, slope: float, shift: float) -> Linear:
        """Return the fit whose log-odds are ``slope * log_odds + shift``."""
        return Linear(self.weights * slope, self.bias * slope + shift)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Comments with their rows, so that features are made once for many fits.

    Attributes
    ----------
    comments : list of LabeledComment
    rows : scipy.sparse.csr_array of float64, shape (n_comments, n_features)
    is_spam : ndarray of bool, shape (n_comments,)
    echoes : scipy.sparse.csr_array of float64, shape (n_echoes, n_features), or None
        Rows that are only fitted on (``augment.py``).
    origins : ndarray of int64, shape (2, n_echoes)
        The comment that each echo was made of, and one that its words are from: it stays where both do.
    features : FeatureParams
        What the rows were made with.
    long : dict of int to LongComment
        The comments that are judged by their strongest passage too, by place.
    """

    comments: list[LabeledComment]
    rows: Any
    is_spam: NDArray[np.bool_]
    echoes: Any = None
    origins: NDArray[np.int64] = field(default_factory=lambda: np.empty((2, 0), dtype=np.int64))
    features: FeatureParams = field(default_factory=FeatureParams)
    long: dict[int, LongComment] = field(default_factory=dict)

    def judged(self, linear: Linear, places: NDArray[np.int64] | None = None) -> NDArray[np.float64]:
        """Return the log-odds that a fit gives to its comments, as a version that runs would.

        Parameters
        ----------
        linear : Linear
        places : ndarray of int64, optional
            The comments asked for; all if not given.

        Returns
        -------
        ndarray of float64, shape (n_places,)
        """
        places = np.arange(len(self.comments)) if places is None else places
        log_odds = linear.log_odds(self.rows[places])
        long = {
            number: self.long[place] for number, place in enumerate(places.tolist()) if place in self.long
        }
        lift(log_odds, long, linear.weights, linear.bias, self.features)
        return log_odds

    def __getitem__(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Matrix:
        places = np.flatnonzero(chosen) if chosen.dtype == np.bool_ else chosen
        moved = np.full(len(self.comments), -1, dtype=np.int64)
        moved[places] = np.arange(places.size)
        origins = moved[self.origins]
        stays = (origins >= 0).all(axis=0)
        return Matrix(
            [self.comments[place] for place in places.tolist()],
            self.rows[places],
            self.is_spam[places],
            None if self.echoes is None else self.echoes[np.flatnonzero(stays)],
            origins[:, stays],
            self.features,
            {int(moved[place]): one for place, one in self.long.items() if moved[place] >= 0},
        )


def make_matrix(
    comments: Sequence[LabeledComment],
    features: FeatureParams,
    padding: Padding | None = None,
    *,
    seed: int = 0,
    n_processes: int | None = None,
) -> Matrix:
    """Make the rows of labelled comments, and with ``padding`` those of their echoes.

    Parameters
    ----------
    comments : sequence of LabeledComment
    features : FeatureParams
    padding : Padding, optional
    seed : int
        Chooses the echoes.
    n_processes : int, optional
        Two where there are two cores and enough comments, if not given; the rows are the same, to the bit.
    """
    if padding is not None and padding.share:
        made = echoes(comments, padding, seed=seed)
        return replace(
            make_matrix(comments, features, n_processes=n_processes),
            echoes=make_matrix([echo.row for echo in made], features, n_processes=n_processes).rows,
            origins=np.array([[echo.parent, echo.donor] for echo in made], dtype=np.int64).reshape(-1, 2).T,
        )
    if n_processes is None:
        n_processes = min(2, os.cpu_count() or 1) if len(comments) >= 4 * _CHUNK else 1
    chunks = [comments[start : start + _CHUNK] for start in range(0, len(comments), _CHUNK)]
    if n_processes == 1:
        return _assemble(comments, features, map(_Rows(features), chunks))
    # A fork of a process that has threads, as a service has, may hang: begin afresh.
    fresh = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(n_processes, mp_context=fresh) as pool:
        return _assemble(comments, features, pool.map(_Rows(features), chunks))


class _Rows:
    """Turns a chunk of comments into rows; what a process of its own is given."""

    def __init__(self, features: FeatureParams) -> None:
        self._features = features

    def __call__(self, comments: Sequence[LabeledComment]) -> _Part:
        extractor = Extractor(self._features)
        rows, n_words = extractor.counted_rows([row.comment for row in comments])
        return rows, long_comments(comments, n_words, extractor)


_Part = tuple[Rows, list[tuple[int, LongComment]]]


def _assemble(comments: Sequence[LabeledComment], features: FeatureParams, parts: Iterable[_Part]) -> Matrix:
    """Put rows together in arrays that grow in place: joining the parts at the end would hold them twice."""
    # liblinear takes 32-bit indices and 64-bit values only; made here once, not in every fit.
    values, indices = np.empty(0), np.empty(0, dtype=np.int32)
    lengths = [np.zeros(1, dtype=np.int64)]
    done = 0
    long: dict[int, LongComment] = {}
    for number, (part, long_ones) in enumerate(parts):
        long |= {number * _CHUNK + place: one for place, one in long_ones}
        end = done + part.indices.size
        if end > values.size:
            room = max(end, values.size + values.size // 8)
            values.resize(room, refcheck=False)
            indices.resize(room, refcheck=False)
        values[done:end], indices[done:end] = part.values, part.indices
        lengths.append(np.diff(part.indptr))
        done = end
    values.resize(done, refcheck=False)
    indices.resize(done, refcheck=False)
    indptr = np.cumsum(np.concatenate(lengths)).astype(np.int32)
    table = scipy.sparse.csr_array((values, indices, indptr), shape=(len(comments), 1 << features.bits))
    return Matrix(list(comments), table, corpus.labels(comments), features=features, long=long)
