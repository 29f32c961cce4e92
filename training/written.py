"""Makes comments from templates that we wrote ourselves: campaigns that public corpora are too old for, and real talk.

Public corpora hold hardly any spam since 2021 and little ham in most languages. ``written/spam.toml`` and
``written/ham.toml`` show a fit what it would never see otherwise; nothing is judged on them
(docs/experiments/0015-written.md).

A template is spintax (``{a|b}``) in which ``<name>`` stands for an entry of the file's list of that name, the same one
wherever it comes up within a comment. ``<slug>`` and ``<slugjoined>`` are the author's name as an address has it;
``<blogjoined>`` is the entry of the list ``blogname`` likewise. An entry with ``times`` is made so many times as often.
"""

from __future__ import annotations

import random
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from model.comment import Comment, Label, LabeledComment
from training.spintax import KIND, expand

SOURCE = "written"

_FOLDER = Path(__file__).with_name("written")
_REFERENCE = re.compile(r"<([a-z_]+)>")
_SLUGS = frozenset({"slug", "slugjoined", "blogjoined"})
# More of one body only repeat it: its wording is what a fit is to learn.
_PER_BODY = 4
_MAX_DEPTH = 8
# At full weight they cost the blogs left out a point of recall at 1 %, at a tenth less than half of one; what they
# teach is nearly the same (docs/experiments/0015-written.md).
_WEIGHT = 0.1


class TemplateError(Exception):
    """A file of templates that cannot be used; the message names the file, the entry and the remedy."""


def read_written(folder: Path = _FOLDER, *, per_body: int = _PER_BODY, seed: int = 0) -> list[LabeledComment]:
    """Make the comments of every ``*.toml`` of a folder, in order of name.

    Parameters
    ----------
    folder : Path
    per_body : int
        How many different comments of each body, at most.
    seed : int

    Returns
    -------
    list of LabeledComment
        Those of one body are one group; they are of the kind that is learnt from and never judged.

    Raises
    ------
    TemplateError
        If an entry lacks a field or names a list that is not there.
    """
    return [row for path in sorted(folder.glob("*.toml")) for row in _read(path, per_body, seed)]


def _read(path: Path, per_body: int, seed: int) -> Iterator[LabeledComment]:
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise TemplateError(f"{path.name}: {error}") from error
    lists = data.get("lists", {})
    for entry in data.get("comments", []):
        _check(path, entry, lists)
        for number, body in enumerate(entry["bodies"]):
            group = f"{SOURCE}/{path.stem}/{entry['name']}/{number}"
            chance = random.Random(f"{seed}:{group}")  # noqa: S311 - reproducible, not secret
            n_made = per_body * entry.get("times", 1)
            made = dict.fromkeys(_comment(entry, body, lists, chance) for _ in range(n_made))
            for place, comment in enumerate(made):
                yield LabeledComment(
                    comment,
                    Label(entry["label"]),
                    source=SOURCE,
                    group=group,
                    kind=KIND,
                    lang=entry["lang"],
                    weight=_WEIGHT,
                    id=f"{group}.{place}",
                )


def _check(path: Path, entry: Mapping[str, Any], lists: Mapping[str, Sequence[str]]) -> None:
    where = f"{path.name}, comments {entry.get('name', 'without a name')!r}"
    for field in ("name", "label", "lang", "authors", "urls", "bodies"):
        if field not in entry:
            raise TemplateError(f"{where}: {field!r} is missing")
    if entry["label"] not in {label.value for label in Label}:
        raise TemplateError(f"{where}: 'label' is {entry['label']!r}: it must be 'spam' or 'ham'")
    entries = [one for of_list in lists.values() for one in of_list]
    used = {
        name
        for template in (*entry["authors"], *entry["urls"], *entry["bodies"], *entries)
        for name in _REFERENCE.findall(template)
    }
    missing = used - set(lists) - _SLUGS
    if missing:
        raise TemplateError(f"{where}: no list is called {', '.join(sorted(missing))}: add it under [lists]")


def _comment(
    entry: Mapping[str, Any], body: str, lists: Mapping[str, Sequence[str]], chance: random.Random
) -> Comment:
    chosen: dict[str, str] = {}

    def fill(template: str, depth: int = 0) -> str:
        def entry_of(match: re.Match[str]) -> str:
            name = match.group(1)
            if name not in chosen:
                chosen[name] = fill(chance.choice(lists[name]), depth + 1) if depth < _MAX_DEPTH else ""
            return chosen[name]

        return _REFERENCE.sub(entry_of, expand(template, chance))

    author = fill(chance.choice(entry["authors"]))
    words = _latin_words(author)
    chosen |= {"slug": "-".join(words), "slugjoined": "".join(words)}
    address = chance.choice(entry["urls"])
    if "<blogjoined>" in address:
        chosen["blogjoined"] = "".join(_latin_words(fill("<blogname>")))
    # A name in other letters has no slug, and an address without its name would be none.
    url = "" if not words and any(f"<{slug}>" in address for slug in _SLUGS) else fill(address)
    return Comment(body=fill(body), author=author, url=url)


def _latin_words(author: str) -> list[str]:
    plain = unicodedata.normalize("NFKD", author.lower()).encode("ascii", "ignore").decode()
    return re.findall(r"[a-z0-9]+", plain)
