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
from service.stores.checks import StoredCheck
from service.stores.comments import COMMENT_COLUMNS, comment_values
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
    models : ScorerSource, optional
        What a label is compared with, to find those that contradict overwhelming evidence.
    learning : Learner, optional
        Works the site's weights out at once; without it the site's next check does.
    on_label : callable
        Told of a site about which somebody said something new.
    """

    def __init__(
        self,
        *,
        labels: FeedbackLog,
        pseudonyms: Pseudonyms,
        clock: Clock,
        models: ScorerSource | None = None,
        learning: Learner | None = None,
        on_label: Callable[[SiteAddress], None] = lambda _: None,
    ) -> None:
        self._labels = labels
        self._models = models
        self._learning = learning
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._on_label = on_label

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
        return self._keep(
            FeedbackRecord(
                guid=uuid.uuid4().hex,
                created_at=self._clock(),
                key_id=key.id,
                site=request.site,
                label=request.label.value,
                content_hash=self._pseudonyms.digest("content", canonical),
                is_test=request.is_test,
                values=values,
                state=self._state(request.label, comment),
            ),
            request.label,
            claimed,
        )

    def record_of(
        self, check: StoredCheck, label: Label, *, reporter: str, key_id: int, is_admins: bool = False
    ) -> bool:
        """Keep a label for a comment that is named by its check; tell whether it said anything new.

        Parameters
        ----------
        check : StoredCheck
        label : Label
        reporter : str
            The moderator's login; kept as a keyed hash.
        key_id : int
        is_admins : bool
            Whether an admin of the service says so. It is learnt whatever the evidence says, since the one who
            would be asked about it has just spoken.

        Raises
        ------
        sqlalchemy.exc.SQLAlchemyError
            If it cannot be kept.
        """
        values = {name: check.values[name] for name in COMMENT_COLUMNS}
        values |= {"reporter_hash": self._pseudonyms.of_reporter(reporter), "claimed_answer": None}
        record = FeedbackRecord(
            guid=uuid.uuid4().hex,
            created_at=self._clock(),
            key_id=key_id,
            site=check.site,
            label=label.value,
            content_hash=check.values["content_hash"],
            is_test=check.values["is_test"],
            values=values,
            state=State.LEARNT if is_admins else _state(label, check.values["log_odds"]),
            is_admins=is_admins,
        )
        return self._keep(record, label, None)

    def _keep(self, record: FeedbackRecord, label: Label, claimed: str | None) -> bool:
        is_new = self._labels.add(
            record, lambda answer: mistake(label, claimed if answer is None else answer)
        )
        if is_new and not record.is_test:
            self._learn_now(record.site)
            self._on_label(record.site)
        return is_new

    def _state(self, label: Label, comment: Comment) -> State:
        if self._models is None:
            return State.LEARNT
        try:
            log_odds = self._models.current().judge(comment).log_odds
        # Without a model, or with a broken one, there is no evidence; the label is kept all the same.
        except Exception as error:
            _log.warning("label not compared with the model", cause=type(error).__name__)
            return State.LEARNT
        return _state(label, log_odds)

    def _learn_now(self, site: SiteAddress) -> None:
        """Work the weights out while the moderator waits, so that no commenter has to."""
        if self._models is None or self._learning is None:
            return
        try:
            self._learning.current(site, self._models.current())
        # The label is on disk and will be learnt at the next check; it must not be reported lost.
        except Exception as error:
            _log.warning("site weights not worked out yet", cause=type(error).__name__)


def _state(label: Label, log_odds: float) -> State:
    """Return whether a label is learnt, given what the evidence says."""
    against = -log_odds if label is Label.SPAM else log_odds
    return State.DOUBTFUL if against >= DOUBT_FROM else State.LEARNT
