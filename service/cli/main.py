"""The commands, and what becomes of their errors: one line that says what to do, never a traceback."""

from __future__ import annotations

import contextlib
import os
import shlex
import sys
from collections.abc import Iterator

import click
from flask import Flask
from rich.console import Console
from rich.table import Table
from sqlalchemy.exc import SQLAlchemyError

from model import __version__
from service.app import create_app, warm_up
from service.cli.corpora import corpora
from service.cli.feedback import feedback
from service.cli.imports import import_history
from service.cli.keys import keys
from service.cli.models import models
from service.cli.policy import policy
from service.cli.purging import purge
from service.cli.retrain import retrain, worker
from service.cli.retrospect import retrospect
from service.cli.run import StopCommand, prepared, read_settings
from service.cli.score import score
from service.cli.secret import secret
from service.cli.site import site
from service.cli.sites import sites
from service.doctor import Health, examine
from service.migrating import newest_revision
from service.outages import outage_of
from service.server import serve as run_server
from service.settings import Settings
from service.startup import remember_notice

_MARKS = {Health.OK: "[green]ok[/]", Health.WARNING: "[yellow]warning[/]", Health.BROKEN: "[red]broken[/]"}


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="replyguard")
def cli() -> None:
    """Judge comments for websites, as a service and from the command line.

    Settings come from REPLYGUARD_ variables in the environment; docs/settings.md lists them.
    """


@cli.command()
def serve() -> None:
    """Start the service; make what it needs and a first API key if there is none."""
    settings = read_settings()
    made = prepared(settings, first_key=True).first_key
    if made is not None:
        click.echo(_welcome(settings, made.text))
    remember_notice(settings)
    companion = (
        [sys.executable, "-m", "service", "worker", "--parent", str(os.getpid())]
        if settings.run_worker
        else None
    )
    run_server(settings, lambda: _application(settings), companion=companion)


@cli.command()
def migrate() -> None:
    """Bring the database to the schema of this release."""
    settings = read_settings()
    prepared(settings, first_key=False)
    remember_notice(settings)
    click.echo(f"The database has the schema {newest_revision()}.")


@cli.command()
def doctor() -> None:
    """Look at settings, database, model and disk; say what to do. Exit 1 if something is broken."""
    findings = examine(os.environ)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for finding in findings:
        table.add_row(_MARKS[finding.health], finding.subject, finding.what)
        if finding.remedy:
            table.add_row("", "", f"[bold]{finding.remedy}[/]")
    # A pipe gets its lines whole.
    Console(width=None if sys.stdout.isatty() else 240, highlight=False).print(table)
    if any(finding.health is Health.BROKEN for finding in findings):
        sys.exit(1)


for command in (
    corpora,
    feedback,
    import_history,
    keys,
    models,
    policy,
    purge,
    retrain,
    retrospect,
    score,
    secret,
    site,
    sites,
    worker,
):
    cli.add_command(command)


def main() -> None:
    """Run the command line; exit 2 if it or the settings are wrong, 1 if the work could not be done."""
    with _plain_errors():
        cli()


@contextlib.contextmanager
def _plain_errors() -> Iterator[None]:
    try:
        yield
    except StopCommand as error:
        for line in error.lines:
            click.echo(f"replyguard: {line}", err=True)
        sys.exit(error.exit_code)
    except SQLAlchemyError as error:
        outage = outage_of(error)
        click.echo(f"replyguard: {outage.cause}; {outage.remedy}", err=True)
        sys.exit(1)


def _application(settings: Settings) -> Flask:
    app = create_app(settings)
    warm_up(app)
    return app


def _welcome(settings: Settings, key: str) -> str:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared only
    shown = f"[{host}]" if ":" in host else host
    fields = {
        "api_key": key,
        "blog": "https://blog.example.org",
        "user_ip": "192.0.2.1",
        "comment_author": "Maud",
        "comment_content": "Thank you, the part about winter tyres saved my Saturday.",
    }
    data = " ".join(f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in fields.items())
    return (
        f"\nYour first API key, shown this once: {key}\n\n"
        f"Try it:\n  curl -si http://{shown}:{settings.port}/1.1/comment-check {data}\n\n"
        "Next: give the key to your site's Akismet client and point the client here (docs/api-akismet.md).\n"
        "More keys: replyguard keys create --site https://your.site --label 'its name'\n"
    )
