"""Use case: tell commenters what is done with their data, from the declaration, the settings and the model."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
from dataclasses import dataclass
from typing import Any

import structlog

from model.comment import Comment
from model.errors import ModelUnavailable
from model.verdict import Clue, Decision, Policy
from service.champion import Scorer, ScorerSource
from service.clock import Clock
from service.declaration.received import RECEIVED, forms_of
from service.declaration.stored import STORED
from service.declaration.terms import Retention
from service.policies import Policies
from service.retention import DaysKept, days_of
from service.settings import Settings, UnsureAnswer
from service.sites import SiteAddress
from service.stores.notices import NoticeStore

_log = structlog.get_logger(__name__)

#: Judged by the live model to show how a score comes about. Made up.
EXAMPLE = Comment(
    body="Nice article, thank you! Visit my online casino for free bonus: http://lucky-casino.example/",
    author="Anna Example",
    email="anna@mail.example",
)
_N_REASONS = 3
_MAX_CHANGES = 50
_WITH_DAYS = (Retention.COMMENTS, Retention.COMPANY, Retention.FEEDBACK, Retention.COUNTS, Retention.APPEALS)


@dataclass(frozen=True, slots=True)
class Controller:
    """Who is responsible; "" where the operator has not said."""

    name: str
    contact: str


@dataclass(frozen=True, slots=True)
class Example:
    """How the live model judges the example.

    Attributes
    ----------
    score : float
    decision : Decision
    reasons : tuple of Clue
        The strongest.
    n_more : int
        How many smaller ones there are besides.
    version : str
    """

    score: float
    decision: Decision
    reasons: tuple[Clue, ...]
    n_more: int
    version: str


@dataclass(frozen=True, slots=True)
class Change:
    """What became different in the notice.

    Attributes
    ----------
    at : datetime
    fingerprint : str
        Of the notice from then on.
    changed : tuple of (str, object, object)
        What, before and after; None where there was or is nothing. Empty for the first notice.
    """

    at: dt.datetime
    fingerprint: str
    changed: tuple[tuple[str, Any, Any], ...]


@dataclass(frozen=True, slots=True)
class Notice:
    """What there is to tell.

    Attributes
    ----------
    site : SiteAddress or None
        Whose settings apply; None: the service's.
    controller : Controller
    days : dict of Retention to int
        0: until it is erased, but of ``COMPANY``: not at all.
    unsure : UnsureAnswer
    discard, log_only : bool
    cut_offs : Policy or None
        None while no model is there, as ``example``.
    example : Example or None
    tells_site : bool
        Whether the site (without one: any site) is told of corrections.
    fingerprint : str
    changes : tuple of Change
        Latest first.
    site_changed_at : datetime or None
    """

    site: SiteAddress | None
    controller: Controller
    days: dict[Retention, int]
    unsure: UnsureAnswer
    discard: bool
    log_only: bool
    cut_offs: Policy | None
    example: Example | None
    tells_site: bool
    fingerprint: str
    changes: tuple[Change, ...]
    site_changed_at: dt.datetime | None


def facts_of(settings: Settings, days: DaysKept) -> dict[str, Any]:
    """Return what the notice of a service depends on, as flat data: a change in it is a change of the notice."""
    facts: dict[str, Any] = {
        "controller.name": settings.controller_name,
        "controller.contact": settings.controller_contact,
        "unsure": settings.unsure.value,
    }
    facts |= {f"retention.{each.value}": days(each, None) for each in _WITH_DAYS}
    facts |= {
        f"stored.{table}.{name}": item.form.value
        for table, items in STORED.items()
        for name, item in items.items()
    }
    facts |= {f"received.{each.name}": [form.value for form in forms_of(each)] for each in RECEIVED}
    return {name: value for name, value in facts.items() if value is not None}


def fingerprint_of(facts: dict[str, Any]) -> str:
    """Return a short name that is another for other facts."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:12]


def record_notice(store: NoticeStore, settings: Settings, clock: Clock) -> None:
    """Remember what the notice says from now on, if that differs from what it said before."""
    facts = facts_of(settings, days_of(settings))
    known = store.read()
    before = {} if known is None else known["facts"]
    if known is not None and before == facts:
        return
    names = () if known is None else sorted({*before, *facts})
    changed = [
        [name, before.get(name), facts.get(name)] for name in names if before.get(name) != facts.get(name)
    ]
    change = {"at": clock().isoformat(), "fingerprint": fingerprint_of(facts), "changed": changed}
    changes = [] if known is None else known["changes"]
    store.write({"facts": facts, "changes": [*changes, change][-_MAX_CHANGES:]})


def _judged(scorer: Scorer, cuts: Policy) -> Example | None:
    try:
        verdict = scorer.judge(EXAMPLE, cuts)
    # What is kept and for how long must be readable even while the model is broken.
    except Exception as error:
        _log.error("example not judged", cause=type(error).__name__, remedy="run `replyguard doctor`")
        return None
    reasons = tuple(clue for clue in verdict.clues if clue.field != "rest")
    n_more = max(len(reasons) - _N_REASONS, 0)
    return Example(verdict.score, verdict.decision, reasons[:_N_REASONS], n_more, verdict.version)


class Notices:
    """Puts the notice of a site together."""

    def __init__(
        self,
        *,
        settings: Settings,
        store: NoticeStore,
        policies: Policies,
        models: ScorerSource,
        days: DaysKept | None = None,
    ) -> None:
        self._settings = settings
        self._store = store
        self._policies = policies
        self._models = models
        self._days = days_of(settings) if days is None else days

    @property
    def controller(self) -> Controller:
        """Who is responsible; asks nobody, so it can be told in an outage too."""
        return Controller(self._settings.controller_name or "", self._settings.controller_contact or "")

    def of(self, site: SiteAddress | None) -> Notice:
        """Return what applies to a site; a site that is not known has the service's own notice.

        Raises
        ------
        sqlalchemy.exc.SQLAlchemyError
            If the database does not answer.
        """
        live = self._policies.of(site) if site is not None else self._policies.general
        cuts = example = None
        with contextlib.suppress(ModelUnavailable):
            scorer = self._models.current()
            cuts = live.cut_offs(scorer).policy
            example = _judged(scorer, cuts)
        return Notice(
            site=site,
            controller=self.controller,
            days={each: self._days(each, site) for each in _WITH_DAYS},
            unsure=live.unsure,
            discard=live.policy.discard,
            log_only=live.policy.log_only,
            cut_offs=cuts,
            example=example,
            tells_site=self._store.tells_site(site),
            fingerprint=fingerprint_of(facts_of(self._settings, self._days)),
            changes=self._changes(),
            site_changed_at=None if site is None else self._store.changed_at(site),
        )

    def _changes(self) -> tuple[Change, ...]:
        known = self._store.read() or {"changes": []}
        return tuple(
            Change(
                dt.datetime.fromisoformat(each["at"]),
                each["fingerprint"],
                tuple((name, before, after) for name, before, after in each["changed"]),
            )
            for each in reversed(known["changes"])
        )
