"""``replyguard appeals``: what commenters ask a person to look at."""

from __future__ import annotations

import datetime as dt
import sys

import click
from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from model.comment import Label
from service.appeals import (
    AppealResolved,
    Appeals,
    AppealUnknown,
    AppealView,
    CheckUnclear,
    bounds_of,
    number_of,
)
from service.cli.retrain import who
from service.cli.run import read_settings
from service.cli.sites import console, open_parts
from service.cli.stop import StopCommand
from service.clock import utc_now
from service.feedback import Feedback
from service.stores.appeals import AppealStore, Outcome, StoredAppeal
from service.stores.checks import StoredCheck
from service.stores.feedback import FeedbackStore
from service.webhooks import KeyVault, Webhooks

_SHOWN_CHARS = 60
_MAX_REASONS = 8
_LABELS = {Label.HAM: "real comment", Label.SPAM: "spam"}
_ANSWERS = {"true": "spam", "false": "let through", "hold": "held"}


def _open() -> Appeals:
    parts = open_parts()
    # The next check on the site works out what is learnt; no command need load a model for that.
    feedback = Feedback(
        labels=FeedbackStore(parts.database, parts.site_store), pseudonyms=parts.pseudonyms, clock=utc_now
    )
    return Appeals(
        log=AppealStore(parts.database),
        feedback=feedback,
        sites=Webhooks(parts.store, KeyVault(parts.pseudonyms)),
        pseudonyms=parts.pseudonyms,
        clock=utc_now,
        bounds=bounds_of(read_settings()),
    )


@click.group()
def appeals() -> None:
    """Look at what commenters ask a person to look at, and decide."""


