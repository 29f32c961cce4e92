"""What is answered: the score, the decision that a policy makes of it, and the clues that add up to it."""

from __future__ import annotations

import enum
import math
from dataclasses import dataclass


class Decision(enum.Enum):
    """Where a score falls under a policy."""

    HAM = "ham"
    UNSURE = "unsure"
    SPAM = "spam"


@dataclass(frozen=True, slots=True)
class Policy:
    """Cut-offs that turn a score into a decision; the ranges are half-open.

    Attributes
    ----------
    unsure_from, spam_from, discard_from : float
        Lowest score that is unsure, spam, and spam so blatant that nobody need see it. In [0, 1] or inf
        ("never"), and in this order.

    Raises
    ------
    ValueError
        If a cut-off is not a number from 0 upwards, or they are out of order.
    """

    unsure_from: float
    spam_from: float
    discard_from: float = math.inf

    def __post_init__(self) -> None:
        cuts = (self.unsure_from, self.spam_from, self.discard_from)
        if any(math.isnan(cut) or cut < 0.0 for cut in cuts):
            raise ValueError(f"cut-offs must be numbers from 0 upwards, not {cuts}")
        if not self.unsure_from <= self.spam_from <= self.discard_from:
            raise ValueError(f"cut-offs must rise: unsure_from <= spam_from <= discard_from, not {cuts}")

    def decide(self, score: float) -> Decision:
        """Return ham below ``unsure_from``, spam from ``spam_from`` on, unsure between.

        Raises
        ------
        ValueError
            If the score is not a number: what cannot be compared must not pass for ham.
        """
        if math.isnan(score):
            raise ValueError("a score that is not a number cannot be decided on")
        if score >= self.spam_from:
            return Decision.SPAM
        return Decision.UNSURE if score >= self.unsure_from else Decision.HAM

    def discards(self, score: float) -> bool:
        """Tell whether the score is in the range that may be thrown away unseen."""
        return score >= self.discard_from


@dataclass(frozen=True, slots=True)
class Clue:
    """One reason behind a score.

    Attributes
    ----------
    text : str
        The reason in words, fit to follow "because": ``links to example.top``, ``word "casino"``.
    weight : float
        What it adds to the score, in log-odds; positive speaks for spam. A verdict's clues and its
        ``bias`` add up to the score's log-odds.
    field : str
        Where it was found: body, author, email, url, shape, page; "rest" for the sum of the small ones.
    spans : tuple of (int, int)
        Where it stands in the original text of that field, as character offsets, half-open; () if it is
        about the whole.
    """

    text: str
    weight: float
    field: str
    spans: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer to one comment.

    Attributes
    ----------
    score : float
        Calibrated P(spam), in [0, 1].
    decision : Decision
    discard : bool
        True if the score is in the policy's discard range.
    clues : tuple of Clue
        Strongest first; with ``bias`` they add up to ``log_odds``.
    bias : float
        Log-odds of a comment without any clue.
    log_odds : float
        Log-odds of the score.
    version : str
        The model version that scored.
    passage : (int, int) or None
        The part of the body that was judged, as character offsets, half-open, if a passage of a long comment
        speaks more for spam than the whole; its first clue then says so.
    """

    score: float
    decision: Decision
    discard: bool
    clues: tuple[Clue, ...]
    bias: float
    log_odds: float
    version: str
    passage: tuple[int, int] | None = None
