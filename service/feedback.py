"""Use case: keep what a moderator says of a comment, match it to the check it corrects, and learn from it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import structlog

from model.comment import Comment, Label
from model.site_weights import DOUBT_FROM
from service.champion import Scorer, ScorerSource
from service.clock import Clock
from service.fingerprint import canonical_content
from service.learning import Taught
from service.pseudonyms import Pseudonyms
from service.sites import SiteAddress
from service.stores.comments import comment_values
from service.stores.feedback import FeedbackRecord, State
from service.stores.keys import Key

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FeedbackRequest:
    """A label with its comment.

    Attributes
    ----------
    label : Label
    comment : Comment
    site : SiteAddress
    ip : str
        The commenter's address; kept as a keyed hash.
    user_role : str
    reporter : str
        The moderator's login; kept as a keyed hash.
    claimed_answer : str
        What the client says was answered at the check: true, false, or anything else for unknown.
    is_test : bool
        Recorded as a test; neither counted nor effective for real comments.
    """

    label: Label
    comment: Comment
    site: SiteAddress
    ip: str = ""
    user_role: str = ""
    reporter: str = ""
    claimed_answer: str = ""
    is_test: bool = False


class FeedbackLog(Protocol):
    """Where labels are kept."""

    def add(self, record: FeedbackRecord, counted_as: Callable[[str | None], str | None]) -> bool: ...


class Learner(Protocol):
    """Whoever works out what a site has been taught."""

    def current(self, site: SiteAddress, scorer: Scorer) -> Taught: ...


def mistake(label: Label, answer: str | None) -> str | None:
    """Name the count that a label raises, given what the comment was answered.

    Parameters
    ----------
    label : Label
    answer : str or None
        true, false, hold, or None if nobody knows; then the label is taken for a correction.

    Returns
    -------
    str or None
        ``missed_spam``, ``false_positives``, or None where the label only confirms the answer, or the
        comment was held for a person, who has now decided.
    """
    if label is Label.SPAM:
        return "missed_spam" if answer in ("false", None) else None
    return "false_positives" if answer in ("true", None) else None


class Feedback:
    """Records labels and has them learnt.

    Parameters
    ----------
    labels : FeedbackLog
    pseudonyms : Pseudonyms
    clock : Clock
    models : ScorerSource
        What a label is compared with, to find those that contradict overwhelming evidence.
    learning : Learner
    """

    def __init__(
        self,
        *,
        labels: FeedbackLog,
        pseudonyms: Pseudonyms,
        clock: Clock,
        models: ScorerSource,
        learning: Learner,
    ) -> None:
        self._labels = labels
        self._models = models
        self._learning = learning
        self._pseudonyms = pseudonyms
        self._clock = clock

    def record(self, request: FeedbackRequest, *, key: Key) -> bool:
        """Keep a label and learn it; tell whether it said anything new.

        On return it is on disk, and every check from now on counts it, unless it is doubtful or its key has
        taught as much as it may today: then it is kept, and counts once the admin agrees.

        Raises
        ------
        sqlalchemy.exc.SQLAlchemyError
            If it cannot be kept.
        """
        comment = request.comment
        claimed = request.claimed_answer if request.claimed_answer in ("true", "false") else None
        values = comment_values(
            comment, ip=request.ip, user_role=request.user_role, pseudonyms=self._pseudonyms
        )
        values |= {
            "reporter_hash": self._pseudonyms.of_reporter(request.reporter),
            "claimed_answer": claimed,
        }
        canonical = canonical_content(comment.body, comment.author, comment.url)
        record = FeedbackRecord(
            guid=uuid.uuid4().hex,
            created_at=self._clock(),
            key_id=key.id,
            site=request.site,
            label=request.label.value,
            content_hash=self._pseudonyms.digest("content", canonical),
            is_test=request.is_test,
            values=values,
            state=self._state(request),
        )
        new = self._labels.add(
            record, lambda answer: mistake(request.label, claimed if answer is None else answer)
        )
        if new and not request.is_test:
            self._learn_now(request.site)
        return new

    def _state(self, request: FeedbackRequest) -> State:
        try:
            log_odds = self._models.current().judge(request.comment).log_odds
        # Without a model, or with a broken one, there is no evidence; the label is kept all the same.
        except Exception as error:
            _log.warning("label not compared with the model", cause=type(error).__name__)
            return State.LEARNT
        against = -log_odds if request.label is Label.SPAM else log_odds
        return State.DOUBTFUL if against >= DOUBT_FROM else State.LEARNT

    def _learn_now(self, site: SiteAddress) -> None:
        """Work the weights out while the moderator waits, so that no commenter has to."""
        try:
            self._learning.current(site, self._models.current())
        # The label is on disk and will be learnt at the next check; it must not be reported lost.
        except Exception as error:
            _log.warning("site weights not worked out yet", cause=type(error).__name__)
