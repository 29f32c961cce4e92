"""``replyguard import``: take a site's old comments along, or only show what would have become of them."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from model.classifier import SpamClassifier
from model.errors import ModelError
from service.cli.import_progress import ImportProgress
from service.cli.import_report import mistakes_file, show_rehearsal, show_survey, show_written
from service.cli.run import prepared, read_settings
from service.cli.stop import StopCommand
from service.clock import utc_now
from service.history import HistoryImport, Survey, survey_history
from service.importing.exported import ImportRefused, Row, parse_date
from service.importing.formats import FileFormat, FileHistory
from service.importing.source import open_source
from service.importing.tables import NAMES
from service.policy import PolicyOverrides
from service.pseudonyms import Pseudonyms
from service.rehearsal import Rehearsal, cut_history
from service.settings import Settings
from service.sites import InvalidSite, SiteAddress, parse_site
from service.startup import open_database, open_registry, secret_of, seed_models
from service.stores.imports import ImportStore, Written
from service.stores.keys import Key, KeyStore
from service.stores.sites import SiteStore
from service.stores.wordpress import WordPressDatabase
from service.taught import SiteLearner

#: Seconds for which an import waits for the database; unlike a check it has nobody waiting for it.
_DATABASE_TIMEOUT_S = 30.0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What every format is asked for."""

    site: SiteAddress
    dry_run: bool
    since: dt.datetime | None
    mistakes: Path | None
    n_shown: int
    relabel: bool


@dataclass(frozen=True, slots=True)
class _History:
    """A history as the commands use it."""

    rows: Callable[[], Iterator[Row]]
    notes: Callable[[], list[str]]


@click.group("import")
def import_history() -> None:
    """Take along the comments that a site has already.

    Approved comments become ham, spam becomes spam; what is pending or in the trash is left out. With --dry-run
    nothing is kept: the newest 30 % are judged instead, and what Replyguard would have done is shown.
    """


def _command(name: str, argument: str, help_text: str, *options: Any) -> Callable[[Any], Any]:
    """Return what makes a function a subcommand with the options that all of them have."""
    common = [
        click.argument("where", metavar=argument),
        click.option("--site", "site_url", metavar="URL", required=True, help="The site they belong to."),
        click.option(
            "--dry-run", is_flag=True, help="Keep nothing; judge the newer part and show the outcome."
        ),
        click.option(
            "--since", metavar="DATE", help="With --dry-run: judge from this day on, not the newest 30 %."
        ),
        click.option(
            "--mistakes",
            type=click.Path(path_type=Path, dir_okay=False),
            metavar="FILE",
            help="With --dry-run: write every wrong judgement into FILE (JSON Lines).",
        ),
        click.option(
            "--show",
            "n_shown",
            type=click.IntRange(0, 10_000),
            default=10,
            show_default=True,
            help="With --dry-run: wrong judgements of each kind to show.",
        ),
        click.option(
            "--relabel", is_flag=True, help="Let this history replace labels that were imported before."
        ),
        *options,
    ]

    def decorate(function: Any) -> Any:
        for option in reversed(common):
            function = option(function)
        return import_history.command(name, help=help_text)(function)

    return decorate


def _wanted(
    site_url: str, dry_run: bool, since: str | None, mistakes: Path | None, n_shown: int, relabel: bool
) -> _Wanted:
    if not dry_run and (since or mistakes):
        raise StopCommand("--since and --mistakes go with --dry-run", exit_code=2)
    try:
        site = parse_site(site_url)
    except InvalidSite as error:
        raise StopCommand(f"--site: {error}; give the site's full URL", exit_code=2) from error
    moment = parse_date(since) if since else None
    if since and moment is None:
        raise StopCommand("--since: it is not a date; write it as 2026-01-31", exit_code=2)
    return _Wanted(site, dry_run, moment, mistakes, n_shown, relabel)


_encoding = click.option(
    "--encoding", default="", metavar="NAME", help="Instead of what the file says of itself."
)
_up_to_error = click.option(
    "--up-to-error", is_flag=True, help="Take a damaged file for what stands before the damage."
)
_columns = click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="FIELD=NAME",
    help=f"Column that holds a field; may be given again. Fields: {', '.join(NAMES)}.",
)
_prefix = click.option(
    "--table-prefix", default="wp_", show_default=True, help="$table_prefix of wp-config.php."
)


def _define_file_command(form: FileFormat, help_text: str, *options: Any) -> None:
    def command(
        where: str, encoding: str, up_to_error: bool, columns: tuple[str, ...] = (), **common: Any
    ) -> None:
        wanted = _wanted(**common)
        mapping = _column_mapping(columns)
        settings = read_settings()
        with contextlib.ExitStack() as stack:
            stack.enter_context(_plain_refusals())
            progress = ImportProgress()
            with progress.step("fetching"):
                source = stack.enter_context(open_source(where, progress.to))
            file = FileHistory(
                source,
                form,
                site=wanted.site.display,
                encoding=encoding,
                columns=mapping,
                up_to_error=up_to_error,
            )
            history = _History(
                lambda: progress.through(file.rows(), source.tell, source.size),
                lambda: _notes(file, form),
            )
            _run(settings, wanted, history, progress)

    _command(form.value, "FILE_OR_URL", help_text, *options, _encoding, _up_to_error)(command)


