"""Use case: what an admin does with sites: look at them, change their policies and lists."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from dataclasses import dataclass
from typing import Any

from model.errors import ModelUnavailable
from service.calibration import Calibration
from service.champion import ScorerSource
from service.clock import Clock
from service.cutoffs import MAX_BUDGET, MIN_BUDGET, CutOffs
from service.lists import Entry, Kind, Side, make_entry
from service.policies import Defaults, LivePolicy
from service.pseudonyms import Pseudonyms
from service.settings import UnsureAnswer
from service.sites import SiteAddress
from service.stores.keys import Key
from service.stores.policies import PolicyStore, SitePolicy, SiteRow, WebhookMode
from service.webhooks import KeyVault


class SiteUnknown(Exception):
    """No check, key or policy has ever named this site."""


class InvalidPolicy(ValueError):
    """A field of a policy cannot be used.

    Parameters
    ----------
    field : str
    remedy : str
    """

    def __init__(self, field: str, remedy: str) -> None:
        super().__init__(f"{field}: {remedy}")
        self.field = field
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class SiteView:
    """A site as its admin sees it.

    Attributes
    ----------
    site : SiteAddress
    policy : SitePolicy
    unsure : UnsureAnswer
        What applies: the policy's, else the settings'.
    entries : tuple of Entry
    cut_offs : CutOffs or None
        None while no model is there.
    """

    site: SiteAddress
    policy: SitePolicy
    unsure: UnsureAnswer
    entries: tuple[Entry, ...]
    cut_offs: CutOffs | None


class SiteAdministration:
    """Sites, their policies and their lists."""

    def __init__(
        self,
        *,
        store: PolicyStore,
        calibration: Calibration,
        models: ScorerSource,
        defaults: Defaults,
        pseudonyms: Pseudonyms,
        clock: Clock,
    ) -> None:
        self._store = store
        self._calibration = calibration
        self._models = models
        self._defaults = defaults
        self._pseudonyms = pseudonyms
        self._clock = clock

    def sites(self) -> list[SiteRow]:
        """Return every site that is known, by address."""
        return self._store.sites()

    def show(self, site: SiteAddress) -> SiteView:
        """Return what a site wants and what follows from it.

        Raises
        ------
        SiteUnknown
        """
        state = self._store.state(site)
        if state is None:
            raise SiteUnknown(site.address)
        live = LivePolicy(state, self._defaults)
        cuts = None
        with contextlib.suppress(ModelUnavailable):
            cuts = live.cut_offs(self._models.current())
        return SiteView(site, state.policy, live.unsure, state.entries, cuts)

    def change(self, site: SiteAddress, **changes: Any) -> SiteView:
        """Change fields of a site's policy; a site that is not known yet comes into being.

        Raises
        ------
        InvalidPolicy
            If a value cannot be used; nothing is changed then.
        """
        state = self._store.state(site)
        return self.replace(
            site, dataclasses.replace(SitePolicy() if state is None else state.policy, **changes)
        )

    def replace(self, site: SiteAddress, policy: SitePolicy) -> SiteView:
        """Put a policy in the place of a site's earlier one, and compute what its budget means.

        Raises
        ------
        InvalidPolicy
            As ``change``.
        """
        budget = policy.budget_per_thousand
        if budget is not None and not (math.isfinite(budget) and MIN_BUDGET <= budget <= MAX_BUDGET):
            raise InvalidPolicy(
                "budget", f"give real comments held per thousand, from {MIN_BUDGET:g} to {MAX_BUDGET:g}"
            )
        self._store.put(site, policy, self._clock())
        with contextlib.suppress(ModelUnavailable):
            self._calibration.refresh(site)
        return self.show(site)

    def add(self, site: SiteAddress, side: Side, kind: Kind, value: str) -> Entry:
        """Write an entry into a site's list; on the other list it is struck out.

        Raises
        ------
        InvalidEntry
            If the value is none of its kind.
        """
        return self._store.add_entry(site, make_entry(side, kind, value, self._pseudonyms), self._clock())

    def remove(self, site: SiteAddress, kind: Kind, value: str) -> bool:
        """Strike an entry out, on whichever list it is; tell whether it was there.

        Raises
        ------
        InvalidEntry
            If the value is none of its kind.
        """
        entry = make_entry(Side.DENY, kind, value, self._pseudonyms)
        return self._store.remove_entry_by_value(site, kind, entry.value)

    def remove_by_id(self, site: SiteAddress, entry_id: int) -> bool:
        """Strike an entry out by its number; tell whether it was there."""
        return self._store.remove_entry_by_id(site, entry_id)

    def webhook(self, site: SiteAddress) -> WebhookMode:
        """Tell whether a site is told of corrections."""
        return self._store.webhook(site)[0]

    def set_webhook(self, site: SiteAddress, mode: WebhookMode, key: str | None, known: Key | None) -> None:
        """Set whether a site is told of corrections; a site that is not known yet comes into being.

        Parameters
        ----------
        site : SiteAddress
        mode : WebhookMode
        key : str or None
            The key that the site uses, which it expects from us; kept encrypted. With ``OFF`` none is kept.
        known : Key or None
            What is known of that key.

        Raises
        ------
        InvalidPolicy
            If the key is missing, or no live key for this site; nothing is changed then.
        """
        sealed = None
        if mode is not WebhookMode.OFF:
            if key is None:
                raise InvalidPolicy("key", "give the key that the site uses")
            if known is None or not known.serves(site):
                raise InvalidPolicy("key", "it is no live key for this site; see `replyguard keys list`")
            sealed = KeyVault(self._pseudonyms).seal(key.strip().lower())
        self._store.put_webhook(site, mode, sealed, self._clock())
