"""The commands, and what becomes of their errors: one line that says what to do, never a traceback."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator

import click

from model import __version__
from service.cli.lazy import LazyGroup
from service.cli.stop import StopCommand

#: By name, in which module of service.cli a command stands as what, and what ``--help`` says of it.
COMMANDS = {
    "appeals": ("appeals:appeals", "Look at what commenters ask a person to look at, and decide."),
    "corpora": ("corpora:corpora", "List and fetch public sources of labelled comments, to fit models on."),
    "doctor": (
        "doctor:doctor",
        "Look at settings, database, model and disk; say what to do. Exit 1 if something is broken.",
    ),
    "feedback": ("feedback:feedback", "List what moderators reported; accept or reject what waits for you."),
    "import": ("imports:import_history", "Take along the comments that a site has already."),
    "keys": ("keys:keys", "Make, list and revoke API keys."),
    "migrate": ("migrate:migrate", "Bring the database to the schema of this release."),
    "models": ("models:models", "See the versions of the model, compare them, choose the one that answers."),
    "policy": (
        "policy:policy",
        "Show and change what a site wants. A change reaches every worker within two seconds.",
    ),
    "privacy": (
        "privacy:privacy",
        "Give a person what is kept of them, erase it, or take it out of use.",
    ),
    "purge": (
        "purging:purge",
        "Delete what is past its time by the settings and the sites' own; the worker does so once a day.",
    ),
    "retrain": (
        "retrain:retrain",
        "Make a new version of what moderators said, and let it answer if it is better.",
    ),
    "retrospect": ("retrospect:retrospect", "Find and correct near-copies of spam that were let through."),
    "score": ("score:score", "Judge the comments of FILE (JSON Lines, plain or gzip; - for standard input)."),
    "secret": (
        "secret:secret",
        "Look after the secret under which keys, e-mail and IP addresses are hashed.",
    ),
    "serve": ("serve:serve", "Start the service; make what it needs and a first API key if there is none."),
    "site": ("site:site", "Look after what a site has been taught."),
    "sites": ("sites:sites", "List the sites, and show what is wanted for one."),
    "worker": (
        "retrain:worker",
        "Do the jobs that take long, such as retraining; `replyguard serve` runs one unless told not to.",
    ),
}


@click.group(
    cls=LazyGroup,
    package="service.cli",
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="replyguard")
def cli() -> None:
    """Judge comments for websites, as a service and from the command line.

    Settings come from REPLYGUARD_ variables in the environment; docs/settings.md lists them.
    """


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
    except Exception as error:
        # Not every command knows a database, so what its errors are is looked up when there is one.
        from sqlalchemy.exc import SQLAlchemyError

        from service.outages import outage_of

        if not isinstance(error, SQLAlchemyError):
            raise
        outage = outage_of(error)
        click.echo(f"replyguard: {outage.cause}; {outage.remedy}", err=True)
        sys.exit(1)
