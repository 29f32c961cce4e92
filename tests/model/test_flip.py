import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.comment import Comment
from model.flip import without
from model.verdict import Decision, Policy
from tests.model.test_features import HUGE
from tests.toy import toy_classifier

POLICY = Policy(unsure_from=0.3, spam_from=0.7)
SPAMMY = (
    "casino bonus",
    "cheap viagra online",
    "http://pills.example.top/order",
    "buy now!",
    "slots. loans?",
)
HAMMY = (
    "Thanks for the explanation.",
    "The second diagram helped me.",
    "See the release notes,",
    "any idea why?\n",
)

pieces = st.lists(st.sampled_from([*SPAMMY, *HAMMY]) | st.text(max_size=12), max_size=12).map(" ".join)
comments = st.builds(
    Comment,
    body=pieces,
    author=st.sampled_from(["", "Jo", "best pills deals"]),
    url=st.sampled_from(["", "http://cheap-pills.example.top/"]),
    email=st.sampled_from(["", "jo@pills.example"]),
)


nearness = st.floats(0.3, 1.2) | st.floats(0.99, 1.01)


def near(comment, share):
    """Cut-offs close to a comment's own score: the toy's are all near 0 or 1."""
    score = toy_classifier().judge(comment).score
    return Policy(score * share, score * share + 0.05)


def cut(text, spans):
    """The slow way round, on its own: every character outside of the spans."""
    return "".join(char for at, char in enumerate(text) if not any(start <= at < end for start, end in spans))


@given(comments, nearness)
@settings(max_examples=200, deadline=None)
def test_the_change_reported_really_flips_the_verdict(comment, share):
    classifier, policy = toy_classifier(), near(comment, share)
    before = classifier.judge(comment, policy).decision
    flip = classifier.smallest_flip(comment, policy)
    if flip is None:
        return
    left = {}
    for field in ("body", "author", "url", "email"):
        spans = [span for removal in flip.removals if removal.field == field for span in removal.spans]
        assert all(0 <= start < end <= len(getattr(comment, field)) for start, end in spans)
        left[field] = cut(getattr(comment, field), spans)
    verdict = classifier.judge(Comment(**left), policy)
    assert (verdict.decision, verdict.score) == (flip.decision, flip.score)
    assert verdict.decision is not before
    assert (verdict.decision is Decision.HAM) or before is not Decision.UNSURE
    assert left["body"].strip() or not comment.body.strip()


@given(comments, nearness)
@settings(max_examples=100, deadline=None)
def test_of_several_removals_none_is_enough_alone(comment, share):
    classifier, policy = toy_classifier(), near(comment, share)
    flip = classifier.smallest_flip(comment, policy)
    if flip is None or len(flip.removals) < 2:
        return
    for removal in flip.removals:
        assert classifier.judge(without(comment, [removal]), policy).decision is not flip.decision


def test_one_link_is_what_stands_between_spam_and_ham():
    words = "Thanks for the explanation of caching, the second diagram helped me to fix my own parser. "
    for address in (
        "http://casino-win.example.click",
        '<a href="http://casino-win.example.click">here</a>',
        "[url=http://casino-win.example.click]here[/url]",
        "[here](http://casino-win.example.click)",
    ):
        comment = Comment(body=words + address)
        score = toy_classifier().judge(comment).score
        (without_it,) = toy_classifier().score([Comment(body=words + "here" * ("here" in address))])
        cut_off = (score + float(without_it)) / 2
        flip = toy_classifier().smallest_flip(comment, Policy(cut_off, cut_off))
        assert [(removal.kind, removal.text) for removal in flip.removals] == [
            ("link", "http://casino-win.example.click")
        ]
        assert flip.comment.body.strip() in {words.strip(), f"{words}here"}
        assert flip.decision is Decision.HAM


def test_an_author_and_an_address_are_named_as_such():
    comment = Comment(
        body="Thanks for the explanation of caching, the second diagram helped me to fix my own parser.",
        author="best viagra deals",
        url="http://viagra-shop.example.top",
    )
    score = toy_classifier().judge(comment).score
    (rest,) = toy_classifier().score([Comment(body=comment.body)])
    cut_off = (score + 9 * float(rest)) / 10
    flip = toy_classifier().smallest_flip(comment, Policy(cut_off, cut_off))
    assert {removal.field for removal in flip.removals} <= {"author", "url"}
    assert all(removal.spans == ((0, len(getattr(comment, removal.field))),) for removal in flip.removals)


def test_a_word_goes_with_its_accents_and_wherever_it_stands():
    body = "thanks for v\u200biagra\u0301 in caching and viagr&#97; in the diagram"
    score = toy_classifier().judge(Comment(body=body)).score
    left = "thanks for  in caching and  in the diagram"
    (rest,) = toy_classifier().score([Comment(body=left)])
    cut_off = (score + 9 * float(rest)) / 10
    assert rest < cut_off < score
    assert toy_classifier().smallest_flip(Comment(body=body), Policy(cut_off, cut_off)).comment.body == left


def test_ham_is_told_what_would_have_it_held():
    body = "Thanks for the explanation of caching. Buy cheap viagra pills"
    score = toy_classifier().judge(Comment(body=body)).score
    (bare,) = toy_classifier().score([Comment(body="Buy cheap viagra pills")])
    cut_off = (score + float(bare)) / 2
    flip = toy_classifier().smallest_flip(Comment(body=body), Policy(cut_off, cut_off))
    assert len(flip.removals) == 1
    assert flip.decision is Decision.SPAM


def test_what_nothing_flips_has_no_flip():
    assert toy_classifier().smallest_flip(Comment(), POLICY) is None
    assert toy_classifier().smallest_flip(Comment(body="cheap pills", author="x"), Policy(0.0, 0.0)) is None
    assert toy_classifier().smallest_flip(Comment(body="Any idea why?"), Policy(2.0, 2.0)) is None


@pytest.mark.parametrize("body", HUGE.values(), ids=HUGE.keys())
def test_the_search_is_bounded_whatever_comes(body):
    comment = Comment(body=body, author=body, url=body, email=body)
    scored = []
    classifier = toy_classifier()
    score = classifier.score

    class Counting(type(classifier)):
        def score(self, comments):
            scored.extend(comments)
            return score(comments)

    counting = Counting(
        version="counted",
        params=classifier.params,
        weights=classifier.weights,
        bias=classifier.bias,
        policy=classifier.policy,
        card=classifier.card,
    )
    begun = time.perf_counter()
    for policy in (Policy(1e-9, 1.0), Policy(1.0, 1.0)):
        counting.smallest_flip(comment, policy)
    assert len(scored) <= 60
    assert time.perf_counter() - begun < 20.0
