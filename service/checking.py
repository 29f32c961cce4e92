"""Use case: judge a comment, keep the check, then answer it."""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Protocol

from model.comment import Comment, Company
from model.company import Mark, author_of, marks
from model.document import accompanied, prepare
from model.sketch import sketch, word_set
from model.verdict import Clue, Decision, Policy, Verdict
from model.wording import Wording, wording
from service.champion import Scorer, ScorerSource
from service.clock import Clock
from service.fingerprint import canonical_content
from service.learning import NOTHING, Taught
from service.lists import Entry, Side
from service.policies import LivePolicy
from service.pseudonyms import Pseudonyms
from service.settings import UnsureAnswer
from service.sites import SiteAddress
from service.stores.checks import CheckRecord
from service.stores.comments import comment_values, cut
from service.stores.company import CheckMarks
from service.stores.keys import Key

GUARANTEED_SPAM = "akismet-guaranteed-spam"
GUARANTEED_SPAM_AUTHORS = (GUARANTEED_SPAM, "viagra-test-123")
GUARANTEED_SPAM_EMAIL = f"{GUARANTEED_SPAM}@example.com"
#: Clues kept with a check; of the others their sum is.
MAX_KEPT_CLUES = 20


class Answer(enum.Enum):
    """What the client is to do."""

    SPAM = "true"
    HAM = "false"
    HOLD = "hold"


class DecidedBy(enum.Enum):
    """What the decision rests on."""

    MODEL = "model"
    GUARANTEED_SPAM = "guaranteed-spam"
    ADMINISTRATOR = "administrator"
    ALLOW_LIST = "allow-list"
    DENY_LIST = "deny-list"


_UNSURE_ANSWERS = {
    UnsureAnswer.PUBLISH: Answer.HAM,
    UnsureAnswer.HOLD: Answer.HOLD,
    UnsureAnswer.SPAM: Answer.SPAM,
}
_LISTED = {
    Side.ALLOW: (DecidedBy.ALLOW_LIST, Answer.HAM, Decision.HAM),
    Side.DENY: (DecidedBy.DENY_LIST, Answer.SPAM, Decision.SPAM),
}


#: Rules by which a site says that a comment is no spam.
_TRUSTED = (DecidedBy.ADMINISTRATOR, DecidedBy.ALLOW_LIST)


@dataclass(frozen=True, slots=True)
class RequestName:
    """By what a client's request is known again.

    Attributes
    ----------
    request_hash, content_hash : str
        Keyed hashes of the name that the client gave to it, and of what it said.
    """

    request_hash: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class CheckRequest:
    """A comment to judge, with what the client says about it.

    Attributes
    ----------
    comment : Comment
    site : SiteAddress
    ip : str
        The commenter's address; kept as a keyed hash.
    user_role : str
        Roles of the commenter on the site, separated by commas.
    recheck_reason : str
        Why the same comment is judged again; "" at the first time.
    callback : str
        Where the client would like to hear of a later change of mind.
    is_test, test_discard : bool
        Recorded as a test and not counted; as if blatant.
    name : RequestName or None
        Where the client may send the same request again.
    """

    comment: Comment
    site: SiteAddress
    ip: str
    user_role: str = ""
    recheck_reason: str = ""
    callback: str = ""
    is_test: bool = False
    test_discard: bool = False
    name: RequestName | None = None


@dataclass(frozen=True, slots=True)
class CheckOutcome:
    """What was decided and recorded.

    Attributes
    ----------
    answer : Answer
    decision : Decision
    discard : bool
        True if nobody need see the comment; only with spam.
    decided_by : DecidedBy
    verdict : Verdict
        What the model said; it may differ from ``decision`` where a rule decided.
    entry : Entry or None
        The entry of the site's lists that decided.
    would_answer : Answer or None
        What would have been answered, where the site's policy is to log only.
    site_version : int
        State of the site's own weights that the verdict rests on; 0 if there are none.
    """

    answer: Answer
    decision: Decision
    discard: bool
    decided_by: DecidedBy
    verdict: Verdict
    entry: Entry | None = None
    would_answer: Answer | None = None
    site_version: int = 0

    @property
    def clues(self) -> tuple[Clue, ...]:
        """The reasons for the decision: the rule, or what the model found."""
        if self.decided_by is DecidedBy.ADMINISTRATOR:
            return (Clue("the commenter is an administrator of the site", 0.0, "rule"),)
        if self.decided_by is DecidedBy.GUARANTEED_SPAM:
            return (Clue("the test value that is always spam", 0.0, "rule"),)
        if self.entry is not None:
            return (Clue(self.entry.reason, 0.0, "rule"), *self.verdict.clues)
        return self.verdict.clues


