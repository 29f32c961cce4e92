"""What one site's moderators teach: a small vector over the same hashed tokens, on top of the global score.

It is fitted from scratch on the site's labels each time one of them changes, so the order in which they came
leaves no trace, and a label that is taken back is forgotten entirely. Which labels count is the caller's.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.features import BLOCK_NAMES, FACT, FeatureParams, Rows

#: What a label asks for, in log-odds of its own side. What is beyond it already moves nothing.
MARGIN = 4.0
#: Log-odds of the general model against a label from which on the label is doubtful: 5 is 150 to 1.
DOUBT_FROM = 5.0
#: How far an anchor may drift before it holds back, in log-odds; well below any cut-off for spam.
ANCHOR_CEILING = -1.2
#: The site's part of a verdict, and what any one token adds to it, are bounded, in log-odds.
MAX_PART = 10.0
MAX_TOKEN = 2.0
#: Tokens kept, the heaviest; a vector of this size takes half a megabyte.
MAX_TOKENS = 1 << 16

# Prior variance of a token's weight is 1 in units of its value here; all blocks alike, facts quieter, because
# each is shared by half the comments (docs/experiments/0008-site-weights.md has the tables of what lost).
_FACT_SCALE = 0.1
_PENALTY = 1.0 / 3.0
# A free bias balances the two labels' pull on the words that they share: at 300 labels that is worth 1.3 points of
# recall on the blogs and 2.8 on the other sites. One label alone must not explain itself by it.
_BIAS_VARIANCE = 1.0
_LEAST_BIAS_VARIANCE = 0.01
# Towards spam no comment is moved for being of this site: where nearly all labels are spam, that held ham.
_MIN_BIAS = -2.0
# The bias is set free, and general model and words are weighed, only as far as this many of both labels are known.
_BOTH_FROM = 5
# While the words are fitted, the general model's log-odds count this much, so that words learn also what it knows.
_SHARE_IN_FIT = 0.25
# What the two say may count, and how many labels may be wrong; each combination is tried.
_GENERAL_SAYS = np.arange(7) * 0.2
_WORDS_SAY = np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 2.5, 3.0])
_LEVELS = np.arange(-3.0, 5.0)
_SHARES_WRONG = (0.0, 0.02, 0.05, 0.1, 0.2)
_LEVEL_DEVIATION = 2.0
# Neither may be louder than it was fitted unless more than this many of both labels are known; one of them is at
# least this loud.
_LOUDER_FROM = 15
_LEAST_LOUD = 0.9
# What a comment's part counts at most in the mean over ham, in log-odds; and from where on a label is a certainty.
_MAX_LIFT = 4.0
_SURE = 30.0
# What a label that cannot be met adds at most to the loss's slope: a few wrong ones must not outshout the rest.
_MAX_MISSING = 1.0
_MAX_ROUNDS = 60
# Coefficients are kept on a grid, so that the last bits of a solver are not the last bits of a verdict.
_GRID = float(1 << 20)
_COARSE_GRID = float(1 << 10)
_HEADER = struct.Struct("<4sddI")
_MAGIC = b"rgs1"


@dataclass(frozen=True, slots=True)
class Examples:
    """Comments as this layer sees them.

    Attributes
    ----------
    rows : Rows
        Made under ``site_params``.
    log_odds : ndarray of float64, shape (n_comments,)
        What the general model says of them.
    """

    rows: Rows
    log_odds: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class SiteWeights:
    """One site's vector.

    Attributes
    ----------
    indices : ndarray of int32, shape (n_tokens,)
        Places in the table of tokens, rising.
    values : ndarray of float32, shape (n_tokens,)
        Log-odds per unit of token value.
    trust : float
        Share of the general log-odds that is added to them, in [-1, 1]; negative if they mislead here.
    bias : float
        Added to every comment of the site, in log-odds, at most 0.
    """

    indices: NDArray[np.int32]
    values: NDArray[np.float32]
    trust: float = 0.0
    bias: float = 0.0

    def at(self, indices: NDArray[np.int32]) -> NDArray[np.float64]:
        """Return the weights of tokens by their places, 0 for those it does not have."""
        if self.indices.size == 0:
            return np.zeros(indices.shape)
        places = np.minimum(np.searchsorted(self.indices, indices), self.indices.size - 1)
        found = self.indices[places] == indices
        return np.where(found, self.values[places], np.float32(0.0)).astype(np.float64)

    def parts(self, examples: Examples) -> NDArray[np.float64]:
        """Return what the site adds to each comment's log-odds, bounded, shape (n_comments,)."""
        rows = examples.rows
        owners = np.repeat(np.arange(rows.indptr.size - 1), np.diff(rows.indptr))
        terms = self.at(rows.indices) * rows.values
        sums = np.bincount(owners, weights=terms, minlength=rows.indptr.size - 1)
        raw = sums + self.trust * examples.log_odds + self.bias
        return np.clip(raw, -MAX_PART, MAX_PART)

    def to_bytes(self) -> bytes:
        """Return the vector in a form that is the same on every machine."""
        head = _HEADER.pack(_MAGIC, self.trust, self.bias, self.indices.size)
        return head + self.indices.astype("<i4").tobytes() + self.values.astype("<f4").tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> SiteWeights:
        """Read what ``to_bytes`` gave.

        Raises
        ------
        ValueError
            If it is something else, or not whole.
        """
        if len(data) < _HEADER.size:
            raise ValueError("these are no site weights: too short")
        magic, trust, bias, n_tokens = _HEADER.unpack_from(data)
        if magic != _MAGIC or len(data) != _HEADER.size + 8 * n_tokens:
            raise ValueError("these are no site weights, or not all of them")
        indices = np.frombuffer(data, "<i4", n_tokens, _HEADER.size).astype(np.int32)
        values = np.frombuffer(data, "<f4", n_tokens, _HEADER.size + 4 * n_tokens).astype(np.float32)
        return cls(indices, values, trust, bias)


