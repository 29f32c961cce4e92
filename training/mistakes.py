"""Writes the worst mistakes with their text, for one person to read, and never into a repository."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from model.comment import LabeledComment
from training.evaluate import Mistake


class MistakesPathError(Exception):
    """A place where texts of other people must not be written; the message says why and where instead."""


def check_path(path: Path) -> None:
    """Refuse a place from which the file could be committed.

    Raises
    ------
    MistakesPathError
        If the folder is missing or lies in a repository.
    """
    folder = path.absolute().resolve().parent
    if not folder.is_dir():
        raise MistakesPathError(f"{folder} is no folder: make it first")
    for parent in (folder, *folder.parents):
        if (parent / ".git").exists():
            raise MistakesPathError(
                f"{path} lies in the repository {parent}: the texts belong to those who wrote them, "
                "choose a place outside"
            )


def write_mistakes(path: Path, mistakes: Iterable[Mistake], comments: Sequence[LabeledComment]) -> None:
    """Write each mistake with author, address and text, readable by its owner alone.

    Parameters
    ----------
    path : Path
        Outside any repository; replaced if it exists.
    mistakes : iterable of Mistake
    comments : sequence of LabeledComment
        Where the texts are looked up by source and id.

    Raises
    ------
    MistakesPathError
        As ``check_path``.
    """
    check_path(path)
    rows = {(row.source, row.id): row for row in comments}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(descriptor, "w", encoding="utf-8", errors="replace") as page:
        # An older file keeps its mode when it is opened again.
        os.fchmod(descriptor, 0o600)
        for mistake in mistakes:
            comment = rows[mistake.source, mistake.id].comment
            label = "spam" if mistake.is_spam else "ham"
            page.write(f"== {mistake.id}: {label}, score {mistake.score:.4f}\n")
            page.write(
                f"author: {comment.author}\nurl: {comment.url}\npage: {comment.permalink} {comment.post_title}\n"
            )
            page.write(f"{comment.body}\n\n")
