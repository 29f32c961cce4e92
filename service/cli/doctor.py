"""``replyguard doctor``: what stands well, what does not, and what to do."""

from __future__ import annotations

import os
import sys

import click
from rich.console import Console
from rich.table import Table

from service.doctor import Health, examine

_MARKS = {Health.OK: "[green]ok[/]", Health.WARNING: "[yellow]warning[/]", Health.BROKEN: "[red]broken[/]"}


@click.command()
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
