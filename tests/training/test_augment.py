import numpy as np
import pytest

from model.features import FeatureParams
from tests.toy import TOY_PARAMS, toy_corpus
from training.augment import Padding, echoes
from training.fit import fit_linear
from training.matrix import make_matrix

ROWS = toy_corpus()
PADDING = Padding(share=0.5, min_words=20, max_words=40)


def test_an_echo_is_its_comment_among_words_of_one_source():
    made = echoes(ROWS, PADDING, seed=1)
    assert 0.35 * len(ROWS) < len(made) < 0.65 * len(ROWS)
    for echo in made:
        parent, donor = ROWS[echo.parent], ROWS[echo.donor]
        body = echo.row.comment.body
        assert (echo.row.label, echo.row.source) == (parent.label, parent.source)
        assert not donor.is_spam
        added = body.replace(parent.comment.body, "", 1).split()
        assert 20 <= len(added) <= 40
        known = {word for row in ROWS if row.source == donor.source for word in row.comment.body.split()}
        assert set(added) <= known


def test_the_same_seed_gives_the_same_echoes():
    assert echoes(ROWS, PADDING, seed=1) == echoes(ROWS, PADDING, seed=1)
    assert echoes(ROWS, PADDING, seed=1) != echoes(ROWS, PADDING, seed=2)


def test_without_real_words_there_are_no_echoes():
    assert echoes([row for row in ROWS if row.is_spam], PADDING, seed=1) == []


def test_leaving_a_source_out_leaves_out_its_echoes_and_its_words():
    matrix = make_matrix(ROWS, FeatureParams(bits=14), PADDING)
    left_out = np.array([row.source == "site-1" for row in ROWS])
    kept = matrix[~left_out]
    assert 0 < kept.origins.shape[1] < matrix.origins.shape[1]
    assert kept.echoes.shape[0] == kept.origins.shape[1]
    expected = [
        (ROWS[parent].id, ROWS[donor].id)
        for parent, donor in matrix.origins.T.tolist()
        if "site-1" not in {ROWS[parent].source, ROWS[donor].source}
    ]
    assert [
        (kept.comments[parent].id, kept.comments[donor].id) for parent, donor in kept.origins.T.tolist()
    ] == expected


def test_real_words_excuse_less_after_a_fit_with_echoes():
    spam = [row for row in ROWS if row.is_spam][:40]
    padded = [echo.row for echo in echoes(ROWS, Padding(share=1.0, min_words=80, max_words=80), seed=3)]
    hidden = make_matrix([row for row in padded if row.is_spam], TOY_PARAMS.features)
    plain = make_matrix(spam, TOY_PARAMS.features)
    drops = []
    for padding in (None, Padding(share=1.0)):
        linear = fit_linear(make_matrix(ROWS, TOY_PARAMS.features, padding), TOY_PARAMS)
        drops.append(linear.log_odds(plain.rows).mean() - linear.log_odds(hidden.rows).mean())
    assert drops[1] < 0.7 * drops[0]


@pytest.mark.parametrize(
    "settings", [{"share": 1.5}, {"weight": 0.0}, {"min_words": 0}, {"min_words": 9, "max_words": 8}]
)
def test_unusable_padding_is_refused(settings):
    with pytest.raises(ValueError, match=r"share|weight|words"):
        Padding(**settings)
