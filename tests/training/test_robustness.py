import json
from collections.abc import Sequence

import numpy as np
import pytest
from click.testing import CliRunner

from model.comment import Comment, LabeledComment
from tests.toy import TOY_PARAMS, toy_corpus
from training import robustness
from training.__main__ import main
from training.attacks import ATTACKS, Attack
from training.corpus import Limits
from training.peers import PeerUnavailableError

LIMITS = Limits(400, 400)


class CountsLinks:
    """A peer that knows nothing but "http"."""

    def log_odds(self, comments: Sequence[Comment]) -> np.ndarray:
        return np.array([float(comment.body.count("http")) for comment in comments])


class Recorder:
    """A fit that remembers what it was given."""

    def __init__(self) -> None:
        self.seen: list[list[LabeledComment]] = []

    def __call__(self, rows: Sequence[LabeledComment]) -> CountsLinks:
        self.seen.append(list(rows))
        return CountsLinks()


def without_links(comment: Comment, chance: object, ham: Sequence[str]) -> Comment:
    return Comment(body=comment.body.replace("http", "hXXp"), author=comment.author)


NO_LINKS = Attack("no links", "links", without_links)


def test_a_peer_is_measured_on_the_same_comments():
    outcomes = list(
        robustness.attack_all(
            toy_corpus(),
            {"ours": robustness.replyguard(TOY_PARAMS), "links": lambda _: CountsLinks()},
            limits=LIMITS,
            attacks=[NO_LINKS],
            n_spam=40,
        )
    )
    assert [(one.source, one.scorer) for one in outcomes] == [
        (f"site-{number}", scorer) for number in range(4) for scorer in ("ours", "links")
    ]
    peer = [one for one in outcomes if one.scorer == "links"]
    assert {one.n_spam for one in peer} == {40}
    # Each toy site has one template; that of site-2 carries no link.
    assert [one.before for one in peer] == [1.0, 1.0, 0.0, 1.0]
    assert [one.lost for one in peer] == [100.0, 100.0, 0.0, 100.0]
    assert [one.n_changed for one in peer] == [40, 40, 0, 40]


class CountsWords:
    """A peer as ``training.peers`` has them, with two scorers."""

    def __init__(self, rows):
        self.rows = rows

    def scores(self, fitted, weights, judged):
        assert fitted.size == weights.size
        assert not set(fitted.tolist()) & set(judged.tolist())
        links = np.array([float(self.rows[place].comment.body.count("http")) for place in judged])
        return {"counts": links, "counts backwards": -links}


def absent(rows):
    raise PeerUnavailableError("no program sieve: install it")


def test_peers_stand_beside_ours_and_absent_ones_are_told_of():
    told = []
    outcomes = list(
        robustness.attack_all(
            toy_corpus(),
            {"links": lambda _: CountsLinks()},
            limits=LIMITS,
            peers={"counting": CountsWords, "sieve": absent},
            attacks=[NO_LINKS],
            n_spam=40,
            progress=told.append,
        )
    )
    by_scorer = {
        name: [(one.before, one.after) for one in outcomes if one.scorer == name]
        for name in ("links", "counts", "counts backwards")
    }
    assert by_scorer["counts"] == by_scorer["links"]
    assert by_scorer["counts backwards"] != by_scorer["links"]
    assert "sieve skipped: no program sieve: install it" in told
    table = robustness.to_markdown(outcomes)
    assert "| points lost | links | counts | counts backwards |" in table
    assert "| no links | 75.0 | 75.0 |" in table


def test_no_fit_sees_the_source_it_is_judged_on_or_the_words_appended():
    rows = toy_corpus()
    fit = Recorder()
    appended: set[str] = set()

    def note(comment: Comment, chance: object, ham: Sequence[str]) -> Comment:
        appended.update(ham)
        return comment

    long_ham = [
        LabeledComment(
            Comment(body=f"{row.comment.body} {'and so on ' * 4}"), row.label, row.source, id=row.id
        )
        for row in rows
        if not row.is_spam
    ]
    rows = [row for row in rows if row.is_spam] + long_ham
    list(
        robustness.attack_all(
            rows, {"links": fit}, limits=LIMITS, attacks=[Attack("note", "words", note)], only=["site-1"]
        )
    )
    (seen,) = fit.seen
    assert {row.source for row in seen} == {"site-0", "site-2", "site-3"}
    assert appended
    assert not appended & {row.comment.body for row in seen}


def test_the_same_seed_gives_the_same_table():
    first, second = (
        list(
            robustness.attack_all(
                toy_corpus(), {"links": lambda _: CountsLinks()}, limits=LIMITS, attacks=ATTACKS[:4], seed=5
            )
        )
        for _ in range(2)
    )
    assert first == second


def test_the_worst_attack_stands_first_and_no_comment_is_quoted():
    outcomes = list(
        robustness.attack_all(
            toy_corpus(),
            {"links": lambda _: CountsLinks()},
            limits=LIMITS,
            attacks=[ATTACKS[0], NO_LINKS],
        )
    )
    assert [row.attack for row in robustness.means(outcomes, "links")] == ["no links", ATTACKS[0].name]
    table = robustness.to_markdown(outcomes)
    text = table + json.dumps(robustness.as_dict(outcomes))
    assert "| no links | links | 75% | 0.750 | 0.000 | 75.0 | 100.0 | 100.0 | 0.0 | 100.0 |" in table
    assert not any(row.comment.body in text or row.comment.author in text for row in toy_corpus())


def test_a_blog_that_cannot_be_judged_is_named():
    with pytest.raises(ValueError, match="site-9"):
        list(robustness.attack_all(toy_corpus(), {}, limits=LIMITS, only=["site-9"]))


def test_the_command_writes_table_and_json(tmp_path):
    corpora = tmp_path / "corpora"
    corpora.mkdir()
    lines = []
    for row in toy_corpus():
        body = row.comment.body if row.is_spam else f"{row.comment.body} {'and so on ' * 4}"
        lines.append(
            json.dumps({"content": body, "label": row.label.value, "source": row.source, "id": row.id})
        )
    (corpora / "toy.jsonl").write_text("\n".join(lines))
    target = tmp_path / "results" / "attacks.json"
    arguments = [
        "attack",
        "--corpora",
        str(corpora),
        "--only",
        "site-0",
        "--spam",
        "20",
        "--json",
        str(target),
    ]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    data = json.loads(target.read_text())
    assert len(data["outcomes"]) == len(data["means"]) == len(ATTACKS)
    assert target.with_suffix(".md").read_text() in result.output


def test_the_command_names_what_is_missing(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"content": "x", "label": "ham"}\n')
    result = CliRunner().invoke(main, ["attack", "--corpora", str(tmp_path)])
    assert result.exit_code == 1
    assert "at least 50 spam" in result.output
