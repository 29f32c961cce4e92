from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from model.comment import Comment, Company, Label
from model.verdict import Decision
from service.history import survey_history
from service.importing.exported import Exported, Row, Status
from service.policy import PolicyOverrides
from service.rehearsal import GlobalModel, Mistake, Rehearsal, cut_history, interval
from tests.builders import a_comment
from tests.fakes import KeywordScore

NO_OVERRIDES = PolicyOverrides()
START = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


class Keywords(KeywordScore):
    """The keyword model, many at once."""

    def score(self, comments: Sequence[Comment]) -> NDArray[np.float64]:
        return np.array([self.judge(comment).score for comment in comments])


class Remembers:
    """A learner that keeps what it is shown."""

    def __init__(self, max_past: int) -> None:
        self.max_past = max_past
        self.shown: list[tuple[str, Label]] = []

    def learn(self, comments: Sequence[Comment], labels: Sequence[Label]) -> Keywords:
        self.shown = [(comment.body, label) for comment, label in zip(comments, labels, strict=True)]
        return Keywords(version="taught-1")


def a_row(
    body: str,
    label: Label = Label.HAM,
    day: int | None = 0,
    akismet: Label | None = None,
    person: Label | None = None,
) -> Exported:
    return Exported(
        a_comment(body=body),
        Status.SPAM if label is Label.SPAM else Status.APPROVED,
        written_at=None if day is None else START + dt.timedelta(days=day),
        akismet=akismet,
        person=person,
    )


def ten_days() -> list[Row]:
    """Newest first, as some blogs export."""
    return [a_row(f"day {day}", Label.SPAM if day % 2 else Label.HAM, day) for day in range(9, -1, -1)]


def test_the_newest_third_is_judged_and_the_past_is_learnt_oldest_first() -> None:
    learner = Remembers(max_past=4)
    rows = ten_days()
    report = Rehearsal(learner, NO_OVERRIDES).run(lambda: iter(rows), cut_history(survey_history(rows)))
    assert learner.shown == [(f"day {day}", Label.SPAM if day % 2 else Label.HAM) for day in (3, 4, 5, 6)]
    assert (report.n_past, report.n_learnt, report.version) == (7, 4, "taught-1")
    assert (report.first, report.last) == (START + dt.timedelta(days=7), START + dt.timedelta(days=9))
    assert report.decisions.total() == 3


def test_a_day_can_be_given() -> None:
    rows = ten_days()
    cut = cut_history(survey_history(rows), since=START + dt.timedelta(days=2))
    report = Rehearsal(GlobalModel(Keywords()), NO_OVERRIDES).run(lambda: iter(rows), cut)
    assert (report.n_past, report.n_learnt, report.decisions.total()) == (2, 0, 8)


def test_without_dates_the_order_of_the_file_is_taken() -> None:
    rows: list[Row] = [a_row(str(number), day=None) for number in range(10)]
    cut = cut_history(survey_history(rows))
    assert cut.ordinal == 7
    learner = Remembers(max_past=100)
    Rehearsal(learner, NO_OVERRIDES).run(lambda: iter(rows), cut)
    assert [body for body, _ in learner.shown] == [str(number) for number in range(7)]


def test_what_would_have_happened_is_counted_and_the_worst_mistakes_are_kept() -> None:
    rows: list[Row] = [
        a_row("casino one", Label.HAM, 1),
        a_row("blatant two", Label.HAM, 2),
        a_row("maybe three", Label.SPAM, 3),
        a_row("four", Label.SPAM, 4),
        a_row("casino five", Label.SPAM, 5),
        a_row("six", Label.HAM, 6),
    ]
    told: list[Mistake] = []
    report = Rehearsal(GlobalModel(Keywords()), NO_OVERRIDES, n_shown=1).run(
        lambda: iter(rows), cut_history(survey_history(rows), since=START), on_mistake=told.append
    )
    assert report.decisions == {
        (Label.HAM, Decision.SPAM): 2,
        (Label.HAM, Decision.HAM): 1,
        (Label.SPAM, Decision.UNSURE): 1,
        (Label.SPAM, Decision.HAM): 1,
        (Label.SPAM, Decision.SPAM): 1,
    }
    assert report.discarded == {Label.HAM: 1, Label.SPAM: 0}
    assert [mistake.row.comment.body for mistake in report.blocked_ham] == ["blatant two"]
    assert [mistake.row.comment.body for mistake in report.missed_spam] == ["four"]
    assert [mistake.row.comment.body for mistake in told] == ["casino one", "blatant two", "four"]
    assert report.blocked_ham[0].clues[0].text == 'word "blatant"'


def test_the_operators_cut_offs_apply() -> None:
    rows: list[Row] = [a_row("maybe", Label.SPAM)]
    report = Rehearsal(GlobalModel(Keywords()), PolicyOverrides(spam_from=0.4)).run(
        lambda: iter(rows), cut_history(survey_history(rows), since=START)
    )
    assert report.decisions == {(Label.SPAM, Decision.SPAM): 1}