_define_file_command(
    FileFormat.WORDPRESS_XML,
    "A WordPress export (WXR; Tools, Export). WordPress leaves the spam queue out of it: wordpress-db has it.",
)
_define_file_command(FileFormat.DISQUS, "A Disqus export (XML).")
_define_file_command(FileFormat.MOVABLE_TYPE, "A Movable Type or TypePad export (text).")
_define_file_command(FileFormat.CSV, "A table with a row of column names.", _columns)
_define_file_command(FileFormat.JSONL, "JSON Lines, with the fields of docs/corpora.md.")


@_command(
    "wordpress-db",
    "DATABASE_URL",
    "A WordPress database, spam queue included; it is only read.\n\n"
    "DATABASE_URL is mysql://USER:PASSWORD@HOST/NAME. To keep the password out of the command line write"
    " mysql:///NAME?read_default_file=FILE, where FILE is an option file of MySQL's.",
    _prefix,
)
def wordpress_db(where: str, table_prefix: str, **common: Any) -> None:
    wanted = _wanted(**common)
    settings = read_settings()
    progress = ImportProgress()
    with _plain_refusals():
        database = WordPressDatabase(where, prefix=table_prefix, site=wanted.site.display)
        try:
            size = database.count()
            history = _History(lambda: progress.through(database.rows(), None, size), list)
            _run(settings, wanted, history, progress)
        finally:
            database.close()


def _run(settings: Settings, wanted: _Wanted, history: _History, progress: ImportProgress) -> None:
    if wanted.dry_run:
        _rehearse(settings, wanted, history, progress)
        return
    prepared(settings, first_key=False)
    database = open_database(settings, timeout_s=_DATABASE_TIMEOUT_S)
    try:
        sites = SiteStore()
        key = _key_for(KeyStore(database, sites), wanted.site)
        champion = _champion(settings)
        survey = _survey(history, progress)
        use_case = HistoryImport(
            labels=ImportStore(database, sites),
            pseudonyms=Pseudonyms(secret_of(settings)),
            clock=utc_now,
            judge=champion,
        )
        written = _written(use_case, history, wanted, key, progress)
    finally:
        database.close()
    show_written(survey, written)


def _written(
    use_case: HistoryImport, history: _History, wanted: _Wanted, key: Key, progress: ImportProgress
) -> Written:
    so_far = Written()

    def note(total: Written) -> None:
        nonlocal so_far
        so_far = total

    try:
        with progress.step("importing"):
            return use_case.run(
                history.rows(), site=wanted.site, key=key, relabel=wanted.relabel, on_batch=note
            )
    except ImportRefused as error:
        # It was whole when it was looked through, so it has changed or gone meanwhile.
        raise StopCommand(
            f"{error}. {so_far.added} labels are imported; run the same command again to go on."
        ) from error


def _rehearse(settings: Settings, wanted: _Wanted, history: _History, progress: ImportProgress) -> None:
    champion = _champion(settings)
    survey = _survey(history, progress)
    overrides = PolicyOverrides(settings.unsure_from, settings.spam_from, settings.discard_from)
    rehearsal = Rehearsal(
        SiteLearner(champion), overrides, n_shown=wanted.n_shown, company_days=settings.company_days
    )
    cut = cut_history(survey, since=wanted.since)
    with contextlib.ExitStack() as stack:
        on_mistake = stack.enter_context(mistakes_file(wanted.mistakes)) if wanted.mistakes else None
        stack.enter_context(progress.step("judging"))
        report = rehearsal.run(history.rows, cut, on_mistake=on_mistake)
    show_rehearsal(survey, report, cut, unsure=settings.unsure.value, mistakes=wanted.mistakes)


def _champion(settings: Settings) -> SpamClassifier:
    try:
        seed_models(settings)
        registry = open_registry(settings)
        return registry.load(registry.champion())
    except ModelError as error:
        raise StopCommand(f"{error}; run `replyguard doctor`") from error


def _survey(history: _History, progress: ImportProgress) -> Survey:
    with progress.step("looking through"):
        survey = survey_history(history.rows())
    show_survey(survey, history.notes())
    if not survey.n_labelled:
        raise StopCommand("there is nothing to learn from in it: no comment that is approved or spam")
    return survey


def _key_for(store: KeyStore, site: SiteAddress) -> Key:
    """Return the key that imported labels come under: one tied to the site, else one that serves any."""
    serving = [key for key in store.all() if key.revoked_at is None and key.serves(site)]
    if not serving:
        raise StopCommand(
            f"no key serves {site.display} yet; make one with: replyguard keys create --site {site.display}"
        )
    return max(serving, key=lambda key: (bool(key.sites), key.id))


def _column_mapping(columns: tuple[str, ...]) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for text in columns:
        field, equals, name = text.partition("=")
        if not equals or field not in NAMES or not name:
            raise StopCommand(
                f"--column: write FIELD=NAME, where FIELD is one of {', '.join(NAMES)}", exit_code=2
            )
        mapping[field] = name
    return mapping


def _notes(history: FileHistory, form: FileFormat) -> list[str]:
    notes = []
    if history.damage:
        notes.append(f"The file is damaged at {history.damage}. Only what stands before that is taken.")
    if history.n_replaced:
        notes.append(f"{history.n_replaced} characters that are none, or not in the encoding, were replaced.")
    if form is FileFormat.WORDPRESS_XML:
        notes.append(
            "WordPress leaves the spam queue out of its exports; `replyguard import wordpress-db` reads it too."
        )
    return notes


@contextlib.contextmanager
def _plain_refusals() -> Iterator[None]:
    try:
        yield
    except ImportRefused as error:
        raise StopCommand(f"{error}. Nothing was imported.") from error
