import numpy as np
import pytest

from model.comment import Comment, Label, LabeledComment
from training import corpus
from training.split import leave_one_source_out, source_folds


def a_row(body="x", label=Label.SPAM, source="a", group="", **fields) -> LabeledComment:
    return LabeledComment(Comment(body=body, **fields), label, source=source, group=group)


def test_copies_within_a_source_are_folded():
    rows = [a_row("Buy  now"), a_row("buy now"), a_row("buy now", source="b"), a_row("buy now", author="x")]
    assert corpus.deduplicate(rows) == [rows[0], rows[2], rows[3]]


def test_texts_labelled_both_ways_are_dropped():
    rows = [a_row("hm"), a_row("hm", Label.HAM), a_row("other")]
    assert corpus.deduplicate(rows) == [rows[2]]


def test_no_campaign_and_no_source_is_louder_than_allowed():
    rows = [a_row(f"s{i}", group="a/c1") for i in range(50)]
    rows += [a_row(f"h{i}", Label.HAM, group="a/c1") for i in range(50)]
    kept = corpus.limit(rows, corpus.Limits(per_source=40, per_group=25), seed=0)
    assert sum(row.is_spam for row in kept) == 25
    assert sum(not row.is_spam for row in kept) == 40
    assert kept == corpus.limit(rows, corpus.Limits(per_source=40, per_group=25), seed=0)


def test_both_labels_weigh_the_same():
    rows = [a_row(f"s{i}") for i in range(90)] + [a_row("h", Label.HAM, source="b")]
    weights = corpus.balanced_weights(rows, corpus.Balance())
    assert weights.sum() == pytest.approx(91)
    assert weights[-1] == pytest.approx(45.5)


def test_a_changed_label_changes_the_fingerprint():
    assert corpus.fingerprint([a_row()]) != corpus.fingerprint([a_row(label=Label.HAM)])
    assert corpus.fingerprint([a_row()]) == corpus.fingerprint([a_row()])


def test_a_source_is_never_in_two_folds():
    rows = [a_row(str(i), source=f"s{i % 7}") for i in range(70)]
    folds = source_folds(rows, 3)
    assert set(folds.tolist()) == {0, 1, 2}
    for source in {row.source for row in rows}:
        assert len({fold for fold, row in zip(folds, rows, strict=True) if row.source == source}) == 1
    with pytest.raises(ValueError, match="2 folds"):
        source_folds(rows[:1], 2)


def test_every_source_is_left_out_once():
    rows = [a_row(str(i), Label.HAM if i % 2 else Label.SPAM, source="both") for i in range(10)]
    rows += [a_row(str(i), source=f"spam-{i}") for i in range(6)]
    folds = list(leave_one_source_out(rows, min_rows=5, n_rest=2))
    assert folds[0][0] == "both"
    assert len(folds) == 3
    assert np.sum([left_out for _, left_out in folds], axis=0).tolist() == [1] * len(rows)


def test_what_was_generated_is_learnt_from_and_never_judged():
    rows = [a_row(str(i), Label.HAM if i % 2 else Label.SPAM, source="real") for i in range(10)]
    rows += [LabeledComment(Comment(body="spun"), Label.SPAM, source="spintax", kind="generated")]
    assert [(name, left_out.tolist()) for name, left_out in leave_one_source_out(rows, min_rows=5)] == [
        ("real", [True] * 10 + [False])
    ]


def test_other_talk_weighs_less_than_comments_on_pages():
    rows = [
        a_row("s"),
        a_row("h", Label.HAM),
        LabeledComment(Comment(body="v"), Label.HAM, source="b", kind="video"),
    ]
    weights = corpus.balanced_weights(rows, corpus.Balance())
    assert weights[2] == pytest.approx(corpus.Balance().other_ham * weights[1])


def test_a_language_known_from_spam_alone_is_kept_quiet():
    def of(lang, label, n):
        return [
            LabeledComment(Comment(body=f"{lang}{label}{i}"), label, source="a", lang=lang) for i in range(n)
        ]

    rows = [*of("en", Label.SPAM, 50), *of("en", Label.HAM, 90), *of("ru", Label.SPAM, 50)]
    rows += of("ru", Label.HAM, 10)
    balance = corpus.Balance(language_ratio=2.0, language_floor=0.0)
    weights = corpus.balanced_weights(rows, balance)
    quiet = sum(weights[50 + 90 : 50 + 90 + 50]) / sum(weights[:50])
    assert quiet == pytest.approx(0.2 / 0.5)
    assert weights.sum() == pytest.approx(len(rows))
    loud = corpus.balanced_weights(rows, corpus.Balance(language_ratio=100.0))
    assert sum(loud[140:190]) == pytest.approx(sum(loud[:50]))
