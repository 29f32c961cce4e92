import dataclasses
import json

import numpy as np
import pytest
from click.testing import CliRunner

from model.comment import Comment, Label, LabeledComment
from tests.toy import TOY_PARAMS, toy_corpus
from training import corpus, inside
from training.__main__ import main
from training.campaigns import campaigns
from training.groups import ALONE, KINDS_ALIKE, NOT_JUDGED, WITH_THE_REST, deal, inside_tests, may_fit
from training.peers import OURS, PeerFailedError, PeerUnavailableError

BRANDS = [f"{name}{number}" for name in ("nova", "luna", "mega") for number in (77, 88, 99)]


def inside_corpus():
    """Return the toy corpus under the names of the sources that are tested inside, and a blog of ham."""
    rows = []
    for place, row in enumerate(toy_corpus()):
        video = f"video {place % 3}"
        rows += [
            dataclasses.replace(
                row,
                source="youtube-uci",
                kind="video",
                comment=dataclasses.replace(row.comment, post_title=video),
            ),
            dataclasses.replace(row, source="sms-uci", kind="sms"),
            dataclasses.replace(row, source="blog-hendrixjoseph"),
        ]
        if row.is_spam:
            rows.append(dataclasses.replace(row, source="form-popcorn", kind="form"))
            body = f"{row.comment.body} {BRANDS[place % len(BRANDS)]}" if place % 2 else row.comment.body
            rows.append(
                dataclasses.replace(
                    row,
                    source="youtube-id-a",
                    kind="video",
                    comment=dataclasses.replace(row.comment, body=body),
                )
            )
        else:
            rows.append(dataclasses.replace(row, source="youtube-id-b", kind="video"))
            rows.append(dataclasses.replace(row, source=f"blog-{place % 4}"))
    return corpus.deduplicate(rows)


@pytest.fixture(scope="module")
def tests():
    rows = inside_corpus()
    return rows, {test.name.split(",")[0]: test for test in inside_tests(rows, campaigns(rows))}


def test_all_sources_have_their_test(tests):
    assert list(tests[1]) == ["youtube-uci", "sms-uci", "youtube-id", "blog-hendrixjoseph", "form-popcorn"]


def test_a_fold_of_the_video_test_is_a_video(tests):
    rows, found = tests
    test = found["youtube-uci"]
    pairs = {
        (int(fold), row.comment.post_title) for row, fold in zip(rows, test.folds, strict=True) if fold >= 0
    }
    assert len(pairs) == 3
    assert {fold for fold, _ in pairs} == {0, 1, 2}


def test_folds_of_short_messages_have_the_same_share_of_spam(tests):
    rows, found = tests
    test, is_spam = found["sms-uci"], corpus.labels(tests[0])
    shares = [float(np.mean(is_spam[test.folds == fold])) for fold in range(5)]
    assert max(shares) - min(shares) < 0.03
    assert (test.folds[test.own] != NOT_JUDGED).all()
    assert {rows[place].source for place in np.flatnonzero(test.folds >= 0).tolist()} == {"sms-uci"}


def test_no_brand_is_on_both_sides(tests):
    rows, found = tests
    test = found["youtube-id"]
    for brand in BRANDS:
        folds = {int(test.folds[place]) for place, row in enumerate(rows) if brand in row.comment.body}
        assert len(folds) == 1
    named = test.parts["spam that names a brand"] & corpus.labels(rows)
    assert {
        any(brand in rows[place].comment.body for brand in BRANDS) for place in np.flatnonzero(named)
    } == {True}
    assert set(test.parts) >= {"all", "youtube-id-a, spam that names a brand"}


def test_no_campaign_is_on_both_sides(tests):
    rows, found = tests
    groups = campaigns(rows)
    for name in ("blog-hendrixjoseph", "form-popcorn"):
        test = found[name]
        of_campaign = {}
        for place in np.flatnonzero(test.own).tolist():
            of_campaign.setdefault(int(groups[place]), set()).add(int(test.folds[place]))
        assert all(len(folds) == 1 for folds in of_campaign.values())


def test_a_form_without_ham_borrows_that_of_blogs_left_out_whole(tests):
    rows, found = tests
    test = found["form-popcorn"]
    judged = test.parts["all"] & (test.folds != NOT_JUDGED)
    ham = [place for place in np.flatnonzero(judged).tolist() if not rows[place].is_spam]
    assert ham
    assert {rows[place].kind for place in ham} == {"blog"}
    for source in {rows[place].source for place in ham}:
        folds = {int(test.folds[place]) for place, row in enumerate(rows) if row.source == source}
        assert len(folds) == 1
    assert test.fits == (WITH_THE_REST,)


def test_a_fit_alone_sees_its_own_sources_and_the_others_stay_limited(tests):
    rows, found = tests
    test = found["youtube-uci"]
    limited = np.arange(len(rows)) % 10 == 0
    assert np.array_equal(may_fit(test, ALONE, limited), test.own)
    for fit in (WITH_THE_REST, KINDS_ALIKE):
        assert np.array_equal(may_fit(test, fit, limited), test.own | limited)


