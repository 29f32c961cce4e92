"""What applies to a check on a site: its policy, cut-offs and lists, remembered between requests."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from model.verdict import Policy
from service.champion import Scorer
from service.clock import Clock
from service.cutoffs import CutOffs, SiteHam, cut_offs, without_budget
from service.lists import SiteLists
from service.policy import PolicyOverrides
from service.settings import Settings, UnsureAnswer
from service.sites import SiteAddress
from service.stores.policies import SitePolicy, SiteState

_log = structlog.get_logger(__name__)

#: Seconds for which a worker believes that nothing changed. A change reaches every worker after this time.
CACHE_S = 1.0
#: What time alone changes (comments that settle) is computed again after this long.
_CALIBRATION_AGE = dt.timedelta(days=1)
_MAX_CACHED = 10_000


class Wishes(Protocol):
    """Where the sites' wishes are kept."""

    def token(self) -> str: ...

    def state(self, site: SiteAddress) -> SiteState | None: ...


@dataclass(frozen=True, slots=True)
class Defaults:
    """What applies to a site that wants nothing else.

    Attributes
    ----------
    unsure : UnsureAnswer
    overrides : PolicyOverrides
        Cut-offs on top of the model's; a site's budget goes before them.
    """

    unsure: UnsureAnswer = UnsureAnswer.PUBLISH
    overrides: PolicyOverrides = field(default_factory=PolicyOverrides)


def defaults_of(settings: Settings) -> Defaults:
    """Return what the settings say."""
    overrides = PolicyOverrides(settings.unsure_from, settings.spam_from, settings.discard_from)
    return Defaults(settings.unsure, overrides)


class LivePolicy:
    """One site's wishes, ready for its checks."""

    def __init__(self, state: SiteState | None, defaults: Defaults) -> None:
        self._defaults = defaults
        self.policy = SitePolicy() if state is None else state.policy
        self.lists = SiteLists(() if state is None else state.entries)
        self.calibration = None if state is None else state.calibration
        self._site_ham = None if self.calibration is None else SiteHam.from_dict(self.calibration.content)
        self._found: tuple[tuple[str, Policy], CutOffs] | None = None

    @property
    def unsure(self) -> UnsureAnswer:
        """What is answered for an unsure comment."""
        return self.policy.unsure or self._defaults.unsure

    def cut_offs(self, scorer: Scorer) -> CutOffs:
        """Return the cut-offs under a version; found once, then remembered."""
        name = (scorer.version, scorer.policy)
        if self._found is None or self._found[0] != name:
            self._found = (name, self._find(scorer))
        return self._found[1]

    def _find(self, scorer: Scorer) -> CutOffs:
        own = self._defaults.overrides.over(scorer.policy)
        budget = self.policy.budget_per_thousand
        if budget is None:
            return without_budget(own)
        calibration = self.calibration
        is_current = calibration is not None and calibration.model_version == scorer.version
        return cut_offs(
            budget,
            self.unsure,
            own=own,
            pooled=scorer.cut_table,
            site=self._site_ham if is_current else None,
        )

    def is_out_of_date(self, scorer: Scorer, now: dt.datetime) -> bool:
        """Tell whether the site's own comments should be looked at again."""
        if self.policy.budget_per_thousand is None:
            return False
        known = self.calibration
        return (
            known is None
            or known.model_version != scorer.version
            or now - known.computed_at > _CALIBRATION_AGE
        )


class Policies:
    """The policies of all sites, as checks need them.

    Once in ``CACHE_S`` one thread asks whether anything changed; the others go on with what they have. A site
    is read at its first check after a change. Where the database does not answer, what was known goes on, and
    for a site that nothing is known of the settings apply: a check does not fail because of its policy.
    """

    def __init__(
        self,
        wishes: Wishes,
        defaults: Defaults,
        clock: Clock,
        *,
        on_out_of_date: Callable[[SiteAddress], None] = lambda _: None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wishes = wishes
        self._defaults = defaults
        self._clock = clock
        self._on_out_of_date = on_out_of_date
        self._monotonic = monotonic
        self._asking = threading.Lock()
        self._keeping = threading.Lock()
        self._token: str | None = None
        self._fresh_until = 0.0
        self._live: dict[str, tuple[str | None, LivePolicy]] = {}
        self._without = LivePolicy(None, defaults)

    @property
    def general(self) -> LivePolicy:
        """What applies to a site that wants nothing of its own."""
        return self._without

    def of(self, site: SiteAddress) -> LivePolicy:
        """Return what applies to a site now; never raises."""
        if self._monotonic() >= self._fresh_until:
            self._ask()
        token = self._token
        known = self._live.get(site.address)
        if known is not None and known[0] == token:
            return known[1]
        try:
            live = LivePolicy(self._wishes.state(site), self._defaults)
        # The verdict has to be recorded too: if the database is really gone, that will say so.
        except Exception as error:
            _log.error(
                "policy not read",
                cause=type(error).__name__,
                going_on_with="the last one known" if known is not None else "the settings",
                remedy="run `replyguard doctor`",
            )
            return self._without if known is None else known[1]
        with self._keeping:
            if len(self._live) >= _MAX_CACHED:
                self._live.clear()
            self._live[site.address] = (token, live)
        return live

    def decide_by(self, site: SiteAddress, scorer: Scorer) -> tuple[LivePolicy, Policy]:
        """Return what applies to a site, and its cut-offs under a version."""
        live = self.of(site)
        if live.policy.budget_per_thousand is not None and live.is_out_of_date(scorer, self._clock()):
            self._on_out_of_date(site)
        return live, live.cut_offs(scorer).policy

    def _ask(self) -> None:
        """Find out whether anything changed, unless another thread is at it."""
        if not self._asking.acquire(blocking=False):
            return
        try:
            self._token = self._wishes.token()
        except Exception as error:
            _log.error("policies not read", cause=type(error).__name__, remedy="run `replyguard doctor`")
        finally:
            self._fresh_until = self._monotonic() + CACHE_S
            self._asking.release()
