"""``replyguard models``: see the versions of the model, compare them, choose the one that answers."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from model.errors import ModelError
from model.registry import Registry
from service.cli.retrain import who
from service.cli.run import prepared, read_settings
from service.cli.stop import StopCommand
from service.clock import utc_now
from service.promotion import Promotion
from service.retraining import compare_versions
from service.startup import open_registry
from service.stores.material import MaterialStore
from service.versions import Versions
from service.worker import open_job_database, open_promotion

_MOVES = {"promote": "promoted", "rollback": "brought back", "release": "came with the release"}


@click.group()
def models() -> None:
    """See the versions of the model, compare them, choose the one that answers."""


@contextlib.contextmanager
def _opened() -> Iterator[tuple[Registry, Promotion, MaterialStore]]:
    settings = read_settings()
    prepared(settings, first_key=False)
    registry = open_registry(settings)
    database = open_job_database(settings)
    try:
        yield registry, open_promotion(registry, database), MaterialStore(database)
    except ModelError as error:
        raise StopCommand(f"{error}; see `replyguard models list`") from error
    finally:
        database.close()


@models.command("list")
def list_versions() -> None:
    """List the versions: which answers, which a rollback brings back, what each was fitted on."""
    with _opened() as (registry, _, material):
        table = _table("VERSION", "ROLE", "SPAM", "HAM", "FITTED ON")
        for row in Versions(registry, material, utc_now).rows():
            roles = ", ".join("before it" if role == "former" else role for role in row.roles)
            fitted_on = (
                "the corpora" if row.n_labels is None else f"{row.n_labels} labels of this installation"
            )
            table.add_row(row.version, roles, str(row.n_spam), str(row.n_ham), fitted_on)
        _print(table)


@models.command()
@click.argument("version", required=False)
@click.option("--json", "as_json", is_flag=True, help="The card as JSON.")
def show(version: str | None, as_json: bool) -> None:
    """Show a version's card (the champion's if none is named), and the latest moves."""
    with _opened() as (registry, promotion, _):
        card = registry.load(version or registry.champion()).card
        if as_json:
            click.echo(json.dumps(card.as_dict(), indent=1))
            return
        click.echo(card.to_markdown())
        click.echo("## Moves")
        for event in promotion.history(10):
            by, why = (f" by {event.who}" if event.who else ""), (f": {event.why}" if event.why else "")
            click.echo(f"- {event.at:%Y-%m-%d %H:%M} {event.version} {_MOVES[event.what]}{by}{why}")


@models.command()
@click.argument("champion")
@click.argument("challenger")
@click.option("--json", "as_json", is_flag=True, help="The comparison as JSON.")
def compare(champion: str, challenger: str, as_json: bool) -> None:
    """Judge CHALLENGER against CHAMPION on the labels that neither was fitted on."""
    with _opened() as (registry, _, material):
        report = compare_versions(registry, material, utc_now(), champion, challenger)
    if as_json:
        click.echo(json.dumps(report, indent=1))
        return
    click.echo(
        f"{challenger} {'passes' if report['admits'] else 'does not pass'} the gate: {report['reason']}.\n"
    )
    _print(_comparison([*report["sides"], *report["sources"], *report["languages"]]))
    click.echo(f"\nStored comments whose decision would change: {report['n_flips']}")
    for flip in report["flips"][:20]:
        click.echo(
            f"  {flip['guid']}  {flip['site']}  {flip['was']} -> {flip['becomes']}"
            f"  ({flip['score_was']:.3f} -> {flip['score_becomes']:.3f})"
        )
    if report["n_flips"] > 20:
        click.echo("  ... the first 500 with --json")


@models.command()
@click.argument("version")
@click.option("--why", default="", help="The reason, for the record.")
def promote(version: str, why: str) -> None:
    """Let VERSION answer, whatever the gate says of it; every worker has it within two seconds."""
    with _opened() as (_, promotion, _):
        move = promotion.promote(version, by=who(), why=why)
    click.echo(f"{version} answers already." if move is None else f"{version} answers from now on.")


@models.command()
@click.option("--why", default="", help="The reason, for the record.")
def rollback(why: str) -> None:
    """Bring back the version that answered before; again, the one before that."""
    with _opened() as (_, promotion, _):
        move = promotion.rollback(by=who(), why=why)
    click.echo(f"{move.version} answers again, instead of {move.replaced}.")


def _comparison(rows: Sequence[Mapping[str, Any]]) -> Table:
    table = _table(
        "COMMENTS", "N", "CAMPAIGNS", "CHAMPION", "CHALLENGER", "GAINED", "LOST", "DIFFERENCE, 95 %"
    )
    for row in rows:
        if row["n"]:
            table.add_row(
                row["name"],
                str(row["n"]),
                str(row["n_campaigns"]),
                f"{row['champion']:.1%}",
                f"{row['challenger']:.1%}",
                str(row["gained"]),
                str(row["lost"]),
                f"{100 * row['low']:+.1f} to {100 * row['high']:+.1f}",
            )
    return table


def _table(*headings: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading)
    return table


def _print(table: Table) -> None:
    # A pipe gets its lines whole.
    Console(width=None if sys.stdout.isatty() else 240, highlight=False, markup=False).print(table)
