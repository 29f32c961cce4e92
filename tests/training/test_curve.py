"""Learning curves on made-up sites."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from model.comment import LabeledComment
from tests.toy import TOY_PARAMS, toy_corpus
from training import curve, curve_tables, trials
from training.sites import near_copies, read_sites, take
from training.thresholds import Budgets

# So few comments prove no small budget.
PARAMS = replace(TOY_PARAMS, budgets=Budgets(unsure=0.3, spam=0.2, discard=0.1))


def two_sites() -> list[LabeledComment]:
    """Return a corpus with one blog that has its own idea of spam."""
    rows = []
    for number, row in enumerate(toy_corpus()):
        name = f"blog-{number % 4}"
        comment = replace(row.comment, body=f"{row.comment.body} {number}")
        rows.append(replace(row, comment=comment, source=name, kind="blog"))
    return rows


@pytest.fixture(scope="module")
def sites(tmp_path_factory: pytest.TempPathFactory) -> list[object]:
    cache = tmp_path_factory.mktemp("cache")
    first = list(read_sites(two_sites(), PARAMS, only=["blog-1"], cache=cache))
    again = list(read_sites(two_sites(), PARAMS, only=["blog-1"], cache=cache))
    np.testing.assert_array_equal(first[0].examples.log_odds, again[0].examples.log_odds)
    return list(first)


def test_rows_are_taken_in_the_order_asked_for(sites: list[curve.Site]) -> None:
    examples = sites[0].examples
    places = np.array([5, 0, 5])
    taken = take(examples, places)
    for number, place in enumerate(places.tolist()):
        mine = slice(taken.rows.indptr[number], taken.rows.indptr[number + 1])
        its = slice(examples.rows.indptr[place], examples.rows.indptr[place + 1])
        np.testing.assert_array_equal(taken.rows.indices[mine], examples.rows.indices[its])
    np.testing.assert_array_equal(taken.log_odds, examples.log_odds[places])


def test_near_copies_are_spam_that_was_moderated_in_other_words(sites: list[curve.Site]) -> None:
    [site] = sites
    spam, ham = np.flatnonzero(site.is_spam), np.flatnonzero(~site.is_spam)
    assert near_copies(site, spam[:8], spam[:8]).all()
    assert not near_copies(site, spam[:8], ham).any()
    assert not near_copies(site, ham, ham).any()


def test_every_learner_climbs_every_site(sites: list[curve.Site]) -> None:
    peer = curve.CorporaTfidf(two_sites(), PARAMS)
    learners = {
        curve.OURS: (curve.Ours, 2),
        curve.ALONE: (lambda site: curve.Ours(site, with_global=False), 2),
        curve.SITE_TFIDF: (curve.SiteTfidf, 2),
        curve.BOTH_TFIDF: (peer.on, 1),
    }
    points = curve.measure(sites, learners, points=(0, 10, 30))
    assert len(points) == 4 * 3
    reached = {(point.learner, point.n_moderated): point.recall_1 for point in points}
    assert reached[curve.ALONE, 0] == reached[curve.SITE_TFIDF, 0] == 0.0
    assert reached[curve.ALONE, 30] > 0.5
    assert reached[curve.OURS, 30] >= reached[curve.OURS, 0]
    tables = curve_tables.to_markdown(points, blogs={"blog-1"})
    assert "| Replyguard | " in tables
    assert curve.as_dict(points)["points"][0]["site"] == "blog-1"


def test_each_bad_way_of_teaching_is_tried(sites: list[curve.Site]) -> None:
    found = trials.run_trials(sites, doubt_from=5.0, n_orders=1)
    by_name = {trial.name: trial for trial in found}
    assert by_name["nothing learnt"].n_labels == 0
    flipped = by_name["a fifth flipped at random"]
    apart = by_name["a fifth flipped at random, doubtful ones kept apart"]
    assert apart.n_labels < flipped.n_labels
    assert by_name["100 spam, anchored"].ham_held <= by_name["100 spam"].ham_held
    assert "| nothing learnt | 0 |" in trials.to_markdown(found)


def test_the_peer_on_corpora_and_site_takes_the_sites_labels_in(sites: list[curve.Site]) -> None:
    [site] = sites
    learner = curve.CorporaTfidf(two_sites(), PARAMS).on(site)
    judged, nothing = np.arange(30, 60), np.zeros(0, dtype=np.int64)
    without = learner.scores(nothing, judged)
    one = np.array([0])
    assert np.abs(learner.scores(one, judged) - without).max() > 1e-4
