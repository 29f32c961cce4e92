"""``replyguard feedback``: the corrections, and those that wait for the admin's word."""

from __future__ import annotations

import sys

import click
from rich.console import Console
from rich.table import Table

from service.cli.run import prepared, read_settings
from service.cli.stop import StopCommand
from service.startup import open_database
from service.stores.feedback import FeedbackStore, State
from service.stores.sites import SiteStore

_MAX_LISTED = 200
_SHOWN_CHARS = 60


def _open_feedback() -> FeedbackStore:
    settings = read_settings()
    prepared(settings, first_key=False)
    return FeedbackStore(open_database(settings), SiteStore(), learn_per_day=settings.learn_per_day)


@click.group()
def feedback() -> None:
    """List what moderators reported; accept or reject what waits for you."""


@feedback.command("list")
@click.option("--doubtful", is_flag=True, help="Only what is not learnt until you accept it.")
def list_feedback(doubtful: bool) -> None:
    """List corrections, newest first, with the beginning of the comment."""
    states = [State.DOUBTFUL, State.SURPLUS] if doubtful else list(State)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("ID", "DATE", "SITE", "KEY", "LABEL", "STATE", "AUTHOR", "COMMENT"):
        table.add_column(heading)
    entries = _open_feedback().of_state(states, limit=_MAX_LISTED + 1)
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


@feedback.command()
@click.argument("ids", type=int, nargs=-1, required=True)
def accept(ids: tuple[int, ...]) -> None:
    """Have corrections learnt that were doubtful or beyond the day's bound."""
    _decide(ids, accept=True)


@feedback.command()
@click.argument("ids", type=int, nargs=-1, required=True)
def reject(ids: tuple[int, ...]) -> None:
    """Keep corrections from ever being learnt; they stay listed."""
    _decide(ids, accept=False)


def _decide(ids: tuple[int, ...], *, accept: bool) -> None:
    store = _open_feedback()
    for number in ids:
        was = store.decide(number, accept=accept)
        if was is None:
            raise StopCommand(f"there is no correction {number} in force; see `replyguard feedback list`")
        if was not in (State.DOUBTFUL, State.SURPLUS):
            raise StopCommand(f"correction {number} is {was.value} already and waits for nobody")
        click.echo(f"Correction {number} is {'learnt' if accept else 'rejected'}.")


def _shown(text: str) -> str:
    """Return the beginning of a text on one line, fit for a terminal."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * _SHOWN_CHARS]).split())
    return line if len(line) <= _SHOWN_CHARS else f"{line[: _SHOWN_CHARS - 1]}…"
