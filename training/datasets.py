"""Reads labelled comments from files; nothing is read or fetched on import."""

from __future__ import annotations

import dataclasses
import gzip
import json
import tomllib
import zlib
from collections.abc import Iterator
from pathlib import Path

from model.comment import Comment, Label, LabeledComment
from training.company import accompany
from training.sources import read_catalogue
from training.spintax import read_spintax
from training.written import SOURCE as WRITTEN
from training.written import read_written

# How far a source's labels are trusted: posts-x was labelled by a machine, the mail is twenty years old and
# no comment.
_SOURCE_WEIGHTS = {"posts-x": 0.3, "email-spamassassin": 0.3}
# Rows of these sources belong together by the page they stand under.
_GROUPED_BY_TITLE = frozenset({"youtube-uci"})
_RELABELS = Path(__file__).with_name("relabels.toml")
_LANGUAGES = Path(__file__).with_name("languages.toml")
# Expansions of a spammer's template; more only repeat themselves.
_PER_PIECE = 15


class CorpusError(Exception):
    """A corpus that cannot be read; the message names the file, the line and the remedy."""


def read_jsonl(path: Path) -> Iterator[LabeledComment]:
    """Read one source: JSON Lines, plain or gzipped, fields as in ``docs/corpora.md``.

    Parameters
    ----------
    path : Path

    Yields
    ------
    LabeledComment

    Raises
    ------
    CorpusError
        If a line is no JSON object, has no label, or a field is of the wrong type.
    """
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                if not isinstance(record, dict):
                    raise ValueError("the line must be a JSON object")
                label = record.get("label")
                if label not in {"spam", "ham"}:
                    raise ValueError(f"field 'label' is {label!r}: it must be 'spam' or 'ham'")
                comment = Comment.from_record(record)
            except ValueError as error:
                raise CorpusError(f"{path.name}, line {number}: {error}") from error
            source = str(record.get("source") or path.name.split(".")[0])
            group = str(record.get("campaign") or "")
            if source in _GROUPED_BY_TITLE:
                group = comment.post_title
            yield LabeledComment(
                comment=comment,
                label=Label(label),
                source=source,
                group=f"{source}/{group}" if group else "",
                kind=str(record.get("kind") or "blog"),
                lang=str(record.get("lang") or ""),
                date=str(record.get("date") or ""),
                weight=_SOURCE_WEIGHTS.get(source, 1.0),
                id=str(record.get("id") or f"{source}/{number}"),
            )


def read_folder(folder: Path) -> list[LabeledComment]:
    """Read every ``*.jsonl`` and ``*.jsonl.gz`` of a folder, in order of name, and expand its spintax.

    Templates stand in ``spintax/pieces.txt``, if anywhere. Labels that reading proved wrong are corrected by
    ``relabels.toml``, and each comment is given its company and half of them their site's language.

    Raises
    ------
    CorpusError
        If the folder is missing or holds no such file.
    """
    paths = sorted([*folder.glob("*.jsonl"), *folder.glob("*.jsonl.gz")])
    if not paths:
        raise CorpusError(
            f"no *.jsonl or *.jsonl.gz in {folder}: set REPLYGUARD_CORPORA to a folder of labelled comments"
        )
    corrected = read_relabels(_RELABELS)
    languages: dict[str, str] = tomllib.loads(_LANGUAGES.read_text(encoding="utf-8"))["languages"]
    rows = [
        _with_site_language(
            dataclasses.replace(row, label=corrected[row.id]) if row.id in corrected else row,
            languages.get(row.source, ""),
        )
        for path in paths
        for row in read_jsonl(path)
    ]
    templates = folder / "spintax" / "pieces.txt"
    if templates.exists():
        rows += read_spintax(templates, per_piece=_PER_PIECE)
    return accompany(rows)


def read_corpora(folder: Path) -> list[LabeledComment]:
    """Read what a version is fitted on: a folder of labelled comments (``read_folder``) and those we wrote ourselves.

    Raises
    ------
    CorpusError
        As ``read_folder``.
    """
    return [*read_folder(folder), *read_written()]


def _with_site_language(row: LabeledComment, language: str) -> LabeledComment:
    """Let every other comment say its site's language, so that a fit relies neither on it nor on its absence."""
    if not language or row.comment.site_lang or zlib.crc32(row.id.encode()) % 2:
        return row
    return dataclasses.replace(row, comment=dataclasses.replace(row.comment, site_lang=language))


def read_relabels(path: Path) -> dict[str, Label]:
    """Read the labels that replace a source's own, by comment id."""
    entries = tomllib.loads(path.read_text(encoding="utf-8")).get("relabel", [])
    return {name: Label(entry["label"]) for entry in entries for name in entry["ids"]}


def read_licences(folder: Path) -> dict[str, str]:
    """Return the licence of each source: as the folder's ``README.md`` has it, else as ``corpora.toml`` does.

    The page's table has a header row with the columns ``source`` and ``licence``.
    """
    licences = {source.name: source.licence for source in read_catalogue().values()}
    licences[WRITTEN] = "MIT (our own)"
    page = folder / "README.md"
    if not page.exists():
        return licences
    columns: list[str] = []
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")] if line.startswith("|") else []
        if {"source", "licence"} <= set(cells):
            columns = cells
        elif len(cells) == len(columns) and columns:
            licences[cells[columns.index("source")]] = cells[columns.index("licence")]
        elif not cells:
            columns = []
    return licences
