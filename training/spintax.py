"""Expands a spammer's spintax, ``{like|love} your {blog|site}``, into comments to learn from."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path

from model.comment import Comment, Label, LabeledComment

KIND = "generated"
"""Kind of what was made and not found: learnt from, never judged."""

_TOKEN = re.compile(r"[{}|]")
_MAX_DEPTH = 50


def expand(template: str, chance: random.Random) -> str:
    """Choose one alternative of each ``{a|b}``, nested ones too; stray braces are dropped.

    Parameters
    ----------
    template : str
    chance : random.Random

    Returns
    -------
    str
    """
    # One list of alternatives per open brace; the outermost has a single one.
    stack: list[list[str]] = [[""]]
    done = 0
    for match in _TOKEN.finditer(template):
        stack[-1][-1] += template[done : match.start()]
        done = match.end()
        if match.group() == "{" and len(stack) < _MAX_DEPTH:
            stack.append([""])
        elif match.group() == "|" and len(stack) > 1:
            stack[-1].append("")
        elif match.group() == "}" and len(stack) > 1:
            chosen = chance.choice(stack.pop())
            stack[-1][-1] += chosen
    stack[-1][-1] += template[done:]
    return " ".join("".join(chance.choice(alternatives) for alternatives in stack).split())


def read_spintax(path: Path, *, per_piece: int, seed: int = 0) -> Iterator[LabeledComment]:
    """Make comments from a file of templates, one a line.

    Parameters
    ----------
    path : Path
    per_piece : int
        How many different expansions of each template, at most.
    seed : int

    Yields
    ------
    LabeledComment
        Spam without name or address; those of one template are one group.
    """
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines()):
        if not line.strip():
            continue
        chance = random.Random(f"{seed}:{number}")  # noqa: S311 - reproducible, not secret
        bodies = dict.fromkeys(expand(line, chance) for _ in range(per_piece))
        for place, body in enumerate(bodies):
            yield LabeledComment(
                Comment(body=body),
                Label.SPAM,
                source="spintax",
                group=f"spintax/{number}",
                kind=KIND,
                lang="en",
                id=f"spintax/{number}.{place}",
            )
