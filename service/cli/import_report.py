"""What an import and its rehearsal tell: counts on standard output, mistakes with their comments only there."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

from model.comment import Label
from model.verdict import Decision
from service.cli.stop import StopCommand
from service.history import Survey
from service.importing.exported import Why
from service.rehearsal import Agreement, Cut, Mistake, Report, interval
from service.stores.imports import Written

_N_CLUES = 3
_N_CHARS = 160


def show_survey(survey: Survey, notes: Sequence[str]) -> None:
    """Tell what a history holds and what of it is passed over, and why."""
    click.echo(
        f"{_n(survey.n_rows, 'comment')} read: {survey.labels[Label.HAM]:,} ham,"
        f" {survey.labels[Label.SPAM]:,} spam, {survey.skipped.total():,} passed over."
    )
    for why in Why:
        if survey.skipped[why]:
            click.echo(f"  {survey.skipped[why]:,} {why.value}")
    for place in survey.places:
        click.echo(f"    {place}")
    if survey.n_rescued:
        click.echo(f"  {survey.n_rescued:,} from trash or queue count, since a moderator had told Akismet.")
    if 0 < survey.n_undated < survey.n_labelled:
        click.echo(f"  {survey.n_undated:,} without a date that can be read: they count as the oldest.")
    for note in notes:
        click.echo(f"  {note}")


def show_written(survey: Survey, written: Written) -> None:
    """Tell what became of the labels."""
    click.echo(f"{_n(written.added, 'label')} imported.")
    if written.replaced:
        click.echo(
            f"  {written.replaced:,} replaced what an earlier import, or an older copy of the text, said"
        )
    if written.known:
        click.echo(f"  {written.known:,} were there already: the same text, author, website and label")
    if written.doubtful:
        click.echo(
            f"  {written.doubtful:,} of them wait for your word, since the model holds the opposite for sure: "
            "replyguard feedback list --doubtful (accept --all --site URL takes all of a site)"
        )
    if written.contradicted:
        click.echo(
            f"  {written.contradicted:,} left out: the same text stands there with the other label, and this one"
            " is not newer (--relabel lets it win)"
        )
    if written.corrected:
        click.echo(f"  {written.corrected:,} left out: a moderator's own correction says otherwise")
    if not survey.labels[Label.SPAM] or not survey.labels[Label.HAM]:
        missing = "spam" if not survey.labels[Label.SPAM] else "ham"
        click.echo(f"  There is no {missing} in it.")


def show_rehearsal(survey: Survey, report: Report, cut: Cut, *, unsure: str, mistakes: Path | None) -> None:
    """Tell what would have happened, and what would have been wrong."""
    n_judged = report.decisions.total()
    if cut.ordinal is not None:
        when = "the later ones by their order in the file, since most have no date"
    elif report.first is not None and report.last is not None:
        when = f"written {report.first:%Y-%m-%d} to {report.last:%Y-%m-%d}"
    else:
        when = "none is as new as that"
    click.echo(f"\n{_n(n_judged, 'comment')} judged ({when}) by version {report.version}.")
    click.echo(
        f"  The {_n(report.n_past, 'older comment')} {'were' if report.n_past != 1 else 'was'} the past;"
        f" {report.n_learnt:,} of {'them' if report.n_past != 1 else 'it'} learnt from. Nothing was kept.\n"
    )
    if not n_judged:
        return
    _print(_outcomes(report, unsure))
    if report.all_answered.ours:
        _show_akismet(survey, report)
    for title, worst, label in (
        ("Real comments that would have been called spam", report.blocked_ham, Label.HAM),
        ("Spam that would have been called ham", report.missed_spam, Label.SPAM),
    ):
        n = report.decisions[label, Decision.SPAM if label is Label.HAM else Decision.HAM]
        click.echo(f"\n{title}: {n:,}" + (f", of which the worst {len(worst)}:" if len(worst) < n else ""))
        for mistake in worst:
            _show_mistake(mistake)
    if mistakes is not None:
        click.echo(
            f"\nEvery wrong judgement stands in {mistakes}. It holds people's words: delete it when done."
        )


@contextlib.contextmanager
def mistakes_file(path: Path) -> Iterator[Callable[[Mistake], None]]:
    """Open a file for mistakes that only its owner can read, and return what writes one into it."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.fchmod(descriptor, 0o600)
    except OSError as error:
        raise StopCommand(f"--mistakes: {path}: {error.strerror}", exit_code=2) from error
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:

        def write(mistake: Mistake) -> None:
            file.write(json.dumps(_record(mistake), ensure_ascii=False) + "\n")

        yield write


