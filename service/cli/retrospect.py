"""``replyguard retrospect``: what was let through and looks like what turned out to be spam."""

from __future__ import annotations

import sys

import click
from rich.table import Table

from service.cli.sites import Parts, console, open_parts
from service.cli.stop import StopCommand
from service.clock import utc_now
from service.feedback import Feedback
from service.retrospect import DAYS, Retrospect
from service.stores.checks import CheckStore
from service.stores.feedback import FeedbackStore
from service.stores.retrospect import RetrospectStore
from service.webhooks import KeyVault, Webhooks

_SHOWN_CHARS = 60


def _open(parts: Parts) -> Retrospect:
    feedback = Feedback(
        labels=FeedbackStore(parts.database, parts.site_store), pseudonyms=parts.pseudonyms, clock=utc_now
    )
    checks = CheckStore(parts.database, parts.site_store)
    return Retrospect(log=RetrospectStore(parts.database), checks=checks, feedback=feedback, clock=utc_now)


_days = click.option(
    "--days",
    type=click.FloatRange(min=0, min_open=True, max=365),
    default=DAYS,
    show_default=True,
    help="How far to look back.",
)


@click.group()
def retrospect() -> None:
    """Find and correct near-copies of spam that were let through."""


@retrospect.command("list")
@_days
def list_copies(days: float) -> None:
    """List comments that were let through and have 70 % of their words in common with known spam."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("VERDICT", "SITE", "WHEN", "ALIKE", "SPAM ON", "TEXT"):
        table.add_column(heading)
    copies = _open(open_parts()).near_copies(days=days)
    for copy in copies:
        text = " ".join(str(copy.check.values["body"]).split())
        shown = f"{text[:_SHOWN_CHARS]}..." if len(text) > _SHOWN_CHARS else text
        table.add_row(
            copy.check.guid,
            copy.check.site.address,
            f"{copy.check.created_at:%Y-%m-%d %H:%M}",
            f"{copy.likeness:.0%}",
            copy.spam_site,
            "".join(character if character.isprintable() else "?" for character in shown),
        )
    if copies:
        console().print(table)
    else:
        click.echo("Nothing that was let through looks like known spam.")


@retrospect.command()
@click.argument("guids", metavar="VERDICT...", nargs=-1)
@click.option("--all", "all_listed", is_flag=True, help="All that `replyguard retrospect list` shows.")
@_days
def correct(guids: tuple[str, ...], all_listed: bool, days: float) -> None:
    """Call comments spam, given the names of their verdicts, and tell the sites that want to be told."""
    if all_listed == bool(guids):
        raise StopCommand("VERDICT: give names from `replyguard retrospect list`, or --all", exit_code=2)
    parts = open_parts()
    opened = _open(parts)
    if all_listed:
        guids = tuple(copy.check.guid for copy in opened.near_copies(days=days))
    corrected = opened.correct(guids)
    unknown = [guid for guid, check, _ in corrected if check is None]
    n_new = sum(is_new for _, _, is_new in corrected)
    click.echo(f"{n_new} corrected; {len(corrected) - n_new - len(unknown)} were called spam before.")
    # Those that were called spam before, too: the site may have been down when it was to be told.
    told = [check for _, check, _ in corrected if check is not None]
    for result in Webhooks(parts.store, KeyVault(parts.pseudonyms)).tell(told):
        if result.problem:
            click.echo(f"{result.site} was not told: {result.problem}", err=True)
        else:
            click.echo(f"{result.site} was told of {result.n_comments} and changed {result.n_changed}.")
    for guid in unknown:
        click.echo(f"replyguard: VERDICT: no verdict is named {guid[:40]}", err=True)
    if unknown:
        sys.exit(1)
