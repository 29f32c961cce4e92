"""Scores comments with one version's weights, and says exactly why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model.budget import CutTable
from model.card import ModelCard
from model.comment import Comment
from model.document import Document, prepare
from model.explain import explain
from model.features import Extractor, FeatureParams, Occurrences, Rows
from model.flip import Flip, smallest_flip
from model.passage import MIN_WORDS, find
from model.site_weights import MAX_PART, Examples, SiteWeights, site_params, volumes
from model.verdict import Clue, Policy, Verdict

# Of the passage that was judged, so many characters say which one it is.
_SHOWN_CHARS = 60


class SpamClassifier:
    """One fitted, calibrated version.

    The score is sigmoid(bias + sum of weight * value over the comment's tokens): what ``explain`` lists adds
    up to it because there is nothing else in it. A long comment is judged as a whole and by its strongest passage
    (``passage.py``), and the higher of both holds, with the reasons of that one.

    Parameters
    ----------
    version : str
    params : FeatureParams
        What tokens are made.
    weights : ndarray of float32, shape (2 ** params.bits,)
        Log-odds per unit of token value, calibration included; may be memory-mapped, is only read.
    bias : float
        Log-odds of a comment without tokens.
    policy : Policy
        The version's own cut-offs, for sites that set none.
    card : ModelCard
    cut_table : CutTable, optional
        The cut-offs that other budgets mean; None for versions fitted before there was such a table.

    Raises
    ------
    ValueError
        If the weights' shape does not fit the parameters.
    """

    def __init__(
        self,
        *,
        version: str,
        params: FeatureParams,
        weights: NDArray[np.float32],
        bias: float,
        policy: Policy,
        card: ModelCard,
        cut_table: CutTable | None = None,
    ) -> None:
        if weights.shape != (1 << params.bits,):
            raise ValueError(f"{weights.shape} weights for a table of {1 << params.bits}")
        self.version = version
        self.params = params
        self.weights = np.asarray(weights)  # still mapped, but what is taken from it is a plain array
        self.bias = bias
        self.policy = policy
        self.card = card
        self.cut_table = cut_table
        self._extractor = Extractor(params)
        self._site_extractor = Extractor(site_params(params))
        self._volumes = volumes(params)

    def log_odds(self, comments: Sequence[Comment]) -> NDArray[np.float64]:
        """Return each comment's calibrated log-odds of being spam, shape (n_comments,).

        A comment's value is the same alone and in any batch, to the last bit.
        """
        return self._judged(comments)[0]

    def _judged(self, comments: Sequence[Comment]) -> tuple[NDArray[np.float64], dict[int, Comment]]:
        """Return the log-odds, and by place the passages that are judged in the stead of long comments."""
        rows, n_words = self._extractor.counted_rows(comments)
        log_odds = self._sum(rows)
        alone: dict[int, Comment] = {}
        if n_words.max(initial=0) < MIN_WORDS:
            return log_odds, alone
        for place in (n_words >= MIN_WORDS).nonzero()[0].tolist():
            document = prepare(comments[place])
            tokens = self._extractor.occurrences(document)
            passage, said = self._strongest(comments[place], document, tokens)
            if passage is not None and said > log_odds[place]:
                log_odds[place], alone[place] = said, _alone(comments[place], passage)
        return log_odds, alone

    def _strongest(
        self, comment: Comment, document: Document, tokens: Occurrences
    ) -> tuple[tuple[int, int] | None, float]:
        """Return the strongest passage of a comment and its log-odds; None if it has no passages."""
        passages = find(document, tokens, self._extractor, len(comment.body))
        if passages is None:
            return None, -np.inf
        tried = passages.strongest(self.weights)
        said = self._sum(self._extractor.rows([_alone(comment, each) for each in tried]))
        best = int(said.argmax())
        return tried[best], float(said[best])

    def _sum(self, rows: Rows) -> NDArray[np.float64]:
        """Return bias plus weight times value of each row."""
        # The zero behind the last row is a row of its own: were it part of the last, that row would be summed in
        # another order than alone. An empty row gets its neighbour's first term, which the mask takes back.
        terms = np.empty(rows.indices.size + 1)
        np.multiply(self.weights.take(rows.indices), rows.values, out=terms[:-1], dtype=np.float64)
        terms[-1] = 0.0
        sums = np.add.reduceat(terms, rows.indptr)[:-1]
        sums[rows.indptr[1:] == rows.indptr[:-1]] = 0.0
        return sums + self.bias

    def score(self, comments: Sequence[Comment]) -> NDArray[np.float64]:
        """Return each comment's calibrated P(spam), in [0, 1], shape (n_comments,)."""
        return sigmoid(self.log_odds(comments))

    def examples(self, comments: Sequence[Comment]) -> Examples:
        """Return comments as a site's own weights are learnt from them."""
        log_odds, alone = self._judged(comments)
        judged = [alone.get(place, comment) for place, comment in enumerate(comments)]
        return Examples(self._site_extractor.rows(judged), log_odds)

    def _part_judged(self, comment: Comment, document: Document | None = None) -> _Part:
        """Return the comment or its strongest passage, whichever speaks more for spam."""
        document = prepare(comment) if document is None else document
        tokens = self._extractor.occurrences(document)
        log_odds = float(self._sum(tokens.row)[0])
        passage, said = self._strongest(comment, document, tokens)
        if passage is None or said <= log_odds:
            return _Part(document, tokens, log_odds)
        document = prepare(_alone(comment, passage))
        return _Part(document, self._extractor.occurrences(document), said, passage)

    def judge(
        self,
        comment: Comment,
        policy: Policy | None = None,
        site: SiteWeights | None = None,
        document: Document | None = None,
    ) -> Verdict:
        """Score one comment, decide on it and give the reasons.

        Parameters
        ----------
        comment : Comment
        policy : Policy, optional
            Cut-offs to decide by; the version's own if not given.
        site : SiteWeights, optional
            What the site's moderators taught, learnt from ``examples`` of this very version.
        document : Document, optional
            The comment, prepared, where that has been done before; its list of facts is added to.

        Returns
        -------
        Verdict
            Its clues, those of the passage if one was judged, and ``bias`` add up to ``log_odds``, to within rounding.
        """
        policy = policy or self.policy
        part = self._part_judged(comment, document)
        log_odds = part.log_odds
        clues = explain(part.document, part.tokens, self.weights)
        if site is not None:
            said, reasons = self._site_part(part.tokens, log_odds, site)
            log_odds += said
            clues = tuple(sorted((*clues, *reasons), key=lambda clue: (-abs(clue.weight), clue.text)))
        if part.passage is not None:
            clues = (
                _judged_alone(comment.body, part.passage),
                *(_moved(clue, part.passage[0]) for clue in clues),
            )
        score = float(sigmoid(np.array([log_odds]))[0])
        return Verdict(
            score=score,
            decision=policy.decide(score),
            discard=policy.discards(score),
            clues=clues,
            bias=self.bias,
            log_odds=log_odds,
            version=self.version,
            passage=part.passage,
        )

    def smallest_flip(self, comment: Comment, policy: Policy | None = None) -> Flip | None:
        """Return the smallest change found that would flip a comment's verdict; see ``model.flip``.

        Costs some thirty scores: for a person who asks, not for every comment.

        Parameters
        ----------
        comment : Comment
        policy : Policy, optional
            Cut-offs to decide by; the version's own if not given.

        Returns
        -------
        Flip or None
            None if nothing that was tried flips it.
        """
        policy = policy or self.policy
        verdict = self.judge(comment, policy)
        return smallest_flip(
            comment,
            prepare(comment),
            verdict.clues,
            decision=verdict.decision,
            policy=policy,
            score=self.score,
        )

    def _site_part(
        self, tokens: Occurrences, log_odds: float, site: SiteWeights
    ) -> tuple[float, tuple[Clue, ...]]:
        """Return what a site adds to the general log-odds, bounded, and why."""
        said = float(np.sum(site.at(tokens.indices) * tokens.values * self._volumes[tokens.blocks]))
        trust = site.trust * log_odds + site.bias
        # Beyond the bound both shrink alike, so that the reasons still add up.
        shrunk = MAX_PART / max(MAX_PART, abs(said + trust))
        clues = (
            Clue("this site's moderators said so of the like", said * shrunk, "site"),
            Clue("this site's moderators: how far the general model is right here", trust * shrunk, "site"),
        )
        return (said + trust) * shrunk, tuple(clue for clue in clues if clue.weight != 0.0)


class _Part(NamedTuple):
    """What of a comment is judged.

    Attributes
    ----------
    document : Document
    tokens : Occurrences
    log_odds : float
    passage : (int, int) or None
        Where the body that is judged stands in the comment's, if it is not the whole of it.
    """

    document: Document
    tokens: Occurrences
    log_odds: float
    passage: tuple[int, int] | None = None


def _alone(comment: Comment, passage: tuple[int, int]) -> Comment:
    """Return a comment with a passage of its body for a body."""
    return replace(comment, body=comment.body[slice(*passage)])


def _judged_alone(body: str, passage: tuple[int, int]) -> Clue:
    """Say that only a passage was judged, and which; that adds nothing to the sum."""
    first, last = passage
    begins = " ".join(body[first : min(last, first + 4 * _SHOWN_CHARS)].split())
    if len(begins) > _SHOWN_CHARS:
        begins = f"{begins[: _SHOWN_CHARS - 1].rstrip()}…"
    return Clue(
        f'judged by a passage alone, which speaks more for spam: "{begins}"',
        0.0,
        "body",
        (passage,),
    )


def _moved(clue: Clue, first: int) -> Clue:
    """Return a clue of a passage with its places in the whole body."""
    if clue.field != "body" or not clue.spans:
        return clue
    return replace(clue, spans=tuple((start + first, end + first) for start, end in clue.spans))


def sigmoid(log_odds: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / (1 + exp(-x)), by the identity that overflows nowhere and takes three calls instead of eight."""
    return 0.5 + 0.5 * np.tanh(0.5 * log_odds)
