import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model import text
from model.comment import Comment
from model.document import BODY, prepare
from model.features import Extractor, FeatureParams
from model.layout import lay_out
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


LINE = "win at the casino tonight, cheap pills and replica watches online"


@pytest.mark.parametrize(
    ("disguised", "fact"),
    [
        ("".join(c * 2 for c in LINE), "disguise:doubled"),
        ("".join(c * (1 + place % 2) for place, c in enumerate(LINE)), "disguise:doubled"),
        (" ".join("🔥".join(word) for word in LINE.split()), "disguise:split"),
        (LINE.replace("as", "a✨s").replace("ch", "c💰💰h").replace("li", "l👍🏽i"), "disguise:split"),
        (LINE.replace("as", "a*s").replace("ch", "c*h").replace("li", "l*i"), "disguise:split"),
        ("  ".join(" ".join(word) for word in LINE.split()), "disguise:spaced"),
        (" ".join("-".join(word) for word in LINE.split()), "disguise:spaced"),
        (" ".join("--".join(word) for word in LINE.split()), "disguise:spaced"),
        (LINE.replace("i", "1").replace("o", "0").replace("e", "3"), "disguise:leet:5"),
        (LINE.replace("a", "а").replace("o", "ο"), "disguise:lookalikes:5"),
        (LINE.replace("i", "\u200b1").replace("a", "а").replace("e", "3"), "disguise:leet:5"),
    ],
)
def test_disguise_of_a_whole_line_is_undone_and_stated(disguised, fact):
    plain, other = words_of(LINE), words_of(disguised)
    assert len(plain & other) >= len(plain) - 2
    assert fact in facts_of(disguised)
    assert fact not in facts_of(LINE)


@pytest.mark.parametrize(
    "plain",
    [
        "I love❤you, thanks 👍 great🔥 post 😀😀😀",
        "My bookkeeping in Moscow needs three good balloons",
        "options A, B, C, D and 1, 2, 3, 4; e.g. U.S.A. or i.e. x*y",
        "B2B, 3D, MP3, R2D2, covid19 and I18n",
        "谢谢谢谢，哈哈哈哈，很好很好，天天开心，妈妈爸爸",
        "kyllä maanantaina saapuu uusi sääksi, Hyvää päivää",
        "nooooo wayyyyy thaaaanks soooo muuuch",
        "10,000 and 1000000 and 2222222",
    ],
)
def test_plain_words_are_no_disguise(plain):
    assert [fact for fact in facts_of(plain) if fact.startswith("disguise")] == []


def test_words_keep_their_borders_when_letters_are_joined():
    assert {"cheap", "pils"} <= words_of("buy  c h e a p  p i l l s  now")


def test_an_address_between_single_letters_stays_one():
    assert "\ue000" in words_of("x y http://a.example/ z w")


def words_of(body: str) -> set[str]:
    layout = lay_out([prepare(Comment(body=body))])
    in_body = layout.fields[layout.segment_of[layout.starts]] == BODY
    return {
        text.to_text(layout.codes[start:end])
        for start, end in zip(layout.starts[in_body], layout.ends[in_body], strict=True)
    }


def facts_of(body: str) -> list[str]:
    document = prepare(Comment(body=body))
    lay_out([document])
    return document.facts


@pytest.mark.parametrize(
    "body", ["one http://a.example two", "o\x7fne http://a.example two", "øne http://a.example two"]
)
def test_one_mark_stands_for_each_link(body):
    folded = text.to_text(prepare(Comment(body=body)).segments[0].codes)
    assert folded.count(chr(text.LINK_MARK)) == 1
    assert "\x7f" not in folded


def test_an_address_written_out_counts_as_a_link():
    facts = facts_of("visit example dot com today")
    assert {"links:1", "link:domain:example.com", "disguise:address:1"} <= set(facts)


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
