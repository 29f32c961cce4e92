import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from model.classifier import sigmoid
from model.comment import Comment
from model.registry import SHIPPED, Registry
from model.verdict import Decision, Policy
from tests.model.test_features import HUGE
from tests.toy import toy_classifier, toy_corpus

fields = st.text(max_size=150)


def test_the_toy_corpus_is_told_apart():
    rows = toy_corpus()
    scores = toy_classifier().score([row.comment for row in rows])
    assert scores[[row.is_spam for row in rows]].min() > scores[[not row.is_spam for row in rows]].max()


def test_scores_are_the_same_alone_and_in_a_batch():
    batch = [row.comment for row in toy_corpus()[::50]] + [Comment()]
    together = toy_classifier().score(batch)
    assert together.tolist() == [float(toy_classifier().score([comment])[0]) for comment in batch]


def test_no_comments_have_no_scores():
    assert toy_classifier().score([]).shape == (0,)


@given(st.builds(Comment, body=fields, author=fields, url=fields, permalink=fields, email=fields))
@settings(max_examples=150, deadline=None)
def test_the_reasons_add_up_to_the_score(comment):
    verdict = toy_classifier().judge(comment)
    assert verdict.bias + sum(clue.weight for clue in verdict.clues) == pytest.approx(
        verdict.log_odds, abs=1e-6
    )
    assert verdict.score == pytest.approx(float(sigmoid(np.array([verdict.log_odds]))[0]))
    for clue in verdict.clues:
        source = {"body": comment.body, "author": comment.author, "url": comment.url}.get(clue.field, "")
        assert all(0 <= start < end <= len(source) for start, end in clue.spans)


def test_a_reason_points_at_the_words_it_is_about():
    body = "Please visit us: v\u200biagra online, 𝓿𝓲𝓪𝓰𝓻𝓪 best"
    verdict = toy_classifier().judge(Comment(body=body))
    spans = {
        body[start:end] for clue in verdict.clues if clue.text == 'word "viagra"' for start, end in clue.spans
    }
    assert spans == {"v\u200biagra", "𝓿𝓲𝓪𝓰𝓻𝓪"}


@pytest.mark.parametrize(
    "body",
    [
        'buy <a href="http://pills.example.top/x">here</a> now',
        "buy http://pills.example.top/x now",
        "buy [url=http://pills.example.top/x]here[/url] now",
        "buy [here](http://pills.example.top/x) now",
    ],
)
def test_a_link_is_pointed_at_where_it_stands(body):
    clues = toy_classifier().judge(Comment(body=body)).clues
    ((start, end),) = next(clue.spans for clue in clues if clue.text == "links to http://pills.example.top/x")
    assert body[start:end] == "http://pills.example.top/x"


def test_the_policy_given_decides():
    comment = Comment(body="buy cheap viagra online http://viagra-shop.example.top/order")
    assert toy_classifier().judge(comment, Policy(0.2, 0.4)).decision is Decision.SPAM
    assert toy_classifier().judge(comment, Policy(0.2, 2.0)).decision is Decision.UNSURE


def test_the_shipped_version_tells_plain_cases_apart(tmp_path):
    registry = Registry(tmp_path)
    classifier = registry.load(registry.seed(SHIPPED))
    polite = Comment(
        body="Thank you, the second diagram made it clear why the index was not used.", author="Jane"
    )
    spam = Comment(
        body='Buy cheap <a href="http://pills.example.top/buy">viagra pills</a> online, casino bonus',
        author="best cheap pills",
        url="http://pills.example.top",
    )
    assert classifier.judge(polite).decision is Decision.HAM
    assert classifier.judge(spam).decision is Decision.SPAM


def test_the_shipped_version_is_small():
    (folder,) = [path for path in SHIPPED.iterdir() if path.is_dir()]
    assert sum(path.stat().st_size for path in folder.iterdir()) <= 12_000_000


@given(st.builds(Comment, body=fields, author=fields, url=fields, permalink=fields))
@settings(max_examples=100, deadline=None)
def test_judging_and_scoring_agree_to_the_bit(comment):
    assert toy_classifier().judge(comment).score == float(toy_classifier().score([comment])[0])


def test_a_reason_names_the_field_it_is_about():
    comment = Comment(
        body="Nice x [url=http://a.example/]y[/url]",
        author="Jo",
        url="http://b.example/",
        permalink="/2026/hello-world/",
    )
    for clue in toy_classifier().judge(comment).clues:
        if clue.text.startswith("author's name: "):
            assert clue.text == "author's name: jo"
        if clue.text.startswith("author's address: http"):
            assert clue.text == "author's address: http://b.example/"
        if clue.text.startswith("links to"):
            assert clue.text == "links to http://a.example/"


@given(st.lists(st.builds(Comment, body=fields, author=fields), min_size=1, max_size=5))
@settings(max_examples=100, deadline=None)
def test_no_neighbour_changes_a_score(batch):
    together = toy_classifier().log_odds(batch)
    assert together.tolist() == [float(toy_classifier().log_odds([comment])[0]) for comment in batch]


@pytest.mark.parametrize("body", HUGE.values(), ids=HUGE.keys())
def test_reasons_stay_short_and_exact_whatever_comes(body):
    verdict = toy_classifier().judge(
        Comment(body=body, author=body, url=body, permalink=body, email=body, post_title=body, site=body)
    )
    assert verdict.bias + sum(clue.weight for clue in verdict.clues) == pytest.approx(
        verdict.log_odds, abs=1e-6
    )
    assert len(verdict.clues) < 40
    assert max(len(clue.text) for clue in verdict.clues) <= 120


def test_a_long_comment_sums_alike_alone_and_before_others():
    words = " ".join(row.comment.body for row in toy_corpus()[::9]).split()
    for n_words in range(5, 400, 7):
        comment = Comment(body=" ".join(words[:n_words]), author="Jo")
        alone = toy_classifier().log_odds([comment])[0]
        assert toy_classifier().log_odds([comment, Comment(body="x")])[0] == alone


def test_a_reason_shows_a_word_as_it_is_spelled():
    body = "Good shoes, good pills, good slots; buy viagra and look at casino bonus"
    texts = {clue.text for clue in toy_classifier().judge(Comment(body=body)).clues}
    assert 'word "pills"' in texts
    doubled = toy_classifier().judge(Comment(body="".join(letter * 2 for letter in body))).clues
    assert 'word "pils"' in {clue.text for clue in doubled}
