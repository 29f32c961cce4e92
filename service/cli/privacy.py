"""``replyguard privacy``: what a person may ask for, and what was done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from jinja2 import Environment, PackageLoader
from rich.table import Table

from service.cli.retrain import who
from service.cli.sites import Parts, console, open_parts, site_argument
from service.cli.stop import StopCommand
from service.clock import utc_now
from service.forgetting import may_remember
from service.queue import wake_worker
from service.retraining import Retraining
from service.rights import Export, NobodyNamed, Rights, Who
from service.startup import open_registry
from service.stores.persons import Found, Receipt
from service.stores.purging import PurgeStore
from service.stores.rights import RightsStore
from service.stores.runs import RunStore

_BACKUPS = (
    "Backups keep what was deleted here: delete those that are older than the longest time that you promise."
)


def _open(parts: Parts) -> Rights:
    runs = RunStore(parts.database, utc_now)
    return Rights(
        RightsStore(parts.database),
        parts.pseudonyms,
        utc_now,
        scrub=parts.database.scrub,
        forget_flips=PurgeStore(parts.database).forget_flips,
        retraining=Retraining(runs, lambda: wake_worker(parts.settings)),
        may_remember=lambda: may_remember(open_registry(parts.settings), runs),
    )


def _person(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options that say who is meant."""
    for option in (
        click.option("--site", help="Look at this site only."),
        click.option(
            "--guid", "guids", multiple=True, help="Name of a check or correction; may be repeated."
        ),
        click.option("--author", help="Author's name, whatever its case. Others may have the same one."),
        click.option("--ip", help="IP address."),
        click.option("--email", help="E-mail address, whatever its case."),
    ):
        command = option(command)
    return command


@click.group()
def privacy() -> None:
    """Give a person what is kept of them, erase it, or take it out of use.

    A comment is a person's if it carries any of the options given. E-mail and IP addresses are kept as keyed hashes
    only, and found by these.
    """


@privacy.command()
@_person
@click.option(
    "--json", "json_path", type=click.Path(path_type=Path), help="Write the export as JSON to this file."
)
@click.option("--html", "html_path", type=click.Path(path_type=Path), help="Write it as a page to read.")
def export(json_path: Path | None, html_path: Path | None, **person: Any) -> None:
    """Give out all that is kept of a person: as JSON, or to files."""
    rights, found, _ = _find(person)
    exported = rights.export(found, by=who())
    text = json.dumps(exported.as_dict(), indent=2, ensure_ascii=False)
    try:
        if json_path is not None:
            json_path.write_text(f"{text}\n", encoding="utf-8")
        if html_path is not None:
            html_path.write_text(as_page(exported), encoding="utf-8")
    except OSError as error:
        raise StopCommand(f"{error.filename}: {error.strerror}; name a file that can be written") from error
    if json_path is None and html_path is None:
        click.echo(text)
    else:
        _print(found.counts, "FOUND")
        click.echo(f"Receipt {exported.receipt}.")


@privacy.command()
@_person
@click.option(
    "--lists", is_flag=True, help="Also entries of sites' lists; they may be what keeps a spammer out."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
def erase(lists: bool, yes: bool, **person: Any) -> None:
    """Delete all that is kept of a person, and have the model forget it."""
    rights, found, _ = _find(person)
    _print(found.counts, "FOUND")
    if found.counts.get("list_entries") and not lists:
        click.echo("Entries of lists stay, unless you give --lists.")
    if not found.counts:
        click.echo("Nothing is kept of them by that.")
    elif not yes and not click.confirm("Erase it for good?"):
        raise StopCommand("nothing was erased")
    done = rights.erase(found, by=who(), lists=lists)
    _tell(done.receipt)
    if not done.is_scrubbed:
        click.echo(
            "It may still stand in SQLite's log of writes, which is being read all the time: run `replyguard purge`.",
            err=True,
        )
    if done.receipt.counts:
        click.echo(_BACKUPS)


@privacy.command()
@_person
@click.option("--lift", is_flag=True, help="Take it back into use.")
def restrict(lift: bool, **person: Any) -> None:
    """Keep a person's comments but use them for nothing: neither to learn from nor to compare with."""
    rights, found, _ = _find(person)
    _tell(rights.restrict(found, by=who(), restricted=not lift).receipt)


@privacy.command()
def receipts() -> None:
    """List what was done on people's requests, latest first; receipts name nobody."""
    parts = open_parts()
    try:
        found = _open(parts).receipts()
    finally:
        parts.database.close()
    if not found:
        click.echo("Nothing was asked for yet.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("RECEIPT", "AT", "WHAT", "BY", "ROWS", "RETRAINING"):
        table.add_column(heading)
    for receipt in found:
        rows = ", ".join(f"{name} {n_rows}" for name, n_rows in receipt.counts.items())
        run = "" if receipt.run is None else receipt.run[:8]
        table.add_row(receipt.guid, f"{receipt.at:%Y-%m-%d %H:%M}", receipt.what, receipt.who, rows, run)
    console().print(table)


def _find(person: dict[str, Any]) -> tuple[Rights, Found, Parts]:
    site = None if person["site"] is None else site_argument(person["site"])
    parts = open_parts()
    click.get_current_context().call_on_close(parts.database.close)
    rights = _open(parts)
    try:
        found = rights.find(
            Who(
                email=person["email"],
                ip=person["ip"],
                author=person["author"],
                guids=person["guids"],
                site=site,
            )
        )
    except NobodyNamed as error:
        raise StopCommand(str(error), exit_code=2) from error
    return rights, found, parts


def _print(counts: dict[str, int], heading: str) -> None:
    if counts:
        table = Table(box=None, padding=(0, 2, 0, 0))
        table.add_column("TABLE")
        table.add_column(heading)
        for name, n_rows in counts.items():
            table.add_row(name, str(n_rows))
        console().print(table)


def _tell(receipt: Receipt) -> None:
    _print(receipt.counts, "DONE")
    click.echo(f"Receipt {receipt.guid}; it names nobody.")
    if receipt.run is not None:
        click.echo(
            f"A retraining was asked for, so that the model forgets: replyguard retrain --status ({receipt.run[:8]})"
        )


def as_page(exported: Export) -> str:
    """Return an export as a page to read."""
    environment = Environment(loader=PackageLoader("service"), autoescape=True)
    return environment.get_template("export.html").render(exported=exported.as_dict())
