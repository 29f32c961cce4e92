"""``replyguard retrain``: ask for a retraining, watch it, stop it; and ``replyguard worker``, which does it."""

from __future__ import annotations

import getpass
import sys
import threading
import time

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from service.cli.run import prepared, read_settings
from service.cli.stop import StopCommand
from service.clock import utc_now
from service.queue import wake_worker
from service.retraining import Retraining, Trainer
from service.stores.runs import Run, RunStore
from service.worker import open_job_database, open_trainer, run_worker

#: Pause between two looks at a run.
_LOOK_S = 0.3
#: What nobody takes up within this time is done by the command itself.
_PATIENCE_S = 5.0


@click.command()
@click.option(
    "--wait", is_flag=True, help="Show the progress until it has ended; do it here if no worker runs."
)
@click.option("--cancel", is_flag=True, help="Stop the retraining that waits or runs.")
@click.option("--list", "list_runs", is_flag=True, help="List the latest retrainings and how they ended.")
def retrain(wait: bool, cancel: bool, list_runs: bool) -> None:
    """Make a new version of what moderators said, and let it answer if it is better.

    With --wait the exit code is 0 if it ended well, whether the new version was promoted or not, else 1.
    """
    if wait + cancel + list_runs > 1:
        raise StopCommand("--wait, --cancel, --list: give one of them", exit_code=2)
    settings = read_settings()
    prepared(settings, first_key=False)
    database = open_job_database(settings)
    runs = RunStore(database, utc_now)
    retraining = Retraining(runs, lambda: wake_worker(settings))
    if list_runs:
        _list(runs)
        return
    if cancel:
        stopped = retraining.cancel(by=who())
        if stopped is None:
            raise StopCommand("no retraining waits or runs")
        click.echo(f"Retraining {stopped.guid[:8]} is told to stop.")
        return
    run, is_new = retraining.request(by=who(), origin="command")
    click.echo(
        f"Retraining {run.guid[:8]} {'is requested' if is_new else f'is {run.state} already'}.", err=True
    )
    if not wait:
        if settings.run_worker:
            click.echo(
                "The service's worker does it; `replyguard retrain --wait` shows how far it is.", err=True
            )
        return
    ended = _watch(runs, run, open_trainer(settings, database))
    click.echo(told(ended))
    if ended.state in ("failed", "cancelled"):
        sys.exit(1)


@click.command()
@click.option("--parent", type=int, hidden=True, help="End when this process has ended.")
def worker(parent: int | None) -> None:
    """Do the jobs that take long, such as retraining; `replyguard serve` runs one unless told not to."""
    settings = read_settings()
    prepared(settings, first_key=False)
    run_worker(settings, parent=parent)


def who() -> str:
    """Return the name of whoever gives the command, as the system knows it."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def told(run: Run) -> str:
    """Say how a retraining ended, or how far it is."""
    name = f"Retraining {run.guid[:8]}"
    if run.state == "promoted":
        return f"{name}: {run.challenger} answers from now on. {_sentence(run.reason)}"
    if run.state == "refused":
        return f"{name}: {run.champion} goes on answering. {_sentence(run.reason)}"
    if run.state == "failed":
        return f"{name} failed. {_sentence(run.error)}"
    if run.state == "cancelled":
        return f"{name} was cancelled by {run.cancelled_by}."
    return f"{name} is {run.state}{f': {run.stage}' if run.stage else ''}."


def _sentence(text: str | None) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _list(runs: RunStore) -> None:
    latest = runs.latest(20)
    if not latest:
        click.echo("There was no retraining yet.")
    for run in latest:
        click.echo(f"{run.requested_at:%Y-%m-%d %H:%M} ({run.origin}, {run.requested_by}): {told(run)}")


def _watch(runs: RunStore, run: Run, trainer: Trainer) -> Run:
    """Show the progress until the run has ended; work on it here if nobody else does."""
    started = time.monotonic()
    own: threading.Thread | None = None
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not sys.stderr.isatty()) as progress:
        task = progress.add_task("waits", total=1.0)
        while True:
            found = runs.find(run.guid)
            if found is None:
                raise StopCommand("the record of this retraining is gone; was the database put back?")
            progress.update(task, description=found.stage or found.state, completed=found.fraction)
            if found.has_ended and (own is None or not own.is_alive()):
                return found
            if (own is None or not own.is_alive()) and time.monotonic() - started > _PATIENCE_S:
                # Claiming is atomic: a worker that comes to it at the same moment is not in the way, and what a
                # dead one left is free once its lease has lapsed.
                own = threading.Thread(target=trainer.work_off, daemon=True)
                own.start()
                started = time.monotonic()
            time.sleep(_LOOK_S)
