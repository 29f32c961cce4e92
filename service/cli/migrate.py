"""``replyguard migrate``: bring the database to the schema of this release."""

from __future__ import annotations

import click

from service.cli.run import prepared, read_settings
from service.migrating import newest_revision
from service.startup import remember_notice


@click.command()
def migrate() -> None:
    """Bring the database to the schema of this release."""
    settings = read_settings()
    prepared(settings, first_key=False)
    remember_notice(settings)
    click.echo(f"The database has the schema {newest_revision()}.")
