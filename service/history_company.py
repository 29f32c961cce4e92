"""Counts the company that the comments of a history came in, as the service would have counted it at the time.

In order of time, whatever the order of the file: a comment meets only what was there before it. Of what was
written since the cut no label is used, since nobody could have known it.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model import company
from model.comment import Comment, Company
from model.document import prepare
from model.wording import wording

_MARK = np.dtype([("value", np.int64), ("sort", np.int8)])


class Arrival(NamedTuple):
    """A comment of a history.

    Attributes
    ----------
    moment : float
        When it came, in seconds or in any unit that rises; nan if nobody knows: it is met by none then.
    comment : Comment
    is_known_ham : bool
        Whether a label of the past says so: it is no company, and its opening words and domains tell nothing.
    is_judged : bool
        Whether its own company is wanted.
    """

    moment: float
    comment: Comment
    is_known_ham: bool
    is_judged: bool


def companies(arrivals: Iterable[Arrival], *, reach: float) -> dict[int, Company]:
    """Return the company of each comment that is judged, by its place in the history, from 0.

    Only numbers are kept of each comment, some 350 bytes (benchmarks/results/importing.md). A comment without
    company is left out of the answer.

    Parameters
    ----------
    arrivals : iterable of Arrival
        In any order; of those that came at the same moment, the earlier in it came first.
    reach : float
        How far back is looked, in the unit of ``moment``.
    """
    values, sorts, ends = array("q"), array("b"), array("q", [0])
    authors, moments = array("q"), array("d")
    hams, judged = bytearray(), bytearray()
    for each in arrivals:
        document = prepare(each.comment)
        for mark in company.marks(document, wording(document)):
            values.append(mark.value)
            sorts.append(mark.sort)
        ends.append(len(values))
        authors.append(company.author_of(each.comment))
        moments.append(each.moment)
        hams.append(each.is_known_ham)
        judged.append(each.is_judged)
    numbers = _repeated(values, sorts)
    met = _Marks(authors, moments, hams)
    found: dict[int, Company] = {}
    came = np.frombuffer(moments) if moments else np.empty(0)
    for place in np.argsort(came, kind="stable").tolist():
        if math.isnan(moments[place]):
            break  # they are sorted to the end
        marks = [
            (number, sorts[at])
            for at in range(ends[place], ends[place + 1])
            if (number := int(numbers[at])) >= 0
        ]
        if judged[place]:
            since = moments[place] - reach
            counted = company.count(authors[place], met.meetings(marks, since=since))
            if counted != Company():
                found[place] = counted
        met.add(place, marks)
    return found


def _repeated(values: array[int], sorts: array[int]) -> NDArray[np.int64]:
    """Number the marks, the same ones alike; -1 for what only one comment has, so that it takes no memory."""
    if not values:
        return np.empty(0, dtype=np.int64)
    marks = np.empty(len(values), dtype=_MARK)
    marks["value"], marks["sort"] = np.frombuffer(values, dtype=np.int64), np.frombuffer(sorts, dtype=np.int8)
    _, numbers, counts = np.unique(marks, return_inverse=True, return_counts=True)
    return np.where(counts[numbers] > 1, numbers, -1)


class _Marks:
    """Which of the comments so far have a mark."""

    def __init__(self, authors: array[int], moments: array[float], hams: bytearray) -> None:
        self._authors = authors
        self._moments = moments
        self._hams = hams
        self._places: dict[int, list[int]] = {}
        self._of_ham: set[int] = set()

    def add(self, place: int, marks: list[tuple[int, int]]) -> None:
        for number, _ in marks:
            places = self._places.setdefault(number, [])
            places.append(place)
            if len(places) > 2 * company.MAX_PER_MARK:
                del places[: -company.MAX_PER_MARK]
            if self._hams[place]:
                self._of_ham.add(number)

    def meetings(self, marks: list[tuple[int, int]], *, since: float) -> Iterable[company.Meeting]:
        for number, sort in marks:
            # Who has a real commenter's habits must not be held for it, as in the service.
            if sort >= company.Sort.OPENING and number in self._of_ham:
                continue
            for place in self._places.get(number, ())[-company.MAX_PER_MARK :]:
                if self._moments[place] >= since and not self._hams[place]:
                    yield company.Meeting(
                        place, self._authors[place], company.Mark(company.Sort(sort), number)
                    )