class CheckLog(Protocol):
    """Where checks are kept."""

    def add(self, *records: CheckRecord) -> None: ...


class PolicySource(Protocol):
    """Where a site's policy comes from."""

    def decide_by(self, site: SiteAddress, scorer: Scorer) -> tuple[LivePolicy, Policy]: ...


class TaughtSites(Protocol):
    """Whoever knows what each site has been taught."""

    def current(self, site: SiteAddress, scorer: Scorer) -> Taught: ...


class CompanySource(Protocol):
    """Whoever counts what a comment has in common with earlier ones."""

    def count(
        self, author: int, marks: Sequence[Mark], *, site: SiteAddress, content_hash: str
    ) -> Company | None: ...


@dataclass(frozen=True, slots=True)
class _Judged:
    """What came of judging a comment, the answer and what is to be kept of the way to it."""

    outcome: CheckOutcome
    wording: Wording
    content_hash: str
    author: int = 0
    marks: Sequence[Mark] = ()
    company: Company | None = None


class Checker:
    """Judges comments and records each check before it is answered.

    Parameters
    ----------
    models : ScorerSource
    checks : CheckLog
    policies : PolicySource
    pseudonyms : Pseudonyms
    clock : Clock
    company : CompanySource, optional
        Without it no comment has company, nor leaves marks for others to meet.
    """

    def __init__(
        self,
        *,
        models: ScorerSource,
        checks: CheckLog,
        policies: PolicySource,
        pseudonyms: Pseudonyms,
        clock: Clock,
        learning: TaughtSites | None = None,
        company: CompanySource | None = None,
    ) -> None:
        self._models = models
        self._checks = checks
        self._policies = policies
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._learning = learning
        self._company = company

    def check(self, request: CheckRequest, *, key: Key, guid: str) -> CheckOutcome:
        """Decide on a comment and record it.

        The comment is scored even where a rule decides, so a test value answers only when the service
        could answer real comments too.

        Parameters
        ----------
        request : CheckRequest
        key : Key
            Who asks.
        guid : str
            Name of this check, 32 hex digits, never used before.

        Raises
        ------
        ModelUnavailable
            If no model is there.
        sqlalchemy.exc.SQLAlchemyError
            If the check cannot be recorded.
        """
        judged = self._judge(request)
        self._checks.add(self._record(request, judged, key, guid))
        return judged.outcome

    def check_all(self, requests: Mapping[str, CheckRequest], *, key: Key) -> list[CheckOutcome]:
        """Decide on several comments, given by the names of their checks, and record all of them or none.

        Raises
        ------
        ModelUnavailable, sqlalchemy.exc.SQLAlchemyError
            As ``check``.
        """
        found = [self._judge(request) for request in requests.values()]
        self._checks.add(
            *(
                self._record(request, judged, key, guid)
                for (guid, request), judged in zip(requests.items(), found, strict=True)
            )
        )
        return [judged.outcome for judged in found]

    def _judge(self, request: CheckRequest) -> _Judged:
        comment = request.comment
        scorer = self._models.current()
        live, policy = self._policies.decide_by(request.site, scorer)
        # Prepared once, for the score, the marks and the fingerprint: it is a good part of what judging costs.
        document = prepare(comment)
        canonical = canonical_content(comment.body, comment.author, comment.url)
        content_hash = self._pseudonyms.digest("content", canonical)
        words = wording(document)
        author, company = 0, None
        left: tuple[Mark, ...] = ()
        if self._company is not None:
            author, left = author_of(comment), marks(document, words)
            company = self._company.count(author, left, site=request.site, content_hash=content_hash)
        if company is not None:
            comment, document = replace(comment, company=company), accompanied(document, company)
        taught = NOTHING if self._learning is None else self._learning.current(request.site, scorer)
        verdict = scorer.judge(comment, policy, taught.weights, document)
        outcome = replace(self._answer(request, verdict, live), site_version=taught.version)
        return _Judged(outcome, words, content_hash, author, left, company)

    def _answer(self, request: CheckRequest, verdict: Verdict, live: LivePolicy) -> CheckOutcome:
        outcome = self._decide(request, verdict, live)
        if not live.policy.discard and outcome.discard:
            outcome = replace(outcome, discard=False)
        if live.policy.log_only:
            outcome = replace(outcome, answer=Answer.HAM, discard=False, would_answer=outcome.answer)
        return outcome

    def _decide(self, request: CheckRequest, verdict: Verdict, live: LivePolicy) -> CheckOutcome:
        comment = request.comment
        roles = {role.strip().lower() for role in request.user_role.split(",")}
        if "administrator" in roles:
            return CheckOutcome(Answer.HAM, Decision.HAM, False, DecidedBy.ADMINISTRATOR, verdict)
        if (
            comment.author.strip().lower() in GUARANTEED_SPAM_AUTHORS
            or comment.email.strip().lower() == GUARANTEED_SPAM_EMAIL
        ):
            discard = request.is_test and request.test_discard
            return CheckOutcome(Answer.SPAM, Decision.SPAM, discard, DecidedBy.GUARANTEED_SPAM, verdict)
        entry = live.lists.match(comment, ip=request.ip, pseudonyms=self._pseudonyms)
        if entry is not None:
            decided_by, answer, decision = _LISTED[entry.side]
            return CheckOutcome(answer, decision, False, decided_by, verdict, entry)
        if verdict.decision is Decision.UNSURE:
            return CheckOutcome(
                _UNSURE_ANSWERS[live.unsure], Decision.UNSURE, False, DecidedBy.MODEL, verdict
            )
        answer = Answer.SPAM if verdict.decision is Decision.SPAM else Answer.HAM
        discard = answer is Answer.SPAM and verdict.discard
        return CheckOutcome(answer, verdict.decision, discard, DecidedBy.MODEL, verdict)

    def _record(self, request: CheckRequest, judged: _Judged, key: Key, guid: str) -> CheckRecord:
        comment, outcome = request.comment, judged.outcome
        kept = outcome.clues[:MAX_KEPT_CLUES]
        values = comment_values(
            comment, ip=request.ip, user_role=request.user_role, pseudonyms=self._pseudonyms
        )
        values |= {
            "guid": guid,
            "content_hash": judged.content_hash,
            "recheck_reason": cut("recheck_reason", request.recheck_reason),
            "callback": cut("callback", request.callback),
            "is_test": request.is_test,
            "score": float(outcome.verdict.score),
            "log_odds": float(outcome.verdict.log_odds),
            "decision": outcome.decision.value,
            "answer": outcome.answer.value,
            "discard": outcome.discard,
            "model_version": outcome.verdict.version,
            "site_version": outcome.site_version,
            "clues": [
                {"text": clue.text, "weight": float(clue.weight), "field": clue.field} for clue in kept
            ],
            "bias": float(outcome.verdict.bias),
            # A rule weighs nothing, so this holds where one stands among those kept, or in their place.
            "rest": _sum(outcome.verdict.clues) - _sum(kept),
            "decided_by": outcome.decided_by.value,
            "sketch": (
                sketch(word_set(judged.wording))
                if outcome.answer is Answer.HAM and not request.is_test
                else None
            ),
            "company": None if judged.company is None else asdict(judged.company),
            "would_answer": None if outcome.would_answer is None else outcome.would_answer.value,
            "request_hash": None if request.name is None else request.name.request_hash,
            "request_content_hash": None if request.name is None else request.name.content_hash,
        }
        counted = {}
        if not request.is_test:
            counted = {
                "calls": 1,
                "spam": int(outcome.answer is Answer.SPAM),
                "ham": int(outcome.answer is Answer.HAM),
            }
        left = None
        if judged.marks and not request.is_test:
            left = CheckMarks(judged.author, judged.marks, is_trusted=outcome.decided_by in _TRUSTED)
        return CheckRecord(self._clock(), key.id, request.site, values, counted, left)


def _sum(clues: Sequence[Clue]) -> float:
    """Return what clues add to the log-odds, whatever their order."""
    return math.fsum(clue.weight for clue in clues)
