"""``replyguard policy``: what a site wants, and its lists."""

from __future__ import annotations

from typing import Any

import click

from service.administration import InvalidPolicy
from service.cli.sites import (
    open_administration,
    open_parts,
    print_retention,
    print_site,
    show,
    site_argument,
)
from service.cli.stop import StopCommand
from service.clock import utc_now
from service.keeping import RetentionRules
from service.lists import InvalidEntry, Kind, Side
from service.retention import MAX_DAYS
from service.settings import UnsureAnswer
from service.stores.policies import WebhookMode
from service.stores.retention import RetentionStore

_KINDS = click.Choice([kind.value for kind in Kind])
_NONE = "none"
_DEFAULT = "default"


@click.group()
def policy() -> None:
    """Show and change what a site wants. A change reaches every worker within two seconds."""


policy.add_command(show)


@policy.command("set")
@click.argument("site")
@click.option(
    "--budget",
    metavar="PER_THOUSAND",
    help=f"Real comments of 1,000 that may be held, from 0.5 to 100; {_NONE}: the service's own cut-offs.",
)
@click.option(
    "--unsure",
    type=click.Choice([*(answer.value for answer in UnsureAnswer), _DEFAULT]),
    help=f"What becomes of an unsure comment; {_DEFAULT}: as REPLYGUARD_UNSURE says.",
)
@click.option(
    "--discard/--no-discard", default=None, help="Whether a client may throw blatant spam away unseen."
)
@click.option(
    "--log-only/--no-log-only",
    default=None,
    help="Always answer false, and record what would have been answered.",
)
@click.option(
    "--silence/--no-silence",
    default=None,
    help="Whether a comment let through and not corrected for 14 days counts as real when cut-offs are found.",
)
def set_policy(
    site: str,
    budget: str | None,
    unsure: str | None,
    discard: bool | None,
    log_only: bool | None,
    silence: bool | None,
) -> None:
    """Change the policy of SITE; what is not given stays. A site that is not known yet comes into being."""
    changes: dict[str, Any] = {}
    if budget is not None:
        changes["budget_per_thousand"] = _read_budget(budget)
    if unsure is not None:
        changes["unsure"] = None if unsure == _DEFAULT else UnsureAnswer(unsure)
    given = {"discard": discard, "log_only": log_only, "counts_silence": silence}
    changes |= {name: value for name, value in given.items() if value is not None}
    if not changes:
        raise StopCommand("give at least one option; see `replyguard policy set --help`", exit_code=2)
    address = site_argument(site)
    try:
        print_site(open_administration().change(address, **changes))
    except InvalidPolicy as error:
        raise StopCommand(f"--{error.field}: {error.remedy}", exit_code=2) from error


@policy.command()
@click.argument("site")
@click.argument("kind", type=_KINDS)
@click.argument("value")
def allow(site: str, kind: str, value: str) -> None:
    """Always let through what VALUE matches on SITE. Goes before deny."""
    _add(site, Side.ALLOW, kind, value)


@policy.command()
@click.argument("site")
@click.argument("kind", type=_KINDS)
@click.argument("value")
def deny(site: str, kind: str, value: str) -> None:
    """Always take for spam what VALUE matches on SITE."""
    _add(site, Side.DENY, kind, value)


@policy.command()
@click.argument("site")
@click.argument("kind", type=_KINDS)
@click.argument("value")
def remove(site: str, kind: str, value: str) -> None:
    """Strike VALUE off the lists of SITE."""
    address = site_argument(site)
    try:
        removed = open_administration().remove(address, Kind(kind), value)
    except InvalidEntry as error:
        raise StopCommand(f"VALUE: {error}", exit_code=2) from error
    if not removed:
        raise StopCommand(f"VALUE: it is on no list of this site; see `replyguard sites show {site}`")
    click.echo("Removed.")


@policy.command()
@click.argument("site")
@click.option("--comments", metavar="DAYS", help="Days for which checked comments are kept.")
@click.option("--feedback", metavar="DAYS", help="Days for which moderators' corrections are kept.")
@click.option("--counts", metavar="DAYS", help="Days for which daily counts are kept.")
def retention(site: str, comments: str | None, feedback: str | None, counts: str | None) -> None:
    """Set for how long the data of SITE is kept: days, 0 until it is erased, or default for the settings.

    What is not given stays. The notice tells it from then on, and the next purge goes by it.
    """
    given = {"comments": comments, "feedback": feedback, "counts": counts}
    changes = {f"{name}_days": _read_days(name, text) for name, text in given.items() if text is not None}
    if not changes:
        raise StopCommand("give at least one option; see `replyguard policy retention --help`", exit_code=2)
    address = site_argument(site)
    parts = open_parts()
    print_retention(
        RetentionRules(parts.settings, RetentionStore(parts.database, parts.site_store), utc_now).change(
            address, **changes
        )
    )


@policy.command()
@click.argument("site")
@click.option("--key", metavar="12HEX", help="The key that the site uses; kept encrypted under the secret.")
@click.option("--private", is_flag=True, help="The site is in a private network, and may be called there.")
@click.option("--off", is_flag=True, help="Tell the site nothing any more, and forget the key.")
def webhook(site: str, key: str | None, private: bool, off: bool) -> None:
    """Tell SITE's Akismet plugin (5.5 on) when `replyguard retrospect correct` calls a comment of it spam."""
    address = site_argument(site)
    if off == (key is not None):
        raise StopCommand("--key: give the key that the site uses, or --off", exit_code=2)
    parts = open_parts()
    mode = WebhookMode.OFF if off else WebhookMode.PRIVATE if private else WebhookMode.PUBLIC
    try:
        known = None if key is None else parts.keys.find(key)
        parts.administration.set_webhook(address, mode, key, known)
    except InvalidPolicy as error:
        raise StopCommand(f"--{error}", exit_code=2) from error
    told = "nothing" if off else "of comments that turn out to be spam"
    click.echo(f"{address.address} is told {told}.")


def _add(site: str, side: Side, kind: str, value: str) -> None:
    address = site_argument(site)
    try:
        entry = open_administration().add(address, side, Kind(kind), value)
    except InvalidEntry as error:
        raise StopCommand(f"VALUE: {error}", exit_code=2) from error
    click.echo(f"Entry {entry.id}: {entry.side.value} {entry.kind.value} {entry.shown}")


def _read_days(name: str, text: str) -> int | None:
    if text == _DEFAULT:
        return None
    if text.isdecimal() and int(text) <= MAX_DAYS:
        return int(text)
    raise StopCommand(f"--{name}: give days, 0 to {MAX_DAYS}, or {_DEFAULT}", exit_code=2)


def _read_budget(text: str) -> float | None:
    if text == _NONE:
        return None
    try:
        return float(text)
    except ValueError:
        raise StopCommand(
            f"--budget: give real comments held per thousand, from 0.5 to 100, or {_NONE}", exit_code=2
        ) from None
