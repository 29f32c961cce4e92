import copy
import dataclasses
import functools
import json
from collections import Counter

import numpy as np
import pytest

from model.comment import Comment, Label, LabeledComment
from model.precision import Precision, from_bytes, to_bytes
from tests.toy import TOY_PARAMS, toy_corpus
from training import corpus, run
from training.clusters import clusters
from training.matrix import make_matrix
from training.retrain import CARD_KEY, Material, RetrainParams, retrain, split, unseen
from training.retrain import Label as FitLabel
from training.warm import WarmParams, fit_warm, recency, summarise
from training.warm_trial import retrain_each, to_markdown
from training.written import read_written

NEW_SPAM = "Unser Kredit ohne Schufa sofort {0} beantragen, Nummer {1}"


def noisy_corpus():
    """Return the toy corpus with one label in nine turned round: where all is certain, odds are endless."""
    other = {Label.SPAM: Label.HAM, Label.HAM: Label.SPAM}
    return [
        dataclasses.replace(row, label=other[row.label]) if number % 9 == 0 else row
        for number, row in enumerate(toy_corpus())
    ]


@functools.cache
def base_version():
    return run.fit_version(noisy_corpus(), TOY_PARAMS)


@pytest.fixture(scope="module")
def precision():
    base = base_version()
    matrix = make_matrix(noisy_corpus(), base.params)
    return summarise(matrix, corpus.balanced_weights(matrix.comments, TOY_PARAMS.balance))


def labelled(n, label=Label.SPAM, text=NEW_SPAM):
    return [
        LabeledComment(
            Comment(body=text.format("heute", number)), label, source="site", id=f"{label}{number}"
        )
        for number in range(n)
    ]


def fitted(base, precision, rows, params=None):
    return fit_warm(base, precision, make_matrix(rows, base.params), params or WarmParams())


def test_without_feedback_nothing_moves(precision):
    base = base_version()
    linear = fitted(base, precision, [])
    assert (linear.weights == base.weights).all()
    assert linear.bias == base.bias


def test_feedback_is_learnt_and_what_was_known_is_kept(precision):
    base = base_version()
    rows = labelled(40)
    linear = fitted(base, precision, rows)
    before, after = (
        base.log_odds([rows[0].comment])[0],
        linear.log_odds(make_matrix(rows[:1], base.params).rows)[0],
    )
    assert after > before + 1
    known = make_matrix(toy_corpus(), base.params)
    moved = linear.log_odds(known.rows) - base.log_odds([row.comment for row in known.comments])
    assert np.abs(moved).max() < (after - before) / 2
    wrong_before = (base.log_odds([row.comment for row in known.comments]) > 0) != known.is_spam
    assert ((linear.log_odds(known.rows) > 0) != known.is_spam).sum() <= wrong_before.sum()


def test_one_label_alone_hardly_moves_the_bias(precision):
    base = base_version()
    linear = fitted(base, precision, labelled(200))
    assert abs(linear.bias - base.bias) < 0.5


def test_the_more_evidence_stands_behind_a_weight_the_less_it_moves(precision):
    base = base_version()
    rows = labelled(20)
    firm = Precision(precision.per_token * 1000, precision.of_bias * 1000)
    places = make_matrix(rows[:1], base.params).rows.indices
    places = places[precision.per_token[places] > 0.05]
    loose = np.abs(fitted(base, precision, rows).weights - base.weights)[places]
    tight = np.abs(fitted(base, firm, rows).weights - base.weights)[places]
    assert places.size > 0
    assert (tight < loose).all()


def test_the_solution_is_where_the_gradient_vanishes(precision):
    base = base_version()
    rows = [*labelled(15), *labelled(15, Label.HAM, "Danke für {0}, das half mir bei {1}")]
    params = WarmParams()
    matrix = make_matrix(rows, base.params)
    linear = fitted(base, precision, rows, params)
    odds = linear.log_odds(matrix.rows)
    pull = matrix.rows.T @ (1 / (1 + np.exp(-odds)) - matrix.is_spam) * params.voice
    penalty = (params.strength * precision.per_token + params.floor) * (linear.weights - base.weights)
    touched = np.unique(matrix.rows.indices)
    assert np.abs((pull + penalty)[touched]).max() < 0.02
    assert np.abs(pull[touched]).max() > 0.2


def test_the_solver_can_be_stopped_between_rounds(precision):
    def stop():
        raise InterruptedError

    base = base_version()
    with pytest.raises(InterruptedError):
        fit_warm(base, precision, make_matrix(labelled(20), base.params), WarmParams(), each_round=stop)


