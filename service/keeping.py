"""Use case: see and set for how long a site's data is kept."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from service.clock import Clock
from service.declaration.terms import Retention
from service.retention import MAX_DAYS, OF_SITES, SiteRetention, days_of
from service.settings import Settings
from service.sites import SiteAddress
from service.stores.retention import RetentionStore


class InvalidRetention(ValueError):
    """A number of days cannot be used; the message names it and the remedy."""


@dataclass(frozen=True, slots=True)
class RetentionView:
    """For how long a site's data is kept.

    Attributes
    ----------
    site : SiteAddress
    own : SiteRetention
        What the site sets.
    days : dict of Retention to int
        What applies; 0: until it is erased, but of ``COMPANY``: not at all.
    """

    site: SiteAddress
    own: SiteRetention
    days: dict[Retention, int]


class RetentionRules:
    """The days of all sites."""

    def __init__(self, settings: Settings, store: RetentionStore, clock: Clock) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock

    def show(self, site: SiteAddress) -> RetentionView:
        """Return what applies to a site, known or not."""
        kept = days_of(self._settings, self._store.of)
        classes = (*OF_SITES, Retention.COMPANY, Retention.APPEALS)
        return RetentionView(site, self._store.of(site), {each: kept(each, site) for each in classes})

    def replace(self, site: SiteAddress, own: SiteRetention) -> RetentionView:
        """Put days in the place of a site's earlier ones; a site that is not known yet comes into being.

        Raises
        ------
        InvalidRetention
            If a number is none of 0 to ``MAX_DAYS``; nothing is changed then.
        """
        for each in OF_SITES:
            days = own.of(each)
            if days is not None and not 0 <= days <= MAX_DAYS:
                raise InvalidRetention(
                    f"{each.value}_days: give 0 to {MAX_DAYS}, or nothing to leave it to the settings"
                )
        self._store.put(site, own, self._clock())
        return self.show(site)

    def change(self, site: SiteAddress, **changes: int | None) -> RetentionView:
        """Change some of a site's days.

        Raises
        ------
        InvalidRetention
            As ``replace``.
        """
        return self.replace(site, dataclasses.replace(self._store.of(site), **changes))
