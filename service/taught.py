"""A model as one site has taught it, for judging many comments at once without a database."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from model.classifier import SpamClassifier, sigmoid
from model.comment import Comment, Label
from model.site_weights import DOUBT_FROM, SiteWeights, learn
from model.verdict import Policy, Verdict
from service.stores.site_weights import MAX_LABELS


def contradicted(is_spam: NDArray[np.bool_], scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Tell of which labels the general model holds the opposite for sure.

    Parameters
    ----------
    is_spam : ndarray of bool, shape (n_comments,)
    scores : ndarray of float64, shape (n_comments,)
        The general model's probabilities of spam.
    """
    return np.where(is_spam, 1.0 - scores, scores) >= sigmoid(np.array(DOUBT_FROM))


class TaughtModel:
    """A model with one site's weights on top.

    Parameters
    ----------
    champion : SpamClassifier
    weights : SiteWeights
        Learnt from that very version's examples.
    """

    def __init__(self, champion: SpamClassifier, weights: SiteWeights) -> None:
        self._champion = champion
        self._weights = weights

    @property
    def version(self) -> str:
        return self._champion.version

    @property
    def policy(self) -> Policy:
        return self._champion.policy

    def score(self, comments: Sequence[Comment]) -> NDArray[np.float64]:
        """Return each comment's P(spam) on this site, in [0, 1], shape (n_comments,)."""
        examples = self._champion.examples(comments)
        return sigmoid(examples.log_odds + self._weights.parts(examples))

    def judge(self, comment: Comment, policy: Policy | None = None) -> Verdict:
        """Score one comment, decide on it and give the reasons."""
        return self._champion.judge(comment, policy, self._weights)


class SiteLearner:
    """Learns of a site's labels what the service would have learnt from them.

    Parameters
    ----------
    champion : SpamClassifier
    """

    #: Of each label the newest ``MAX_LABELS`` count; ten times as many are looked through for the rarer one.
    max_past = 10 * MAX_LABELS

    def __init__(self, champion: SpamClassifier) -> None:
        self._champion = champion

    def learn(self, comments: Sequence[Comment], labels: Sequence[Label]) -> TaughtModel | SpamClassifier:
        """Return what answers after these labels, which come oldest first.

        Comments that the model lets through and nobody labelled would hold back in the service; a history has
        none, so only labels speak here. Labels that contradict overwhelming evidence wait for the admin, in the
        service as here.
        """
        is_spam = np.array([label is Label.SPAM for label in labels], dtype=np.bool_)
        believed = np.flatnonzero(~contradicted(is_spam, self._champion.score(comments)))
        comments, is_spam = [comments[place] for place in believed.tolist()], is_spam[believed]
        newest = np.concatenate([np.flatnonzero(is_spam == side)[-MAX_LABELS:] for side in (True, False)])
        newest.sort()
        examples = self._champion.examples([comments[place] for place in newest.tolist()])
        weights = learn(examples, is_spam[newest])
        return self._champion if weights is None else TaughtModel(self._champion, weights)
