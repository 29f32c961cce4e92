"""Gives labelled comments the company that they would have had when they came: earlier ones only, same source only."""

from __future__ import annotations

import dataclasses
from collections import defaultdict, deque
from collections.abc import Sequence

from model import company
from model.comment import Comment, LabeledComment
from model.document import prepare
from model.wording import wording
from training.corpus import by_source
from training.spintax import KIND as GENERATED


def accompany(comments: Sequence[LabeledComment]) -> list[LabeledComment]:
    """Return the comments, in their old order, each with its company.

    Within a source they count in order of date, and in their old order where there is none. What was generated
    stays alone: its templates would meet themselves.
    """
    counted: dict[int, LabeledComment] = {}
    for rows in by_source(comments).values():
        if rows[0].kind == GENERATED:
            continue
        seen: defaultdict[company.Mark, deque[company.Meeting]] = defaultdict(
            lambda: deque(maxlen=company.MAX_PER_MARK)
        )
        for place, row in enumerate(sorted(rows, key=lambda row: row.date)):
            author, marks = company.author_of(row.comment), _marks(row.comment)
            met = company.count(author, (meeting for mark in marks for meeting in seen.get(mark, ())))
            for mark in marks:
                seen[mark].append(company.Meeting(place, author, mark))
            counted[id(row)] = dataclasses.replace(row, comment=dataclasses.replace(row.comment, company=met))
    return [counted.get(id(row), row) for row in comments]


def _marks(comment: Comment) -> tuple[company.Mark, ...]:
    document = prepare(comment)
    return company.marks(document, wording(document))
