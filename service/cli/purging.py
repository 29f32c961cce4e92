"""``replyguard purge``: delete what is past its time, see what would go, and when it last ran."""

from __future__ import annotations

import click
from rich.table import Table

from service.cli.run import prepared, read_settings
from service.cli.sites import console
from service.cli.stop import StopCommand
from service.clock import utc_now
from service.purging import Purged, PurgeRuns
from service.settings import Settings
from service.stores.purges import PurgeLog
from service.worker import open_job_database, open_purger

_BACKUPS = (
    "Backups keep what was deleted here: delete those that are older than the longest time that you promise."
)


@click.command()
@click.option("--dry-run", is_flag=True, help="Show what would be deleted, and delete nothing.")
@click.option("--status", is_flag=True, help="Show the latest purges.")
@click.option(
    "--vacuum",
    is_flag=True,
    help="Also write the database anew without what is free in it. Checks wait while it lasts: stop the service.",
)
def purge(dry_run: bool, status: bool, vacuum: bool) -> None:
    """Delete what is past its time by the settings and the sites' own; the worker does so once a day."""
    if dry_run + status + vacuum > 1:
        raise StopCommand("--dry-run, --status, --vacuum: give one of them", exit_code=2)
    settings = read_settings()
    prepared(settings, first_key=False)
    database = open_job_database(settings)
    try:
        if status:
            _print_status(PurgeLog(database, utc_now))
            return
        purger = open_purger(settings, database)
        if dry_run:
            _print_rows(purger.preview(), settings, "WOULD GO")
            click.echo("Nothing was deleted.")
            return
        try:
            purged = purger.run(origin="command")
        except PurgeRuns:
            raise StopCommand("another purge is under way; see `replyguard purge --status`") from None
        _print_rows(purged, settings, "DELETED")
        total = ", ".join(f"{name} {n_rows}" for name, n_rows in purged.totals.items())
        click.echo(f"Deleted: {total}.")
        if vacuum:
            database.vacuum()
            click.echo("The database was written anew.")
        elif not database.scrub():
            click.echo(
                "The write-ahead log could not be emptied, since it is being read all the time; the next purge tries"
                " again.",
                err=True,
            )
        click.echo(_BACKUPS)
    finally:
        database.close()


def _print_rows(purged: Purged, settings: Settings, heading: str) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("CLASS", "SITE", heading):
        table.add_column(name)
    for (retention, site), n_rows in sorted(
        purged.rows.items(), key=lambda row: (row[0][0].value, row[0][1])
    ):
        table.add_row(retention.value, site, str(n_rows))
    if purged.rows:
        console().print(table)
    else:
        click.echo("Nothing is past its time.")


def _print_status(log: PurgeLog) -> None:
    records = log.latest(10)
    if not records:
        click.echo("There was no purge yet.")
        return
    table = Table(box=None, padding=(0, 2, 0, 0))
    for name in ("BEGUN", "BY", "ENDED", "DELETED"):
        table.add_column(name)
    for record in records:
        ended = "runs" if record.finished_at is None else f"{record.finished_at:%Y-%m-%d %H:%M}"
        deleted = ", ".join(f"{name} {n_rows}" for name, n_rows in record.counts.items())
        table.add_row(
            f"{record.started_at:%Y-%m-%d %H:%M}",
            record.origin,
            ended if record.error is None else f"{ended}: {record.error}",
            deleted,
        )
    console().print(table)
