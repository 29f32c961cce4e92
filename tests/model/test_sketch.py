import numpy as np
import pytest

from model.comment import Comment
from model.document import prepare
from model.sketch import MIN_WORDS, N_BYTES, SketchIndex, similarity, sketch, word_set
from model.wording import wording


def word_set_of(comment):
    return word_set(wording(prepare(comment)))


def words_of(*words):
    return word_set_of(Comment(body=" ".join(words)))


def test_case_markup_and_order_make_no_difference():
    plain = word_set_of(Comment(body="Buy cheap watches in our wonderful little shop"))
    dressed = word_set_of(
        Comment(body="<b>CHEAP</b> wätches: buy in our wonderful, little shop http://x.example/")
    )
    assert similarity(plain, dressed) == 1.0
    assert sketch(plain) == sketch(dressed)


def test_the_share_of_common_words_is_exact():
    first = words_of(*(f"word{n}" for n in range(30)))
    second = words_of(*(f"word{n}" for n in range(10, 40)))
    assert similarity(first, second) == 20 / 40
    assert similarity(first, first) == 1.0
    assert similarity(words_of(), words_of()) == 0.0


@pytest.mark.parametrize("share", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_fingerprints_tell_the_share_within_their_error(share):
    errors = []
    n_common = round(200 * share / (1 + share))
    for trial in range(40):
        common = [f"common{trial}x{n}" for n in range(n_common)]
        pair = [
            words_of(*common, *(f"{side}{trial}x{n}" for n in range(100 - n_common))) for side in ("a", "b")
        ]
        told = SketchIndex([sketch(pair[1])]).estimates(sketch(pair[0]))[0]
        errors.append(told - similarity(*pair))
    deviation = (share * (1 - share) / 64) ** 0.5
    assert abs(np.mean(errors)) < 4 * deviation / 40**0.5
    assert 0.6 * deviation < np.std(errors) < 1.5 * deviation


def test_short_texts_have_no_fingerprint():
    assert sketch(words_of(*"abcde")) is None
    assert len(sketch(words_of(*(f"word{n}" for n in range(MIN_WORDS))))) == N_BYTES


@pytest.mark.parametrize("body", ["", "\0", "🙂", "去" * 50, "x " * 500_000])
def test_odd_texts_are_taken(body):
    assert sketch(word_set_of(Comment(body=body))) is None


def test_a_long_text_is_alike_to_its_copy():
    body = " ".join(f"word{n}" for n in range(2_500))
    first, second = (sketch(word_set_of(Comment(body=text))) for text in (body, body + " and one more"))
    assert SketchIndex([second, first]).estimates(first).tolist() == [pytest.approx(1.0, abs=0.1), 1.0]


def test_an_index_tells_what_comparing_with_each_text_would():
    chance = np.random.default_rng(0)
    table = chance.integers(0, 4, size=(200, 64)).astype("<u2")
    table[:, ::7] *= 16_000
    sketches = [row.tobytes() for row in table]
    index = SketchIndex(sketches)
    for row in table[:20]:
        assert index.estimates(row.tobytes()).tolist() == (table == row).mean(axis=1).tolist()
    assert SketchIndex([]).estimates(sketches[0]).tolist() == []
