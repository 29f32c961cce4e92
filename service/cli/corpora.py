"""``replyguard corpora``: list the public sources of labelled comments, and bring those that may be had."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from service.cli.run import read_settings
from service.cli.stop import StopCommand
from service.fetching import FetchError, fetch
from training.convert import ConvertError, convert
from training.sources import CATALOGUE, CatalogueError, Source, SourceFile, read_catalogue

#: Where the files as published are kept, below the folder of the corpora.
ARCHIVES = "archives"
#: The sums of files for which none is published, as they were when first fetched.
SUMS = "checksums.json"

_catalogue_option = click.option(
    "--catalogue",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=CATALOGUE,
    help="Another list of sources, in the form of training/corpora.toml.",
)


@click.group()
def corpora() -> None:
    """List and fetch public sources of labelled comments, to fit models on."""


@corpora.command("list")
@_catalogue_option
def list_corpora(catalogue: Path) -> None:
    """List the sources: name, kind, licence, size, and why one cannot be fetched."""
    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("NAME", "KIND", "LICENCE", "SIZE", "FETCH"):
        table.add_column(heading)
    for source in _sources(catalogue).values():
        size = f"{source.about_bytes / 1e6:.1f} MB" if source.files else ""
        told = source.about if source.files else f"no: {source.reason}"
        table.add_row(source.name, source.kind, source.licence, size, told)
    Console(width=None if sys.stdout.isatty() else 240, highlight=False, markup=False).print(table)


@corpora.command("fetch")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of corpora; default: REPLYGUARD_CORPORA, or corpora in the data folder.",
)
@click.option("--force", is_flag=True, help="Replace comments of the same name that are there already.")
@_catalogue_option
def fetch_corpora(names: tuple[str, ...], folder: Path | None, force: bool, catalogue: Path) -> None:
    """Fetch the sources NAME... (all that may be had, if none is named) as JSON Lines to fit on.

    What broke off goes on where it stopped when the command is run again. A file is read only if its checksum
    is right; where none is published the first one seen is kept in checksums.json and holds from then on.
    """
    settings = read_settings()
    chosen = _chosen(names, _sources(catalogue))
    target = folder or settings.corpora or settings.data_dir / "corpora"
    try:
        target.mkdir(parents=True, exist_ok=True)
        with _alone(target), _bar() as bar:
            failed = [source.name for source in chosen if not _bring(source, target, bar, force=force)]
    except OSError as error:
        raise StopCommand(
            f"--to {target}: {error.strerror or error}; choose a folder that can be written to"
        ) from error
    if failed:
        raise StopCommand(f"not fetched: {', '.join(failed)}; the rest is in {target}")
    click.echo(f"REPLYGUARD_CORPORA={target}")


def _sources(catalogue: Path) -> dict[str, Source]:
    try:
        return read_catalogue(catalogue)
    except CatalogueError as error:
        raise StopCommand(str(error), exit_code=2) from error


def _chosen(names: tuple[str, ...], sources: dict[str, Source]) -> list[Source]:
    """Return the sources asked for, or stop naming the one that cannot be had."""
    for name in names:
        if name not in sources:
            raise StopCommand(f"{name}: there is no such source; see `replyguard corpora list`", exit_code=2)
        if not sources[name].files:
            raise StopCommand(f"{name} cannot be fetched: {sources[name].reason}", exit_code=2)
    return [source for source in sources.values() if (source.name in names if names else source.files)]


def _bring(source: Source, folder: Path, bar: Progress, *, force: bool) -> bool:
    """Fetch and convert one source; tell what was wrong, and return whether all went well."""
    target = folder / f"{source.name}.jsonl.gz"
    archives = folder / ARCHIVES / source.name
    if target.exists() and not archives.exists() and not force:
        _tell(
            bar,
            f"{source.name}: {target.name} is there and was not fetched by this command; --force replaces it",
        )
        return False
    try:
        archives.mkdir(parents=True, exist_ok=True)
        paths = [_bring_file(source, file, archives / file.name, folder, bar) for file in source.files]
        n_spam, n_ham = convert(source, paths, target)
    except (FetchError, ConvertError) as error:
        _tell(bar, str(error))
        return False
    _tell(bar, f"{source.name}: {n_spam:,} spam, {n_ham:,} ham ({source.licence}) in {target}")
    return True


def _bring_file(source: Source, file: SourceFile, path: Path, folder: Path, bar: Progress) -> Path:
    """Fetch one file; where no checksum is published, hold it to the one it had the first time."""
    sums = _Sums(folder / SUMS)
    pinned = file.sha256 or sums.of(file.url)
    task = bar.add_task(file.name, total=None)
    found = fetch(
        file.url,
        path,
        sha256=pinned,
        max_bytes=file.max_bytes,
        progress=lambda n_bytes, n_total: bar.update(task, completed=n_bytes, total=n_total),
    )
    bar.remove_task(task)
    if not pinned:
        sums.record(file.url, found)
        _tell(
            bar,
            f"{source.name}: no checksum of {file.name} is published; {SUMS} now holds {found}:"
            " compare it with another machine's before you trust it",
        )
    return path


class _Sums:
    """The checksums of files that came without one, by address.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def _read(self) -> dict[str, str]:
        try:
            sums = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise FetchError(
                f"{self._path} is damaged ({error}); put it back from a backup, or delete it"
            ) from error
        if not isinstance(sums, dict):
            raise FetchError(f"{self._path} is damaged; put it back from a backup, or delete it")
        return sums

    def of(self, url: str) -> str:
        """Return a file's sum, "" if it was never fetched."""
        return str(self._read().get(url, ""))

    def record(self, url: str, sha256: str) -> None:
        """Keep a file's sum; a reader sees the old list or the new one."""
        sums = self._read() | {url: sha256}
        handle, name = tempfile.mkstemp(prefix=f".{self._path.name}-", dir=self._path.parent)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(sums, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, self._path)


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time fetch into a folder: two would write into the same part."""
    with (folder / ".fetch.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StopCommand(f"another `corpora fetch` is writing to {folder}; wait for it to end") from None
        yield


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def _tell(bar: Progress, message: str) -> None:
    bar.console.print(message, markup=False, highlight=False, soft_wrap=True)
