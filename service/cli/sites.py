"""``replyguard sites``: the sites, and what is wanted for each of them."""

from __future__ import annotations

import sys
from dataclasses import dataclass

import click
from rich.console import Console
from rich.table import Table

from service.administration import SiteAdministration, SiteUnknown, SiteView
from service.calibration import Calibration
from service.champion import Champion
from service.cli.run import prepared, read_settings
from service.cli.stop import StopCommand
from service.clock import utc_now
from service.db import Database
from service.declaration.terms import Retention
from service.keeping import RetentionRules, RetentionView
from service.keys import Keys
from service.policies import defaults_of
from service.pseudonyms import Pseudonyms
from service.retention import OF_SITES
from service.settings import Settings
from service.sites import InvalidSite, SiteAddress, parse_site
from service.startup import open_database, open_registry, secret_of
from service.stores.calibration import CalibrationStore
from service.stores.keys import KeyStore
from service.stores.policies import PolicyStore
from service.stores.retention import RetentionStore
from service.stores.sites import SiteStore


@dataclass(frozen=True, slots=True)
class Parts:
    """What the commands about sites are made of."""

    settings: Settings
    database: Database
    site_store: SiteStore
    store: PolicyStore
    pseudonyms: Pseudonyms
    keys: Keys
    administration: SiteAdministration


def open_parts() -> Parts:
    """Return the parts on the settings' database and models."""
    settings = read_settings()
    prepared(settings, first_key=False)
    # Nobody waits for an answer on the wire: a busy database may take its time.
    database = open_database(settings, timeout_s=max(settings.database_timeout_s, 10.0))
    site_store = SiteStore()
    store = PolicyStore(database, site_store)
    models = Champion(open_registry(settings))
    pseudonyms = Pseudonyms(secret_of(settings))
    calibration = Calibration(models=models, judged=CalibrationStore(database), log=store, clock=utc_now)
    administration = SiteAdministration(
        store=store,
        calibration=calibration,
        models=models,
        defaults=defaults_of(settings),
        pseudonyms=pseudonyms,
        clock=utc_now,
    )
    keys = Keys(KeyStore(database, site_store), pseudonyms, utc_now)
    return Parts(settings, database, site_store, store, pseudonyms, keys, administration)


def open_administration() -> SiteAdministration:
    """Return the use case on the settings' database and models."""
    return open_parts().administration


def site_argument(site: str) -> SiteAddress:
    """Read a site's address, or stop saying what it should be."""
    try:
        return parse_site(site)
    except InvalidSite as error:
        raise StopCommand(f"SITE: {error}; give the site's full URL", exit_code=2) from error


def console() -> Console:
    """Return a console that gives a pipe its lines whole."""
    return Console(width=None if sys.stdout.isatty() else 240, highlight=False, markup=False)


@click.group()
def sites() -> None:
    """List the sites, and show what is wanted for one."""


@sites.command("list")
def list_sites() -> None:
    """List the sites that a check, a key or a policy has named."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("SITE", "SINCE", "BUDGET", "UNSURE", "DISCARD", "LOG ONLY", "LIST ENTRIES"):
        table.add_column(heading)
    for row in open_administration().sites():
        table.add_row(
            row.site.address,
            f"{row.created_at:%Y-%m-%d}",
            _budget(row.policy.budget_per_thousand),
            "default" if row.policy.unsure is None else row.policy.unsure.value,
            "yes" if row.policy.discard else "no",
            "yes" if row.policy.log_only else "no",
            str(row.n_entries),
        )
    console().print(table)


@sites.command()
@click.argument("site")
def show(site: str) -> None:
    """Show the policy of SITE, its cut-offs with how sure they are, and its lists."""
    address = site_argument(site)
    parts = open_parts()
    try:
        print_site(parts.administration.show(address))
    except SiteUnknown as error:
        raise StopCommand(
            f"SITE: no check, key or policy has named {error}; see `replyguard sites list`"
        ) from error
    store = RetentionStore(parts.database, parts.site_store)
    print_retention(RetentionRules(parts.settings, store, utc_now).show(address))


def print_site(view: SiteView) -> None:
    """Print all that is wanted for a site and what follows from it."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    policy = view.policy
    source = " (from the settings)" if policy.unsure is None else ""
    table.add_row("site", view.site.address)
    table.add_row("budget", _budget(policy.budget_per_thousand))
    table.add_row("unsure", f"{view.unsure.value}{source}")
    table.add_row("discard", "yes" if policy.discard else "no")
    table.add_row("log only", "yes: always answered false" if policy.log_only else "no")
    table.add_row("silence", "counts as ham" if policy.counts_silence else "does not count")
    if view.cut_offs is None:
        table.add_row("cut-offs", "no model is there; run `replyguard doctor`")
    else:
        cuts = view.cut_offs.policy
        shown = f"unsure from {_score(cuts.unsure_from)}, spam from {_score(cuts.spam_from)}"
        table.add_row("cut-offs", f"{shown}, discard from {_score(cuts.discard_from)}")
        table.add_row("", view.cut_offs.statement)
    for entry in view.entries:
        table.add_row(entry.side.value, f"{entry.kind.value} {entry.shown} (entry {entry.id})")
    console().print(table)


def print_retention(view: RetentionView) -> None:
    """Print for how long a site's data is kept."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for retention, n_days in view.days.items():
        forever = "not kept" if retention is Retention.COMPANY else "until erased"
        is_own = retention in OF_SITES and view.own.of(retention) is not None
        shown = f"{n_days} days" if n_days else forever
        table.add_row(
            "keeps", retention.value, shown, "(the site's own)" if is_own else "(from the settings)"
        )
    console().print(table)


def _budget(budget: float | None) -> str:
    return "none" if budget is None else f"{budget:g} in 1,000"


def _score(cut: float) -> str:
    return "never" if cut > 1 else f"{cut:.4f}"
