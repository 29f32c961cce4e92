"""Use case: look through a site's history of comments, then keep its labels as feedback."""

from __future__ import annotations

import datetime as dt
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.comment import Comment, Label
from service.clock import Clock
from service.fingerprint import canonical_content
from service.importing.exported import Exported, Row, Skipped, Status, Why, reason_to_skip
from service.pseudonyms import Pseudonyms
from service.sites import SiteAddress
from service.stores.comments import comment_values
from service.stores.imports import ImportRecord, Written
from service.stores.keys import Key
from service.taught import contradicted

#: Comments to a transaction. On SQLite checks wait while one is written: some hundredths of a second, a small
#: part of the time after which they would be answered that the database is busy.
BATCH_ROWS = 250
#: Places of unreadable rows that are told; the rest is only counted.
MAX_PLACES = 10


@dataclass(slots=True)
class Survey:
    """What a history holds.

    Attributes
    ----------
    n_rows : int
        Rows of every kind.
    labels : Counter of Label
        Comments with a label, which can be learnt from.
    skipped : Counter of Why
    places : list of str
        Where the first unreadable rows stand.
    n_rescued : int
        Comments out of trash and pending that count because a person had called them spam or ham.
    n_akismet : int
        Labelled comments of which Akismet's answer is known.
    n_overruled : int
        Those of them in which a person said the opposite.
    moments : array of float
        When each labelled comment was written, in seconds since 1970, in the order of the file; nan if unknown.
        Eight bytes a comment: the one thing that grows with the history.
    """

    n_rows: int = 0
    labels: Counter[Label] = field(default_factory=Counter)
    skipped: Counter[Why] = field(default_factory=Counter)
    places: list[str] = field(default_factory=list)
    n_rescued: int = 0
    n_akismet: int = 0
    n_overruled: int = 0
    moments: array[float] = field(default_factory=lambda: array("d"))

    @property
    def n_labelled(self) -> int:
        return self.labels.total()

    @property
    def n_undated(self) -> int:
        return sum(moment != moment for moment in self.moments)


class Labels(Protocol):
    """Where imported labels are kept."""

    def add(
        self,
        records: Sequence[ImportRecord],
        *,
        site: SiteAddress,
        key_id: int,
        now: dt.datetime,
        relabel: bool = False,
    ) -> Written: ...


def labelled(rows: Iterable[Row], survey: Survey | None = None) -> Iterator[tuple[Exported, Label]]:
    """Yield the comments that can be learnt from, and note the others in the survey."""
    for row in rows:
        if survey is not None:
            survey.n_rows += 1
        if isinstance(row, Skipped):
            why: Why | None = row.why
            place = row.place
        else:
            why, place = reason_to_skip(row), ""
            label = row.label
            if why is None and label is not None:
                yield row, label
                continue
        if survey is not None and why is not None:
            survey.skipped[why] += 1
            if place and len(survey.places) < MAX_PLACES:
                survey.places.append(place)


def survey_history(rows: Iterable[Row]) -> Survey:
    """Go through a whole history without keeping anything.

    An import begins with this, so that a damaged file is found before the first label is kept.
    """
    survey = Survey()
    for row, label in labelled(rows, survey):
        survey.labels[label] += 1
        survey.n_rescued += row.status not in (Status.APPROVED, Status.SPAM)
        survey.n_akismet += row.akismet is not None
        survey.n_overruled += row.akismet is not None and row.person not in (None, row.akismet)
        survey.moments.append(float("nan") if row.written_at is None else row.written_at.timestamp())
    return survey


class Judge(Protocol):
    """The model that answers now, for many comments at once."""

    def score(self, comments: Sequence[Comment]) -> NDArray[np.float64]: ...


class HistoryImport:
    """Keeps the labels of a history as feedback of its site.

    Parameters
    ----------
    labels : Labels
    pseudonyms : Pseudonyms
    clock : Clock
    judge : Judge, optional
        What labels are compared with: those that contradict overwhelming evidence wait for the admin's word.
        One spam among thousands of comments that somebody once approved would make a site distrust the model.
    """

    def __init__(
        self, *, labels: Labels, pseudonyms: Pseudonyms, clock: Clock, judge: Judge | None = None
    ) -> None:
        self._judge = judge
        self._labels = labels
        self._pseudonyms = pseudonyms
        self._clock = clock

    def run(
        self,
        rows: Iterable[Row],
        *,
        site: SiteAddress,
        key: Key,
        relabel: bool = False,
        on_batch: Callable[[Written], None] = lambda _: None,
    ) -> Written:
        """Keep every label; each batch is on disk before the next one is read.

        If it is interrupted, at whatever moment, run it again: what is there is passed over.

        Parameters
        ----------
        rows : iterable of Row
        site : SiteAddress
        key : Key
            The key that the labels come under.
        relabel : bool
            Let this history replace what earlier imports said of the same comments.
        on_batch : callable
            Told the sums so far.
        """
        total = Written()
        batch: list[tuple[Exported, Label]] = []

        def keep() -> None:
            records = self._records(batch)
            total.add(self._labels.add(records, site=site, key_id=key.id, now=self._clock(), relabel=relabel))
            batch.clear()
            on_batch(total)

        for row, label in labelled(rows):
            batch.append((row, label))
            if len(batch) >= BATCH_ROWS:
                keep()
        if batch:
            keep()
        return total

    def _records(self, batch: Sequence[tuple[Exported, Label]]) -> list[ImportRecord]:
        doubtful = np.zeros(len(batch), dtype=np.bool_)
        if self._judge is not None:
            is_spam = np.array([label is Label.SPAM for _, label in batch], dtype=np.bool_)
            doubtful = contradicted(is_spam, self._judge.score([row.comment for row, _ in batch]))
        return [
            self._record(row, label, is_doubtful=each)
            for (row, label), each in zip(batch, doubtful.tolist(), strict=True)
        ]

    def _record(self, row: Exported, label: Label, *, is_doubtful: bool) -> ImportRecord:
        comment = row.comment
        canonical = canonical_content(comment.body, comment.author, comment.url)
        return ImportRecord(
            label=label.value,
            content_hash=self._pseudonyms.digest("content", canonical),
            written_at=row.written_at,
            values=comment_values(comment, ip=row.ip, user_role=row.user_role, pseudonyms=self._pseudonyms),
            is_doubtful=is_doubtful,
        )