def site_params(params: FeatureParams) -> FeatureParams:
    """Return the same tokens with the volumes that this layer learns with."""
    scales = {
        # A block that the model does not hear stays unheard: its values could not be told apart again.
        name: (_FACT_SCALE if block == FACT else 1.0) if params.scales.get(name, 1.0) else 0.0
        for block, name in BLOCK_NAMES.items()
    }
    return replace(params, scales=scales)


def volumes(params: FeatureParams, n_blocks: int = FACT + 1) -> NDArray[np.float64]:
    """Return, by block, what a value under ``params`` is multiplied with to be one under ``site_params``."""
    ours = site_params(params).scales
    factors = np.zeros(n_blocks)
    for block, name in BLOCK_NAMES.items():
        scale = params.scales.get(name, 1.0)
        factors[block] = ours[name] / scale if scale else 0.0
    return factors


def learn(
    labelled: Examples, is_spam: NDArray[np.bool_], *, anchors: Examples | None = None
) -> SiteWeights | None:
    """Fit a site's vector to what its moderators said.

    A support vector machine with squared hinge, whose prior is that nothing changes, learns the words. How much
    they and the general model then count is decided by what each says of labels that it was not told, so that a
    model that misleads here is left behind, and labels that contradict one another unlearn nothing. Beside the
    labels it may heed anchors: recent comments that were let through and about which nobody complained. They are
    no labels: they ask for nothing, and hold back only where other comments' labels would carry them towards spam.

    Parameters
    ----------
    labelled : Examples
    is_spam : ndarray of bool, shape (n_comments,)
    anchors : Examples, optional

    Returns
    -------
    SiteWeights or None
        None without any label.

    References
    ----------
    C.-J. Hsieh et al., "A dual coordinate descent method for large-scale linear SVM", ICML 2008 (the loss); K.
    Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009 (a vector per person
    over shared hashed tokens).
    """
    if is_spam.size == 0:
        return None
    parts = [labelled] if anchors is None or anchors.log_odds.size == 0 else [labelled, anchors]
    table, places = _table([part.rows for part in parts])
    log_odds = np.concatenate([part.log_odds for part in parts])
    n_anchors = log_odds.size - is_spam.size
    signs = np.concatenate([np.where(is_spam, 1.0, -1.0), np.full(n_anchors, -1.0)])
    ceilings = np.maximum(log_odds[is_spam.size :], ANCHOR_CEILING)
    margins = np.concatenate([np.full(is_spam.size, MARGIN), -ceilings])
    n_rarer = int(min(is_spam.sum(), (~is_spam).sum()))
    both = min(1.0, n_rarer / _BOTH_FROM)
    bias_variance = _LEAST_BIAS_VARIANCE + (_BIAS_VARIANCE - _LEAST_BIAS_VARIANCE) * both
    kernel = np.asarray((table @ table.T).toarray()) + bias_variance
    offsets = log_odds.copy()
    offsets[: is_spam.size] *= 1.0 - (1.0 - _SHARE_IN_FIT) * both
    solved = _solve(kernel, signs, margins, offsets)
    duals = np.rint(solved * _GRID) / _GRID
    bias = bias_variance * math.fsum(duals)
    if not both:
        return _vector(table, places, duals, trust=0.0, bias=float(np.clip(bias, _MIN_BIAS, 0.0)))
    unseen = _unseen(kernel, signs, margins, offsets, solved)[: is_spam.size]
    general, words = (1.0 + (share - 1.0) * both for share in _weigh(labelled.log_odds, unseen, is_spam))
    # Only their ratio ranks comments. How loud the louder of the two may be keeps their sum fit for the cut-offs.
    louder = max(general, words)
    loudest = 1.0 + max(0, n_rarer - _LOUDER_FROM) / _LOUDER_FROM
    scale = min(max(louder, _LEAST_LOUD), loudest) / louder
    general, words = _on_coarse_grid(scale * general), _on_coarse_grid(scale * words)
    # No comment is moved for being of this site, but as far as the rest would raise its ham: the level that the labels
    # ask for would take spam back from under the cut-off that right labels had left there.
    said = (general - 1.0) * labelled.log_odds + words * (unseen - bias)
    lift = _lift_of_ham(said[~is_spam], labelled.log_odds[~is_spam])
    level = float(np.clip(-_on_coarse_grid(max(0.0, lift)), _MIN_BIAS, 0.0))
    return _vector(table, places, words * duals, trust=general - 1.0, bias=level)


