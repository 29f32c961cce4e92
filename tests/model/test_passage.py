import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.comment import Comment, Label, LabeledComment
from model.passage import MIN_WORDS, WIDTH
from tests.toy import toy_classifier, toy_corpus
from training.matrix import Linear, make_matrix

ADVERTISEMENT = "Buy cheap viagra online now, best price guaranteed! http://pills-shop.example.top/order"
REAL = " ".join(row.comment.body for row in toy_corpus() if not row.is_spam)


def _among(before: int, after: int, spam: str = ADVERTISEMENT) -> Comment:
    words = REAL.split()
    return Comment(body="\n\n".join((" ".join(words[:before]), spam, " ".join(words[-after:]))))


@pytest.mark.parametrize(("before", "after"), [(0, 200), (200, 1), (150, 150), (0, 3000)])
def test_padding_does_not_hide_an_advertisement(before, after):
    classifier, comment = toy_classifier(), _among(before, after)
    alone = float(classifier.log_odds([Comment(body=ADVERTISEMENT)])[0])
    whole = float(classifier._sum(classifier._extractor.rows([comment]))[0])
    padded = classifier.judge(comment)
    assert whole < alone
    assert padded.log_odds - whole > (alone - whole) / 4
    assert padded.passage is not None


def test_the_passage_is_where_the_advertisement_stands():
    comment = _among(100, 100)
    verdict = toy_classifier().judge(comment)
    assert verdict.passage is not None
    first, last = verdict.passage
    assert "viagra online" in comment.body[first:last]
    assert len(comment.body[first:last].split()) <= WIDTH + 2
    assert verdict.clues[0].spans == (verdict.passage,)


def test_the_reasons_of_a_passage_add_up_and_point_into_the_whole():
    comment = _among(100, 100, f'Look <a href="http://pills.example.top/x">here</a> at {ADVERTISEMENT}')
    verdict = toy_classifier().judge(comment)
    assert verdict.bias + sum(clue.weight for clue in verdict.clues) == pytest.approx(
        verdict.log_odds, abs=1e-6
    )
    pointed = {
        clue.text: [comment.body[start:end] for start, end in clue.spans]
        for clue in verdict.clues
        if clue.field == "body" and clue.spans
    }
    words = {
        text.removeprefix('word "').rstrip('"'): found
        for text, found in pointed.items()
        if text.startswith('word "')
    }
    assert words["guaranteed"] == ["guaranteed"]
    assert all(set(map(str.lower, found)) == {word} for word, found in words.items())
    assert pointed["links to http://pills.example.top/x"] == [
        '<a href="http://pills.example.top/x">here</a>'
    ] or ("pills.example.top" in pointed["links to http://pills.example.top/x"][0])


def test_a_passage_never_speaks_for_ham():
    comments = [Comment(body=" ".join(REAL.split()[start : start + 300])) for start in range(0, 900, 100)]
    rows = toy_classifier()._extractor.rows(comments)
    assert (toy_classifier().log_odds(comments) >= toy_classifier()._sum(rows)).all()


def test_a_short_comment_is_judged_as_a_whole():
    words = f"{ADVERTISEMENT} {REAL}".split()
    assert toy_classifier().judge(Comment(body=" ".join(words[: MIN_WORDS // 2]))).passage is None


@given(
    st.lists(
        st.sampled_from([*REAL.split()[:40], *ADVERTISEMENT.split(), "好", "<b>", "</a>", "&amp;"]),
        max_size=300,
    )
)
@settings(max_examples=60, deadline=None)
def test_any_comment_has_one_score_however_it_is_asked_for(words):
    comment = Comment(body=" ".join(words))
    neighbours = [Comment(body="short"), comment, _among(5, 90)]
    alone = float(toy_classifier().log_odds([comment])[0])
    assert toy_classifier().log_odds(neighbours)[1] == alone
    verdict = toy_classifier().judge(comment)
    assert verdict.log_odds == alone
    assert float(toy_classifier().examples([comment]).log_odds[0]) == alone
    for clue in verdict.clues:
        if clue.field == "body":
            assert all(0 <= start < end <= len(comment.body) for start, end in clue.spans)


def test_a_giant_body_keeps_its_passages_short():
    verdict = toy_classifier().judge(Comment(body=f"{REAL} {ADVERTISEMENT} {REAL * 30} {ADVERTISEMENT}"))
    assert verdict.passage is None or verdict.passage[1] - verdict.passage[0] <= 6_000


def test_a_fit_judges_as_the_version_made_of_it():
    classifier = toy_classifier()
    rows = [
        LabeledComment(comment, Label.SPAM, source="made", id=str(number))
        for number, comment in enumerate(
            (_among(0, 200), Comment(body="short"), _among(120, 60), _among(1, 30))
        )
    ]
    matrix = make_matrix(rows, classifier.params)
    linear = Linear(classifier.weights.astype(np.float64), classifier.bias)
    wanted = classifier.log_odds([row.comment for row in rows])
    for _ in range(2):  # the second time from what the first has kept
        assert matrix.judged(linear) == pytest.approx(wanted, abs=1e-5)
    chosen = matrix[np.array([True, False, True, True])]
    assert chosen.judged(linear, np.array([2, 0])) == pytest.approx(wanted[[3, 0]], abs=1e-5)