def test_groups_are_dealt_largest_first():
    assert deal(["a"] * 4 + ["b"] * 3 + ["c"] * 2 + ["d"], 2).tolist() == [0] * 4 + [1] * 3 + [1] * 2 + [0]


class Knows:
    """Scores by the label, and keeps what it was fitted on."""

    def __init__(self, rows, score=float):
        self.rows, self.score, self.fits = rows, score, []

    def scores(self, fitted, weights, judged):
        assert weights.size == fitted.size
        self.fits.append((set(fitted.tolist()), set(judged.tolist())))
        return {"knows": np.array([self.score(self.rows[place].is_spam) - 0.5 for place in judged.tolist()])}


def test_a_peer_is_judged_on_the_same_folds():
    peers = []

    def build(rows):
        peers.append(Knows(rows))
        return peers[-1]

    report = inside.judge_inside(
        inside_corpus(), TOY_PARAMS, peers={"knows": build}, fits=[ALONE], only=["youtube-uci"]
    )
    assert [(row.scorer, row.fit) for row in report.rows] == [(OURS, ALONE), ("knows", ALONE)]
    ours, peer = report.rows
    assert (peer.auc, peer.mcc, peer.recall_1, peer.recall_01_interval) == (1.0, 1.0, 1.0, (1.0, 1.0))
    assert (ours.n_spam, ours.n_ham, ours.n_folds) == (peer.n_spam, peer.n_ham, 3)
    ((first, judged), *_) = peers[0].fits
    assert len(peers[0].fits) == 3
    assert not first & judged


def test_all_fits_are_measured_and_no_comment_is_quoted():
    report = inside.judge_inside(inside_corpus(), TOY_PARAMS, only=["sms-uci", "form-popcorn"])
    assert [(row.test.split(",")[0], row.fit) for row in report.rows] == [
        ("sms-uci", ALONE),
        ("sms-uci", WITH_THE_REST),
        ("sms-uci", KINDS_ALIKE),
        ("form-popcorn", WITH_THE_REST),
    ]
    assert all(row.auc > 0.9 for row in report.rows if row.test.startswith("sms"))
    text = inside.to_markdown(report) + json.dumps(report.as_dict(), allow_nan=False)
    assert "casino" not in text


def test_a_peer_that_is_not_installed_is_named():
    def build(rows):
        raise PeerUnavailableError("no program sieve: install it")

    report = inside.judge_inside(
        inside_corpus(), TOY_PARAMS, peers={"sieve": build}, fits=[ALONE], only=["sms-uci"]
    )
    assert report.skipped == {"sieve": "no program sieve: install it"}
    assert "sieve was skipped: no program sieve: install it." in inside.to_markdown(report)


def test_a_score_that_is_no_number_stops_the_run():
    with pytest.raises(PeerFailedError, match="knows gave a score that is no number"):
        inside.judge_inside(
            inside_corpus(),
            TOY_PARAMS,
            peers={"knows": lambda rows: Knows(rows, lambda _: float("nan"))},
            fits=[ALONE],
            only=["sms-uci"],
        )


def test_comments_of_other_sources_have_no_inside():
    assert inside.judge_inside(toy_corpus(), TOY_PARAMS).rows == []
    two = [LabeledComment(Comment(body="x", post_title="v"), Label.HAM, source="youtube-uci")]
    assert inside_tests(two, np.array([0])) == []


def test_the_command_writes_each_part_beside_the_other(tmp_path):
    corpora = tmp_path / "corpora"
    corpora.mkdir()
    lines = [
        json.dumps(
            {
                "content": row.comment.body,
                "author": row.comment.author,
                "post_title": row.comment.post_title,
                "label": row.label.value,
                "source": row.source,
                "kind": row.kind,
                "id": row.id,
            }
        )
        for row in inside_corpus()
        if row.source in {"youtube-uci", "blog-hendrixjoseph", "form-popcorn"}
    ]
    (corpora / "toy.jsonl").write_text("\n".join(lines), encoding="utf-8")
    target = tmp_path / "results" / "left-out.json"
    arguments = ["evaluate", "--corpora", str(corpora), "--json", str(target)]
    (tmp_path / ".git").mkdir()
    refused = CliRunner().invoke(main, [*arguments, "--mistakes", str(tmp_path / "worst.txt")])
    assert refused.exit_code == 1
    assert "choose a place outside" in refused.output
    result = CliRunner().invoke(main, [*arguments, "--part", "inside"])
    assert result.exit_code == 0, result.output
    assert {path.name for path in target.parent.iterdir()} == {"inside.json", "inside.md"}
    tests = {
        row["test"].split(",")[0] for row in json.loads((target.parent / "inside.json").read_text())["rows"]
    }
    assert tests == {"youtube-uci", "blog-hendrixjoseph"}
    needed = CliRunner().invoke(
        main, [*arguments, "--part", "inside", "--mistakes", str(tmp_path / "worst.txt")]
    )
    assert "--mistakes needs the part left-out" in needed.output