def _on_coarse_grid(value: float) -> float:
    return round(value * _COARSE_GRID) / _COARSE_GRID


def _unseen(
    kernel: NDArray[np.float64],
    signs: NDArray[np.float64],
    margins: NDArray[np.float64],
    offsets: NDArray[np.float64],
    duals: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return how far each comment would be moved had its own label not been given.

    Exact as long as the other labels stay on their side of their margins (leave-one-out of a ridge).
    """
    moved = kernel @ duals
    missing = margins - signs * (offsets + moved)
    active = np.flatnonzero((missing > 0.0) & (missing < _MAX_MISSING))
    capped = np.flatnonzero(missing >= _MAX_MISSING)
    reach = np.zeros(signs.size)
    reach[capped] = kernel.diagonal()[capped]
    if active.size:
        system = kernel[np.ix_(active, active)]
        system[np.diag_indices(active.size)] += _PENALTY
        inverse = np.linalg.inv(system)
        reach[active] = 1.0 / inverse.diagonal() - _PENALTY
        across = kernel[np.ix_(capped, active)]
        reach[capped] -= np.sum((across @ inverse) * across, axis=1)
    return np.asarray(moved - duals * np.maximum(reach, 0.0), dtype=np.float64)


def _weigh(
    log_odds: NDArray[np.float64], unseen: NDArray[np.float64], is_spam: NDArray[np.bool_]
) -> tuple[float, float]:
    """Return how much the general model and the site's words should count.

    Means of the posterior over both and the level of their sum, where each label was likely as a logistic
    regression has it, but any share of them may be wrong: a moderator who errs makes neither of the two less
    credible. Normal priors, around 1 for both and around 0 for the level.
    """
    general, words, level = (
        axis.ravel() for axis in np.meshgrid(_GENERAL_SAYS, _WORDS_SAY, _LEVELS, indexing="ij")
    )
    signs = np.where(is_spam, 1.0, -1.0)
    sums = np.outer(general, signs * log_odds) + np.outer(words, signs * unseen) + np.outer(level, signs)
    right = 1.0 / (1.0 + np.exp(-np.clip(sums, -_SURE, _SURE)))
    prior = -0.5 * ((general - 1.0) ** 2 + (words - 1.0) ** 2 + (level / _LEVEL_DEVIATION) ** 2)
    evidence = np.array(
        [np.log(share + (1.0 - 2.0 * share) * right).sum(axis=1) + prior for share in _SHARES_WRONG]
    )
    chances = np.exp(evidence - evidence.max()).sum(axis=0)
    chances /= chances.sum()
    return float(chances @ general), float(chances @ words)


def _lift_of_ham(parts: NDArray[np.float64], log_odds: NDArray[np.float64]) -> float:
    """Return by how much a site's parts, as log-odds, favour spam on ham, that near the cut-off counting more.

    A ratio of likelihoods, spam to ham, has mean 1 over ham; what is beyond is not learnt but carried along.
    One comment more, that is not moved, stands for how little a few tell.
    """
    weights = 1.0 / (1.0 + np.exp(-log_odds))
    return math.log((math.fsum(weights * np.exp(np.minimum(parts, _MAX_LIFT))) + 1.0) / (weights.sum() + 1.0))


def _table(parts: list[Rows]) -> tuple[Any, NDArray[np.int32]]:
    """Put rows into one table with a column per different token; return it with the columns' places."""
    lengths = np.concatenate([np.diff(part.indptr) for part in parts])
    places, columns = np.unique(np.concatenate([part.indices for part in parts]), return_inverse=True)
    # Imported where a site is taught: only reading weights, or the registry, would pay a sixth of a second.
    import scipy.sparse

    table = scipy.sparse.csr_array(
        (
            np.concatenate([part.values for part in parts]).astype(np.float64),
            columns.astype(np.int32),
            np.concatenate(([0], np.cumsum(lengths))).astype(np.int32),
        ),
        shape=(lengths.size, places.size),
    )
    # Two tokens of a comment that share a place share its weight.
    table.sum_duplicates()
    return table, places


def _solve(
    kernel: NDArray[np.float64],
    signs: NDArray[np.float64],
    margins: NDArray[np.float64],
    log_odds: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the dual coefficients, by Newton's method over the comments that miss their margin."""
    import scipy.linalg

    most = _MAX_MISSING / _PENALTY

    def loss(moved: NDArray[np.float64], duals: NDArray[np.float64]) -> float:
        missing = np.maximum(0.0, margins - signs * (log_odds + moved))
        bounded = np.minimum(missing, _MAX_MISSING)
        return float(np.sum(bounded * (missing - 0.5 * bounded))) + 0.5 * _PENALTY * float(
            np.sum(duals * moved)
        )

    duals = np.zeros(signs.size)
    moved = np.zeros(signs.size)
    value = loss(moved, duals)
    for _ in range(_MAX_ROUNDS):
        missing = margins - signs * (log_odds + moved)
        active = np.flatnonzero((missing > 0.0) & (missing < _MAX_MISSING))
        wanted = np.where(missing >= _MAX_MISSING, signs * most, 0.0)
        if active.size:
            system = kernel[np.ix_(active, active)]
            system[np.diag_indices(active.size)] += _PENALTY
            rest = (signs * margins - log_odds - kernel @ wanted)[active]
            wanted[active] = scipy.linalg.solve(system, rest, assume_a="pos")
        step = wanted - duals
        move = kernel @ step
        length = 1.0
        while True:
            new = loss(moved + length * move, duals + length * step)
            if new <= value or length < 1e-6:
                break
            length /= 2.0
        duals = duals + length * step
        moved = moved + length * move
        if value - new <= 1e-9 * (1.0 + value):
            break
        value = new
    return duals


def _vector(
    table: Any, places: NDArray[np.int32], duals: NDArray[np.float64], *, trust: float, bias: float
) -> SiteWeights:
    """Return the weights that the dual coefficients stand for, bounded, the heaviest kept."""
    terms = table.data * np.repeat(duals, np.diff(table.indptr))
    weights = np.bincount(table.indices, weights=terms, minlength=places.size)
    weights = np.clip(weights, -MAX_TOKEN, MAX_TOKEN).astype(np.float32)
    if weights.size > MAX_TOKENS:
        # A stable sort, so that equals are kept by place and not by chance.
        heaviest = np.argsort(-np.abs(weights), kind="stable")[:MAX_TOKENS]
        weights, places = weights[np.sort(heaviest)], places[np.sort(heaviest)]
    kept = weights != 0.0
    return SiteWeights(places[kept].astype(np.int32), weights[kept], trust, bias)
