"""How long each class of data is kept on a site: the one rule that notice, purge and commands go by."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from service.declaration.terms import Retention
from service.settings import Settings
from service.sites import SiteAddress

#: Classes that a site may keep for another time than the settings say.
OF_SITES = (Retention.COMMENTS, Retention.FEEDBACK, Retention.COUNTS)
MAX_DAYS = 3650


@dataclass(frozen=True, slots=True)
class SiteRetention:
    """For how many days a site's data is kept, 0 to ``MAX_DAYS``; None leaves it to the settings, 0 to an erase."""

    comments_days: int | None = None
    feedback_days: int | None = None
    counts_days: int | None = None

    def of(self, retention: Retention) -> int | None:
        """Return the days of one of ``OF_SITES``."""
        days: int | None = getattr(self, f"{retention.value}_days")
        return days


#: What a site has set; an empty ``SiteRetention`` if nothing.
Overrides = Callable[[SiteAddress], SiteRetention]

#: Days for which something is kept on a site, or on any without settings of its own; 0: until it is erased,
#: but of ``COMPANY``: not at all.
DaysKept = Callable[[Retention, SiteAddress | None], int]


def no_overrides(_site: SiteAddress) -> SiteRetention:
    """Return that a site has set nothing."""
    return SiteRetention()


def days_of(settings: Settings, overrides: Overrides = no_overrides) -> DaysKept:
    """Return the rule that follows from the settings and from what sites have set."""

    def kept(retention: Retention, site: SiteAddress | None) -> int:
        if retention is Retention.SITE:
            return 0
        if retention is Retention.COMPANY:
            # What a comment is known by goes with it, if not earlier.
            comments = kept(Retention.COMMENTS, site)
            return min(settings.company_days, comments) if comments else settings.company_days
        own = overrides(site).of(retention) if site is not None and retention in OF_SITES else None
        general: int = getattr(settings, f"retention_{retention.value}_days")
        return general if own is None else own

    return kept