def _record(mistake: Mistake) -> dict[str, Any]:
    row, comment = mistake.row, mistake.row.comment
    return {
        "id": row.id,
        "date": None if row.written_at is None else row.written_at.isoformat(),
        "label": mistake.label.value,
        "score": round(mistake.score, 6),
        "akismet_result": None if row.akismet is None else row.akismet.value,
        "akismet_user_result": None if row.person is None else row.person.value,
        "author": comment.author,
        "author_url": comment.url,
        "permalink": comment.permalink,
        "comment_type": comment.kind,
        "content": comment.body,
        "reasons": [{"text": clue.text, "weight": round(clue.weight, 4)} for clue in mistake.clues],
    }


def _outcomes(report: Report, unsure: str) -> Table:
    told = {"publish": "published", "hold": "held", "spam": "called spam"}[unsure]
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "SPAM", "95 %", "HAM", "95 %"):
        table.add_column(heading, justify="left" if not heading else "right")
    lines = (
        (Decision.SPAM, "called spam"),
        (Decision.UNSURE, f"unsure ({told})"),
        (Decision.HAM, "called ham"),
    )
    for decision, words in lines:
        cells = [words]
        for label in (Label.SPAM, Label.HAM):
            cells.extend(_share(report.decisions[label, decision], report.n_of(label)))
        table.add_row(*cells)
    cells = ["  thrown away unseen"]
    for label in (Label.SPAM, Label.HAM):
        cells.extend(_share(report.discarded[label], report.n_of(label)))
    table.add_row(*cells)
    return table


def _show_akismet(survey: Survey, report: Report) -> None:
    click.echo("\nBeside Akismet, on the judged comments to which its answer is known:")
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("", "COMMENTS", "SPAM CAUGHT", "HAM BLOCKED"):
        table.add_column(heading, justify="left" if not heading else "right")
    for words, agreement in (("all", report.all_answered), ("decided by a person", report.person_said)):
        n = agreement.ours.total()
        for who, counts in (("Replyguard", agreement.ours), ("Akismet", agreement.akismet)):
            cells = []
            for label in (Label.SPAM, Label.HAM):
                n_label = counts[label, True] + counts[label, False]
                cells.append(f"{counts[label, True]:,} of {n_label:,}")
            table.add_row(f"{words}: {who}", f"{n:,}", *cells)
    _print(table)
    untouched = report.all_answered.ours.total() - report.person_said.ours.total()
    click.echo(
        f"  On {untouched:,} the label is Akismet's own answer, or what WordPress made of it, that nobody changed:"
        " there it is hardly ever wrong.\n"
        f"  {_only(report.all_answered)} People overruled Akismet on {survey.n_overruled:,} of"
        f" {survey.n_akismet:,} in the whole history."
    )


def _only(agreement: Agreement) -> str:
    return (
        f"Only Replyguard is right on {agreement.only_ours_right:,}, only Akismet on"
        f" {agreement.only_akismet_right:,}."
    )


def _show_mistake(mistake: Mistake) -> None:
    row, comment = mistake.row, mistake.row.comment
    when = "" if row.written_at is None else f"{row.written_at:%Y-%m-%d} "
    overruled = "" if row.akismet is None else f", Akismet: {row.akismet.value}"
    words = " ".join(_plain(comment.body).split())
    words = words if len(words) <= _N_CHARS else f"{words[:_N_CHARS]}..."
    reasons = "; ".join(f"{_plain(clue.text)} {clue.weight:+.1f}" for clue in mistake.clues[:_N_CLUES])
    click.echo(
        f"  {mistake.score:.4f}{overruled}  {when}{_plain(comment.author)[:60]} {_plain(comment.url)[:80]}"
    )
    click.echo(f"          {words}")
    click.echo(f"          because: {reasons}")


def _plain(text: str) -> str:
    """Leave out what would steer a terminal: control characters and changes of direction."""
    return "".join(character if character.isprintable() else " " for character in text)


def _share(n_hits: int, n: int) -> tuple[str, str]:
    if n == 0:
        return "none", ""
    low, high = interval(n_hits, n)
    return f"{n_hits:,} ({100 * n_hits / n:.1f} %)", f"{100 * low:.1f}-{100 * high:.1f} %"


def _n(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _print(table: Table) -> None:
    # A pipe gets its lines whole.
    Console(width=None if sys.stdout.isatty() else 240, highlight=False, markup=False).print(table)