def test_a_byte_keeps_precision_to_five_per_cent():
    values = np.concatenate([[0.0], np.geomspace(2**-12, 2**19, 500)])
    kept = from_bytes(to_bytes(values))
    assert kept[0] == 0
    assert np.abs(kept[1:] / values[1:] - 1).max() < 0.05
    with pytest.raises(ValueError, match="at least 0"):
        to_bytes(np.array([-1.0]))


def test_old_labels_speak_more_softly_but_never_fall_silent():
    voices = recency([-3, 0, 100, 200, 10_000], half_life_days=100, least=0.25)
    assert voices.tolist() == [1, 1, 0.5, 0.25, 0.25]


def test_copies_and_spam_for_one_address_are_one_campaign():
    rows = [
        LabeledComment(Comment(body="win big at our shiny casino today friends"), Label.SPAM),
        LabeledComment(Comment(body="Win big at our shiny casino today, buddies"), Label.SPAM),
        LabeledComment(Comment(body="something else", url="http://www.pills.example.top/a"), Label.SPAM),
        LabeledComment(Comment(body="see https://pills.example.top/b for more of it"), Label.SPAM),
        LabeledComment(Comment(body="my own site", url="http://pills.example.top"), Label.HAM),
        LabeledComment(Comment(body=""), Label.HAM),
        LabeledComment(Comment(body=""), Label.HAM),
    ]
    groups = clusters(rows)
    assert groups[0] == groups[1]
    assert groups[2] == groups[3]
    assert len(set(groups.tolist())) == 5


def material(precision, n_new=240, champion=None):
    base = base_version()
    rows = []
    words = [f"wort{number}" for number in range(400)]
    chance = np.random.default_rng(0)
    for number in range(n_new):
        is_spam = number % 2 == 0
        mixed = " ".join(chance.permutation(words)[:8].tolist())
        body = f"kredit schufa {mixed} sofort" if is_spam else f"danke fürs teilen {mixed} gruss"
        rows.append(
            LabeledComment(
                Comment(body=body), Label.SPAM if is_spam else Label.HAM, source="site", id=f"{number}"
            )
        )
    return Material(
        base=base,
        precision=precision,
        champion=champion or base,
        labels=[FitLabel(10 + number, row) for number, row in enumerate(rows)],
        stored=[(row.id, row.source, row.comment) for row in rows],
    )


def test_a_retraining_tells_its_stages_and_is_the_same_twice(precision):
    told = []
    first = retrain(material(precision), RetrainParams(), lambda stage, done: told.append((stage, done)))
    again = retrain(material(precision), RetrainParams(), lambda *_: None)
    assert list(dict.fromkeys(stage for stage, _ in told)) == [
        "split",
        "fit",
        "judge",
        "compare",
    ]
    assert first.challenger.version == again.challenger.version
    assert first.judgement.as_dict() == again.judgement.as_dict()
    assert first.judgement.admits, first.judgement.reason
    assert first.challenger.card.metrics[CARD_KEY]["n_labels"] == 180
    assert first.counts["held_out"] == 60


def test_a_challenger_knows_what_budgets_mean_and_holds_no_more_ham_for_them_than_the_base(precision):
    found = material(precision)
    # People say of what looks like spam that it is none: what they held out of it must not be held more often.
    spoilt = [
        dataclasses.replace(label, row=dataclasses.replace(label.row, label=Label.HAM))
        if label.number >= 190 and label.row.is_spam
        else label
        for label in found.labels
    ]
    found = dataclasses.replace(found, labels=spoilt)
    base, challenger = found.base, retrain(found, RetrainParams(), lambda *_: None).challenger
    ham = [row.comment for row in split(found, RetrainParams()).holdout if not row.is_spam]
    before, after = base.score(ham), challenger.score(ham)
    table = challenger.cut_table
    assert table is not None
    assert (table.proved_on, table.budgets) == (base.version, base.cut_table.budgets)
    pairs = list(zip(base.cut_table.cuts, table.cuts, strict=True))
    assert all(new >= old for old, new in pairs)
    assert any((after >= old).sum() > (before >= old).sum() for old, _ in pairs), "nothing was to be done"
    assert all((after >= new).sum() <= (before >= old).sum() for old, new in pairs)


def test_a_base_that_does_not_know_makes_no_challenger_that_does(precision):
    found = material(precision)
    bare = copy.copy(found.base)
    bare.cut_table = None
    assert (
        retrain(dataclasses.replace(found, base=bare), RetrainParams(), lambda *_: None).challenger.cut_table
        is None
    )


