import numpy as np
import pytest

from model.comment import Comment, Label, LabeledComment
from training.slices import Judged, kind_of_row, slices, without_metadata


def judged(n=40):
    rows = [
        LabeledComment(
            Comment(body="x", kind="pingback" if place % 4 == 0 else "comment"),
            Label.SPAM if place % 2 else Label.HAM,
            source="a" if place < n // 2 else "b",
            lang="de" if place < 4 else "en",
        )
        for place in range(n)
    ]
    is_spam = np.array([row.is_spam for row in rows])
    return Judged(rows, is_spam, np.where(is_spam, 0.9, 0.1), np.full(n, 0.5), np.arange(n, dtype=np.int64))


def test_a_slice_holds_its_rows_and_no_others():
    rows = {row.source: row for row in slices(judged(80), lambda row: row.source)}
    assert {name: (row.n_spam, row.n_ham) for name, row in rows.items()} == {"a": (20, 20), "b": (20, 20)}
    assert rows["a"].recall_1 == rows["a"].recall_01 == rows["a"].spam_caught == 1.0
    assert rows["a"].ham_held == 0.0
    assert rows["a"].calibration_error == pytest.approx(0.1, abs=0.02)


def test_little_ham_gives_no_recall_but_both_shares():
    (row,) = slices(judged(20), lambda _: "all")
    assert np.isnan([row.auc, row.recall_1, *row.recall_01_interval, row.calibration_error]).all()
    assert (row.ham_held, row.spam_caught) == (0.0, 1.0)


def test_small_slices_can_be_passed_over():
    assert [row.source for row in slices(judged(), lambda row: row.lang, min_rows=5)] == ["en"]


def test_a_pingback_on_a_blog_is_a_pingback():
    assert {kind_of_row(row) for row in judged().comments} == {"blog", "pingback"}


def test_metadata_is_blanked_and_text_and_type_are_not():
    full = Comment(
        body="b", author="a", email="e", url="u", permalink="p", post_title="t", post_text="x", tags=("g",),
        kind="trackback", site="s",
    )  # fmt: skip
    assert without_metadata(full) == Comment(body="b", kind="trackback", site="s")
