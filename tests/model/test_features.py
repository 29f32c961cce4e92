import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.comment import Comment
from model.document import prepare
from model.features import Extractor, FeatureParams
from tests.toy import toy_corpus

EXTRACTOR = Extractor(FeatureParams(bits=18))

fields = st.text(st.characters(codec=None), max_size=120)
comments = st.builds(
    Comment,
    body=fields,
    author=fields,
    url=fields,
    email=fields,
    permalink=fields,
    post_title=fields,
    site=fields,
)


def row(comment: Comment) -> tuple[list[int], list[float]]:
    rows = EXTRACTOR.rows([comment])
    return rows.indices.tolist(), rows.values.tolist()


def places(comment: Comment) -> set[int]:
    return set(EXTRACTOR.rows([comment]).indices.tolist())


@given(st.lists(comments, max_size=6))
@settings(max_examples=150, deadline=None)
def test_a_comment_has_the_same_row_alone_and_in_a_batch(batch):
    rows = EXTRACTOR.rows(batch)
    assert rows.indptr.size == len(batch) + 1
    for place, comment in enumerate(batch):
        part = slice(rows.indptr[place], rows.indptr[place + 1])
        assert row(comment) == (rows.indices[part].tolist(), rows.values[part].tolist())


def test_many_batches_are_joined():
    batch = [row.comment for row in toy_corpus()] * 3
    rows = EXTRACTOR.rows(batch)
    assert rows.indptr.size == len(batch) + 1
    assert rows.indptr[-1] == rows.indices.size
    last = slice(rows.indptr[-2], rows.indptr[-1])
    assert rows.indices[last].tolist() == row(batch[-1])[0]


def test_no_comments_make_no_rows():
    assert EXTRACTOR.rows([]).indptr.tolist() == [0]


def test_a_field_is_part_of_a_token():
    assert not places(Comment(author="casino")) & (places(Comment(body="casino")) - places(Comment()))


def test_repeating_a_word_does_not_make_it_louder():
    once, often = Comment(body="buy casino"), Comment(body="buy casino " + "casino " * 50)
    shared = places(once) & places(often)
    assert len(shared) >= len(places(once)) - 2


@pytest.mark.parametrize(
    "disguised",
    ["𝓬𝓪𝓼𝓲𝓷𝓸", "ca\u200bsino", "<b>ca</b>sino", "c a s i n o", "cаsinо", "ＣＡＳＩＮＯ", "c&#97;sino"],
)
def test_disguise_is_undone(disguised):
    plain = places(Comment(body="win at casino today"))
    other = places(Comment(body=f"win at {disguised} today"))
    assert len(plain & other) >= 0.97 * len(plain)


@pytest.mark.parametrize("disguised", ["𝓬𝓪𝓼𝓲𝓷𝓸", "ca\u200bsino", "c a s i n o", "cаsinо"])
def test_disguise_leaves_a_trace(disguised):
    assert places(Comment(body=disguised)) - places(Comment(body="casino"))


def test_absent_fields_leave_no_trace():
    facts = prepare(Comment(body="hello")).facts
    assert [fact for fact in facts if fact.startswith(("author", "url", "email", "page"))] == []


def test_an_address_counts_alike_in_the_body_and_beside_the_name():
    linked = places(Comment(body="x http://cheap-shoes.example.com/sale"))
    named = places(Comment(body="x", url="http://cheap-shoes.example.com/sale"))
    assert len(linked & named) > 30


def test_words_shared_with_the_page_are_stated():
    extractor = Extractor(FeatureParams())
    comment = Comment(body="the caching example helped", permalink="https://b.example/2020/caching-example/")
    other = Comment(body="the lovely weather helped", permalink="https://b.example/2020/caching-example/")
    assert extractor.rows([comment]).indices.tolist() != extractor.rows([other]).indices.tolist()


HUGE = {
    "1 MB of text": "lorem ipsum dolor " * 58_000,
    "100,000 links": "http://a.example/x " * 100_000,
    "10,000 combining marks": "a" + "\u0301" * 10_000,
    "deeply nested HTML": "<div>" * 100_000 + "x" + "</div>" * 100_000,
    "unclosed tags": "<a href='" * 50_000,
    "brackets": "[url=" * 50_000,
    "one long word": "a" * 1_000_000,
    "spaced letters": "v i a g r a " * 50_000,
    "NUL and surrogates": "\x00\ud800" * 10_000,
    "character references": "&#x41;" * 100_000,
}


@pytest.mark.parametrize("body", HUGE.values(), ids=HUGE.keys())
def test_huge_and_hostile_bodies_take_bounded_time(body):
    begun = time.monotonic()
    rows = EXTRACTOR.rows(
        [Comment(body=body, author=body, url=body, permalink=body, email=body, post_title=body)]
    )
    assert rows.indices.size < 200_000
    assert np.isfinite(rows.values).all()
    assert time.monotonic() - begun < 5.0  # a tenth of it is usual; without bounds it is minutes


@pytest.mark.parametrize(
    "params", [{"bits": 9}, {"bits": 25}, {"grams": ()}, {"grams": (1,)}, {"scales": {"nothing": 1.0}}]
)
def test_unusable_parameters_are_refused(params):
    with pytest.raises(ValueError, match=r"bits|grams|scales"):
        FeatureParams(**params)