def test_what_the_champion_was_fitted_on_is_never_held_out(precision):
    champion = retrain(material(precision), RetrainParams(), lambda *_: None).challenger
    parts = split(material(precision, n_new=248, champion=champion), RetrainParams(held_out=0.5))
    assert champion.card.metrics[CARD_KEY]["last_label"] == 189
    assert min(int(row.id) for row in parts.holdout) == 180


def test_the_newest_labels_of_every_site_are_held_out_and_not_only_those_of_the_latest(precision):
    found = material(precision)
    sites = [f"site-{number // 120}" for number in range(240)]
    labels = [
        dataclasses.replace(label, row=dataclasses.replace(label.row, source=site))
        for label, site in zip(found.labels, sites, strict=True)
    ]
    parts = split(dataclasses.replace(found, labels=labels), RetrainParams())
    newest = {*range(90, 120), *range(210, 240)}
    assert len(parts.holdout) + parts.n_straddling == 60
    assert {int(row.id) for row in parts.holdout} <= newest
    assert min(Counter(row.source for row in parts.holdout).values()) > 25
    champion = retrain(dataclasses.replace(found, labels=labels), RetrainParams(), lambda *_: None).challenger
    assert champion.card.metrics[CARD_KEY]["last_labels"] == {"site-0": 99, "site-1": 219}
    assert unseen(labels, [champion]) == parts.holdout
    again = split(dataclasses.replace(found, labels=labels, champion=champion), RetrainParams(held_out=0.5))
    assert again.holdout == parts.holdout


def test_a_version_of_before_sites_were_parted_was_fitted_on_all_up_to_its_last_label(precision):
    champion = copy.copy(retrain(material(precision), RetrainParams(), lambda *_: None).challenger)
    told = {"last_label": 189, "n_labels": 180}
    champion.card = dataclasses.replace(champion.card, metrics={CARD_KEY: told})
    assert min(int(row.id) for row in unseen(material(precision).labels, [champion])) == 180


def test_held_out_copies_of_what_was_fitted_are_not_judged(precision):
    found = material(precision)
    copies = [dataclasses.replace(label, number=500 + label.number) for label in found.labels[:30]]
    parts = split(dataclasses.replace(found, labels=[*found.labels, *copies]), RetrainParams())
    assert parts.n_straddling == 30


def test_with_the_corpora_at_hand_the_fit_is_a_full_one(precision, tmp_path):
    lines = [
        json.dumps(
            {
                "content": row.comment.body,
                "author": row.comment.author,
                "label": row.label.value,
                "source": row.source,
            }
        )
        for row in noisy_corpus()
    ]
    (tmp_path / "public.jsonl").write_text("\n".join(lines))
    found = dataclasses.replace(material(precision), corpora=tmp_path)
    challenger = retrain(found, RetrainParams(full=TOY_PARAMS), lambda *_: None).challenger
    card = challenger.card
    assert card.n_spam + card.n_ham > 512 * 0.9 + 180 * 0.9
    assert challenger.policy != found.base.policy
    assert challenger.cut_table is not None
    assert challenger.cut_table.proved_on is None
    # Comments that we wrote are learnt from, and promise nothing about real ones.
    written_ham = [row for row in read_written() if not row.is_spam]
    n_written = min(len(written_ham), TOY_PARAMS.limits.per_source)
    assert challenger.cut_table.n_ham == card.n_ham - n_written
    fresh = [row.comment for row in toy_corpus()[:40]]
    assert (challenger.score(fresh) < 0.5).all()


def test_the_trial_measures_both_blogs_before_and_after(precision):
    blogs = {}
    for name, first in (("a", 0), ("b", 120)):
        rows = [label.row for label in material(precision, n_new=240).labels[first : first + 120]]
        blogs[name] = make_matrix(rows, base_version().params)
    trials = retrain_each(base_version(), precision, blogs, WarmParams(), seed=0)
    assert [(trial.operator, trial.order, trial.n_labels) for trial in trials] == [
        ("a", "by time", 50),
        ("a", "mixed", 50),
        ("b", "by time", 50),
        ("b", "mixed", 50),
    ]
    for trial in trials:
        assert trial.own_after.recall_1 >= trial.own_before.recall_1
        assert trial.own_after != trial.own_before
    table = to_markdown(trials)
    assert table.count("\n| a |") == 2


def test_what_was_erased_is_gone_from_the_next_model(precision):
    full = material(precision)
    less = dataclasses.replace(full, labels=[label for label in full.labels if label.number != 12])
    secret = full.labels[2].row
    assert secret.id == "2"
    with_it, without, never = (
        retrain(each, RetrainParams(), lambda *_: None).challenger
        for each in (full, less, dataclasses.replace(less, champion=base_version()))
    )
    assert with_it.version != without.version == never.version