@appeals.command("list")
@click.option("--all", "show_all", is_flag=True, help="Also those that are resolved, latest first.")
def list_appeals(show_all: bool) -> None:
    """List open appeals, those that wait longest first."""
    opened = _open()
    found = opened.listed(open_only=not show_all)
    if not found:
        click.echo("There is no appeal." if show_all else "No appeal is open.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("NUMBER", "CAME", "SITE", "BY", "LANG", "STATE", "MESSAGE"):
        table.add_column(heading)
    for appeal in found:
        table.add_row(
            number_of(appeal.guid),
            f"{appeal.created_at:%Y-%m-%d %H:%M}",
            _site(appeal),
            _by(appeal),
            appeal.language,
            _state(appeal),
            _beginning(appeal.message),
        )
    console().print(table)
    n_open = opened.waiting().n_open
    if not show_all and n_open > len(found):
        click.echo(f"{n_open} are open; these are the oldest {len(found)}.")


@appeals.command()
@click.argument("number")
def show(number: str) -> None:
    """Show an appeal with the comments that it may be about: verdict, reasons, text."""
    try:
        view = _open().show(number)
    except AppealUnknown as error:
        raise _unknown() from error
    print_appeal(view, console())


@appeals.command()
@click.argument("number")
@click.option("--release", "outcome", flag_value="released", help="It is no spam: correct it, tell the site.")
@click.option("--keep", "outcome", flag_value="kept", help="The decision stands.")
@click.option("--no-record", "outcome", flag_value="no-record", help="There is no such comment.")
@click.option("--duplicate", "outcome", flag_value="duplicate", help="Another appeal asks the same.")
@click.option(
    "--check", "guids", metavar="VERDICT", multiple=True, help="What to release, if not the only one held."
)
@click.option("--note", default="", help="For whoever looks at the appeal later.")
def resolve(number: str, outcome: str | None, guids: tuple[str, ...], note: str) -> None:
    """Decide on an appeal and close it."""
    if outcome is None:
        raise StopCommand("give --release, --keep, --no-record or --duplicate", exit_code=2)
    try:
        done = _open().resolve(number, Outcome(outcome), who=who(), note=note, guids=guids)
    except AppealUnknown as error:
        raise _unknown() from error
    except AppealResolved as error:
        raise StopCommand(
            f"NUMBER: {number_of(number)[:40]} is resolved; see `replyguard appeals show`"
        ) from error
    except CheckUnclear as error:
        raise StopCommand(f"--check: {error}", exit_code=2) from error
    click.echo(f"Appeal {number_of(done.appeal.guid)} is closed: {_state(done.appeal)}.")
    for check in done.released:
        click.echo(f"{check.guid} on {check.site.address} is called a real comment.")
    if done.released and not done.n_new:
        click.echo("It was called so before; nothing new is learnt.")
    for result in done.told:
        if result.problem:
            click.echo(f"{result.site} was not told: {result.problem}", err=True)
        else:
            click.echo(f"{result.site} was told of {result.n_comments} and changed {result.n_changed}.")
    if done.released and not done.told:
        click.echo("No site was told (`replyguard policy webhook`): release the comment there too.")
    if any(result.problem for result in done.told):
        sys.exit(1)


def print_appeal(view: AppealView, screen: Console) -> None:
    """Print an appeal and what it may be about."""
    appeal = view.appeal
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_row("appeal", number_of(appeal.guid))
    table.add_row("came", f"{appeal.created_at:%Y-%m-%d %H:%M} ({_age(appeal.created_at)} ago)")
    table.add_row("site", _site(appeal))
    table.add_row("by", _by(appeal))
    table.add_row("state", _state(appeal))
    if appeal.outcome is not None:
        table.add_row("", f"{appeal.resolved_at:%Y-%m-%d %H:%M} by {appeal.resolved_by}")
    if appeal.note:
        table.add_row("note", _printable(appeal.note))
    table.add_row("message", _printable(appeal.message) or "(none)")
    for other in view.others:
        table.add_row(
            "asked also",
            f"{number_of(other.guid)}, {other.created_at:%Y-%m-%d %H:%M}, {_state(other)}:"
            f" {_beginning(other.message) or '(no message)'}",
        )
    screen.print(table)
    if not view.checks:
        screen.print("\nNo comment that is kept fits it.")
    for check in view.checks:
        screen.print(f"\n{check.guid}", style="bold")
        screen.print(Padding(_described(check, view.labels.get(check.guid)), (0, 0, 0, 2)))


def _described(check: StoredCheck, label: Label | None) -> Table:
    values = check.values
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_row("on", f"{check.site.address}, {check.created_at:%Y-%m-%d %H:%M}")
    table.add_row(
        "verdict",
        f"{values['decision']}, score {values['score']:.4f}, by {values['decided_by']}; the site was told:"
        f" {_ANSWERS[values['answer']]}{', and that nobody need see it' if values['discard'] else ''}",
    )
    table.add_row("people say", "nothing" if label is None else _LABELS[label])
    reasons = [clue for clue in values["clues"] if clue["field"] != "rest"][:_MAX_REASONS]
    for place, clue in enumerate(reasons):
        weight = f"{clue['weight']:+.1f}"
        table.add_row("" if place else "reasons", f"{weight} {_printable(clue['text'])}")
    for name, column in (("author", "author"), ("website", "url"), ("page", "permalink")):
        table.add_row(name, _printable(values[column]))
    table.add_row("comment", _printable(values["body"]))
    return table


def _unknown() -> StopCommand:
    return StopCommand("NUMBER: there is no such appeal; see `replyguard appeals list --all`")


def _site(appeal: StoredAppeal) -> str:
    return "(none that is known)" if appeal.site is None else appeal.site.address


def _by(appeal: StoredAppeal) -> str:
    given = (("e-mail", appeal.email_hash), ("reference", appeal.reference))
    return " and ".join(name for name, value in given if value is not None)


def _state(appeal: StoredAppeal) -> str:
    return "open" if appeal.outcome is None else appeal.outcome.value.replace("-", " ")


def _age(moment: dt.datetime) -> str:
    age = max(utc_now() - moment, dt.timedelta())
    return f"{age.days} days" if age.days > 1 else f"{age // dt.timedelta(hours=1)} hours"


def _printable(text: str) -> str:
    """Return a text without what a terminal would obey; its lines stay."""
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)


def _beginning(text: str) -> str:
    line = " ".join(_printable(text[: 4 * _SHOWN_CHARS]).split())
    return line if len(line) <= _SHOWN_CHARS else f"{line[: _SHOWN_CHARS - 1]}…"