def test_akismets_answers_stand_beside_ours() -> None:
    rows: list[Row] = [
        a_row("casino", Label.SPAM, akismet=Label.SPAM),
        a_row("casino", Label.SPAM, akismet=Label.HAM, person=Label.SPAM),
        a_row("hello", Label.HAM, akismet=Label.SPAM, person=Label.HAM),
        a_row("hello", Label.SPAM, akismet=Label.SPAM, person=Label.SPAM),
        a_row("hello", Label.HAM),
    ]
    report = Rehearsal(GlobalModel(Keywords()), NO_OVERRIDES).run(
        lambda: iter(rows), cut_history(survey_history(rows), since=START)
    )
    both = report.all_answered
    assert both.ours == {(Label.SPAM, True): 2, (Label.SPAM, False): 1, (Label.HAM, False): 1}
    assert both.akismet == {(Label.SPAM, True): 2, (Label.SPAM, False): 1, (Label.HAM, True): 1}
    assert (both.only_ours_right, both.only_akismet_right) == (2, 1)
    assert report.person_said.ours.total() == 3


def test_a_history_that_was_judged_is_begun_anew_each_time() -> None:
    passes = []

    def rows() -> Iterator[Row]:
        passes.append("pass")
        return iter(ten_days())

    cut = cut_history(survey_history(ten_days()))
    Rehearsal(GlobalModel(Keywords()), NO_OVERRIDES).run(rows, cut)
    assert len(passes) == 1
    Rehearsal(Remembers(5), NO_OVERRIDES).run(rows, cut)
    assert len(passes) == 3


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"), [(0, 0, 0.0, 1.0), (0, 100, 0.0, 0.037), (5, 10, 0.237, 0.763)]
)
def test_intervals(hits: int, n: int, low: float, high: float) -> None:
    assert interval(hits, n) == pytest.approx((low, high), abs=0.001)


CAMPAIGN = "these wonderful running shoes come in eleven lovely colours this very summer my dear friends"


class Meets(Keywords):
    """Notes the company of what it scores, by the author's name."""

    max_past = 0

    def __init__(self) -> None:
        super().__init__()
        self.met: dict[str, Company | None] = {}

    def learn(self, comments: Sequence[Comment], labels: Sequence[Label]) -> Meets:
        return self

    def score(self, comments: Sequence[Comment]) -> NDArray[np.float64]:
        self.met |= {comment.author: comment.company for comment in comments}
        return super().score(comments)


def near_counts(rows: list[Row], *, days: int, since: int | None = 5) -> dict[str, int]:
    meets = Meets()
    moment = None if since is None else START + dt.timedelta(days=since)
    cut = cut_history(survey_history(rows), since=moment)
    Rehearsal(meets, NO_OVERRIDES, company_days=days).run(lambda: iter(rows), cut)
    return {author: 0 if met is None else met.near for author, met in meets.met.items()}


def a_copy(author: str, label: Label, day: int | None) -> Exported:
    row = a_row(CAMPAIGN, label, day)
    return replace(row, comment=replace(row.comment, author=author))


def test_a_judged_comment_meets_what_came_before_it_and_nothing_later() -> None:
    # Newest first, as some blogs export: the order of the file would show each its future.
    rows: list[Row] = [a_copy(f"name {day}", Label.SPAM, day) for day in range(9, -1, -1)]
    assert near_counts(rows, days=60) == {f"name {day}": day for day in range(5, 10)}
    assert near_counts(rows, days=2) == {f"name {day}": 2 for day in range(5, 10)}
    assert near_counts(rows, days=0) == {f"name {day}": 0 for day in range(5, 10)}
    assert near_counts(rows[::-1], days=60) == near_counts(rows, days=60)


def test_what_the_past_called_ham_is_no_company_and_no_label_of_the_future_counts() -> None:
    def history(past: Label, future: Label) -> list[Row]:
        return [a_copy("Anna", past, 1), a_copy("Ben", future, 6), a_copy("Cleo", future, 7)]

    assert near_counts(history(Label.SPAM, Label.SPAM), days=60) == {"Ben": 1, "Cleo": 2}
    assert near_counts(history(Label.HAM, Label.SPAM), days=60) == {"Ben": 0, "Cleo": 1}
    for past in Label:
        assert near_counts(history(past, Label.SPAM), days=60) == near_counts(
            history(past, Label.HAM), days=60
        )


def test_without_dates_company_goes_by_the_order_of_the_file() -> None:
    rows: list[Row] = [a_copy(f"name {number}", Label.SPAM, None) for number in range(10)]
    assert near_counts(rows, days=60, since=None) == {"name 7": 7, "name 8": 8, "name 9": 9}


def test_a_comment_without_a_date_among_dated_ones_is_met_by_none() -> None:
    rows: list[Row] = [a_copy("Anna", Label.SPAM, None), a_copy("Ben", Label.SPAM, 1)]
    rows += [a_copy("Cleo", Label.SPAM, 6)]
    assert near_counts(rows, days=60) == {"Cleo": 1}


def test_the_same_name_is_no_company() -> None:
    rows: list[Row] = [a_copy("Anna", Label.SPAM, day) for day in (1, 2, 6)]
    assert near_counts(rows, days=60) == {"Anna": 0}
