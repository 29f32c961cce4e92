"""``replyguard feedback``: the corrections, and those that wait for the admin's word."""

from __future__ import annotations

import sys
from collections.abc import Callable

import click
from rich.console import Console
from rich.table import Table

from model.comment import Label
from service.cli.run import prepared, read_settings
from service.cli.stop import StopCommand
from service.db import Database
from service.settings import Settings
from service.sites import InvalidSite, SiteAddress, parse_site
from service.startup import open_database
from service.stores.feedback import WAITING, FeedbackStore, State
from service.stores.sites import SiteStore
from service.stores.waiting import WaitingStore

_MAX_LISTED = 200
_SHOWN_CHARS = 60


_LABEL = click.option(
    "--label", type=click.Choice([label.value for label in Label]), help="Only of this label."
)
_SITE = click.option("--site", "url", metavar="URL", help="Only of this site.")


def _open_database() -> tuple[Settings, Database]:
    settings = read_settings()
    prepared(settings, first_key=False)
    return settings, open_database(settings)


def _open_feedback() -> FeedbackStore:
    settings, database = _open_database()
    return FeedbackStore(database, SiteStore(), learn_per_day=settings.learn_per_day)


@click.group()
def feedback() -> None:
    """List what moderators reported; accept or reject what waits for you."""


@feedback.command("list")
@click.option("--doubtful", is_flag=True, help="Only what is not learnt until you accept it.")
@_SITE
@_LABEL
def list_feedback(doubtful: bool, url: str | None, label: str | None) -> None:
    """List corrections, newest first, with the beginning of the comment."""
    states = WAITING if doubtful else tuple(State)
    site = None if url is None else _site(url)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("ID", "DATE", "SITE", "KEY", "LABEL", "STATE", "AUTHOR", "COMMENT"):
        table.add_column(heading)
    entries = _open_feedback().of_state(states, limit=_MAX_LISTED + 1, site=site, label=label)
    for entry in entries[:_MAX_LISTED]:
        table.add_row(
            str(entry.id),
            f"{entry.created_at:%Y-%m-%d}",
            entry.site,
            str(entry.key_id),
            entry.label,
            entry.state.value,
            _shown(entry.author),
            _shown(entry.body),
        )
    Console(width=None if sys.stdout.isatty() else 240, highlight=False, markup=False).print(table)
    if len(entries) > _MAX_LISTED:
        click.echo(f"There are more; these are the newest {_MAX_LISTED}.")


def _deciding(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command what says which corrections it is about."""
    options = (
        click.argument("ids", type=int, nargs=-1),
        click.option("--all", "every", is_flag=True, help="All that wait on one site, however many."),
        _SITE,
        _LABEL,
        click.option("--yes", is_flag=True, help="Do not ask."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@feedback.command()
@_deciding
def accept(ids: tuple[int, ...], every: bool, url: str | None, label: str | None, yes: bool) -> None:
    """Have corrections learnt that were doubtful or beyond the day's bound: by number, or --all --site URL."""
    _decide(ids, every, url, label, yes, accept=True)


@feedback.command()
@_deciding
def reject(ids: tuple[int, ...], every: bool, url: str | None, label: str | None, yes: bool) -> None:
    """Keep corrections from ever being learnt; they stay listed. By number, or --all --site URL."""
    _decide(ids, every, url, label, yes, accept=False)


def _decide(
    ids: tuple[int, ...], every: bool, url: str | None, label: str | None, yes: bool, *, accept: bool
) -> None:
    if bool(ids) == every:
        raise StopCommand("give numbers of corrections, or --all --site URL, and not both", exit_code=2)
    if every:
        if url is None:
            raise StopCommand("--site: goes with --all; give the site's full URL", exit_code=2)
        _decide_all(_site(url), label, yes, accept=accept)
        return
    if url is not None or label is not None:
        raise StopCommand("--site and --label go with --all, not with numbers", exit_code=2)
    _decide_each(ids, accept=accept)


def _decide_each(ids: tuple[int, ...], *, accept: bool) -> None:
    store = _open_feedback()
    for number in ids:
        was = store.decide(number, accept=accept)
        if was is None:
            raise StopCommand(f"there is no correction {number} in force; see `replyguard feedback list`")
        if was not in WAITING:
            raise StopCommand(f"correction {number} is {was.value} already and waits for nobody")
        click.echo(f"Correction {number} is {'learnt' if accept else 'rejected'}.")


def _decide_all(site: SiteAddress, label: str | None, yes: bool, *, accept: bool) -> None:
    store = WaitingStore(_open_database()[1])
    waiting = store.of(site, label)
    if waiting is None:
        raise StopCommand("--site: no check, key or policy has named it; see `replyguard sites list`")
    if not waiting.n:
        click.echo(f"Nothing waits on {site.address}.")
        return
    click.echo(f"On {site.address} {waiting.n_spam} called spam and {waiting.n_ham} called ham wait.")
    if not yes and not click.confirm("Accept them all?" if accept else "Reject them all?"):
        raise StopCommand(f"nothing was {'accepted' if accept else 'rejected'}")
    n_decided = store.decide(waiting, accept=accept)
    click.echo(f"{'Accepted' if accept else 'Rejected'}: {n_decided}.")


def _site(url: str) -> SiteAddress:
    try:
        return parse_site(url)
    except InvalidSite as error:
        raise StopCommand(f"--site: {error}; give the site's full URL", exit_code=2) from error


def _shown(text: str) -> str:
    """Return the beginning of a text on one line, fit for a terminal."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * _SHOWN_CHARS]).split())
    return line if len(line) <= _SHOWN_CHARS else f"{line[: _SHOWN_CHARS - 1]}…"
