"""Measures what each attack costs on sources left out, for our scorer and for any other.

The cut-off is the one at 1 % of the source's ham, as it was written; the spam is then disguised and judged
again. Fits are not calibrated, since recall at a budget does not need it.
"""

from __future__ import annotations

import dataclasses
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from model import links, markup
from model.comment import Comment, Label, LabeledComment
from model.verdict import Policy
from training import corpus, metrics
from training.attacks import ATTACKS, Attack
from training.evaluate import MIN_ROWS
from training.fit import FitParams, fit_linear, make_classifier
from training.matrix import make_matrix
from training.peers import PeerBuilder, PeerUnavailableError

MAX_FPR = 0.01
PEER_ROWS = 1500
"""Of one source and label: the peers' tables of n-grams grow with it."""
# Real comments whose words are appended: so many of each blog at most, and no larger a share of its ham.
_DONORS_PER_SOURCE = 40
_DONOR_SHARE = 0.05
_DONOR_WORDS = 20


class Scorer(Protocol):
    """What can be attacked."""

    def log_odds(self, comments: Sequence[Comment]) -> NDArray[np.float64]:
        """Return a number per comment, shape (n_comments,); the higher, the more like spam."""
        ...


Fit = Callable[[Sequence[LabeledComment]], Scorer]
"""Makes a scorer of labelled comments; what a peer has to bring."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one attack did to one scorer on one source left out.

    Attributes
    ----------
    scorer, source, attack, kind : str
    n_spam, n_changed : int
        Spam judged, and how much of it the attack changed at all.
    before, after : float
        Recall at the cut-off that lets 1 % of the source's ham be called spam, in [0, 1].
    """

    scorer: str
    source: str
    attack: str
    kind: str
    n_spam: int
    n_changed: int
    before: float
    after: float

    @property
    def lost(self) -> float:
        """Points of recall lost; negative if the attack gives the spam away."""
        return 100 * (self.before - self.after)


def replyguard(params: FitParams) -> Fit:
    """Return our own fit, without calibration and cut-offs."""

    def fit(rows: Sequence[LabeledComment]) -> Scorer:
        matrix = make_matrix(rows, params.features, params.padding, seed=params.seed)
        never = Policy(math.inf, math.inf)
        return make_classifier(fit_linear(matrix, params), never, matrix, params)

    return fit


def attack_all(
    comments: Sequence[LabeledComment],
    contestants: Mapping[str, Fit],
    *,
    limits: corpus.Limits,
    peers: Mapping[str, PeerBuilder] | None = None,
    attacks: Sequence[Attack] = ATTACKS,
    n_spam: int = 300,
    only: Sequence[str] = (),
    seed: int = 0,
    progress: Callable[[str], None] = lambda _: None,
) -> Iterator[Outcome]:
    """Attack every contestant on every blog left out.

    Parameters
    ----------
    comments : sequence of LabeledComment
    contestants : mapping of str to callable
        Fits by name; all are given the same comments.
    limits : Limits
        How much of each source and campaign is fitted on.
    peers : mapping of str to PeerBuilder, optional
        What a user could pick instead, fitted on the same sources, of each ``PEER_ROWS`` of a label at most.
    attacks : sequence of Attack
    n_spam : int
        Spam of one source that is attacked at most, chosen by the seed.
    only : sequence of str
        Blogs to leave out; all with at least ``MIN_ROWS`` of both labels if empty.
    seed : int
    progress : callable
        Told what is being left out.

    Yields
    ------
    Outcome
        Source by source, contestant by contestant, in the attacks' order.

    Raises
    ------
    ValueError
        If no source can be judged.
    """
    everything = corpus.deduplicate([_alone(row) for row in comments])
    donors = _choose_donors(everything, seed)
    reserved = {id(row) for row in donors}
    fitted = corpus.limit([row for row in everything if id(row) not in reserved], limits, seed=seed)
    judged = {
        name: rows
        for name, rows in corpus.by_source(everything).items()
        if rows[0].kind == "blog"
        and min(Counter(row.is_spam for row in rows)[label] for label in (True, False)) >= MIN_ROWS
        and (not only or name in only)
    }
    if not judged:
        raise ValueError(f"no blog {' or '.join(only)} with at least {MIN_ROWS} spam and {MIN_ROWS} ham")
    for name, rows in judged.items():
        progress(name)
        ham = [row.comment for row in rows if not row.is_spam]
        spam = _sample([row for row in rows if row.is_spam], n_spam, seed)
        words = [_words(row.comment) for row in donors if row.source != name]
        disguised = {attack.name: _disguised(spam, attack, words, seed) for attack in attacks}
        rest = [row for row in fitted if row.source != name]
        plain = [row.comment for row in spam]
        parts = [ham, plain, *(disguised[attack.name] for attack in attacks)]
        ends = np.cumsum([len(part) for part in parts])[:-1]
        asked = [comment for part in parts for comment in part]
        for scorer_name, scores in _scored(rest, asked, contestants, peers or {}, limits, progress):
            of_ham, of_plain, *of_disguised = np.split(scores, ends)
            cut = metrics.threshold_at(of_ham, max_fpr=MAX_FPR)
            for attack, of_changed in zip(attacks, of_disguised, strict=True):
                yield Outcome(
                    scorer_name,
                    name,
                    attack.name,
                    attack.kind,
                    len(spam),
                    sum(one != other for one, other in zip(plain, disguised[attack.name], strict=True)),
                    float(np.mean(of_plain >= cut)),
                    float(np.mean(of_changed >= cut)),
                )


def _alone(row: LabeledComment) -> LabeledComment:
    """Take a comment's company away: it was counted before the disguise, which would have changed it."""
    return dataclasses.replace(row, comment=dataclasses.replace(row.comment, company=None))


def _scored(
    rows: Sequence[LabeledComment],
    asked: Sequence[Comment],
    contestants: Mapping[str, Fit],
    peers: Mapping[str, PeerBuilder],
    limits: corpus.Limits,
    progress: Callable[[str], None],
) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield the scores of what is asked by scorer's name; one that is not installed is passed over, and told of."""
    for name, fit in contestants.items():
        yield name, fit(rows).log_odds(asked)
    few = corpus.limit(
        rows, dataclasses.replace(limits, per_source=min(PEER_ROWS, limits.per_source)), seed=0
    )
    weights = corpus.balanced_weights(few, corpus.Balance())
    # A peer prepares all comments at once; the labels of those that are asked about are never looked at.
    everything = [*few, *(LabeledComment(comment, Label.HAM) for comment in asked)]
    for name, build in peers.items():
        progress(name)
        try:
            peer = build(everything)
        except PeerUnavailableError as error:
            progress(f"{name} skipped: {error}")
            continue
        yield from peer.scores(np.arange(len(few)), weights, np.arange(len(few), len(everything))).items()
        del peer


def _choose_donors(comments: Sequence[LabeledComment], seed: int) -> list[LabeledComment]:
    """Choose the ham whose words a spammer takes: no scorer is fitted on it, and a blog's own is not used there."""
    donors = []
    for rows in corpus.by_source(comments).values():
        ham = [row for row in rows if not row.is_spam and row.kind == "blog"]
        long_enough = [row for row in ham if len(_words(row.comment).split()) >= _DONOR_WORDS]
        donors += _sample(long_enough, min(_DONORS_PER_SOURCE, int(len(ham) * _DONOR_SHARE)), seed)
    return donors


def _words(comment: Comment) -> str:
    """Return a comment's words without markup and addresses, which nobody would copy into spam."""
    words = markup.to_plain(comment.body).text.split()
    return " ".join(word for word in words if not links.find(word, at_most=1))


def _sample(rows: Sequence[LabeledComment], n_rows: int, seed: int) -> list[LabeledComment]:
    """Choose at most so many rows, in their old order."""
    places = np.random.default_rng(seed).permutation(len(rows))[:n_rows]
    return [rows[place] for place in sorted(places.tolist())]


def _disguised(
    spam: Sequence[LabeledComment], attack: Attack, words: Sequence[str], seed: int
) -> list[Comment]:
    """Attack each comment by a chance of its own, so that it does not depend on the others."""
    return [
        attack.change(row.comment, random.Random(f"{seed}:{attack.name}:{row.id}"), words)  # noqa: S311
        for row in spam
    ]


def as_dict(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the outcomes as JSON-ready data: each one, and the means over sources, worst first."""
    return {
        "max_fpr": MAX_FPR,
        "means": [_rounded(asdict(mean)) for name in _scorers(outcomes) for mean in means(outcomes, name)],
        "outcomes": [_rounded(asdict(outcome)) for outcome in outcomes],
    }


def means(outcomes: Sequence[Outcome], scorer: str) -> list[Outcome]:
    """Return one scorer's means over sources, every source counting the same, worst attack first."""
    rows = []
    for attack in dict.fromkeys(outcome.attack for outcome in outcomes):
        group = [outcome for outcome in outcomes if (outcome.scorer, outcome.attack) == (scorer, attack)]
        rows.append(
            Outcome(
                scorer,
                f"mean of {len(group)}",
                attack,
                group[0].kind,
                sum(one.n_spam for one in group),
                sum(one.n_changed for one in group),
                float(np.mean([one.before for one in group])),
                float(np.mean([one.after for one in group])),
            )
        )
    return sorted(rows, key=lambda row: -row.lost)


def to_markdown(outcomes: Sequence[Outcome]) -> str:
    """Return the outcomes as tables, one per scorer: means first, then points lost per source."""
    lines = [
        f"Recall at {MAX_FPR:.0%} of each source's ham, before and after; points lost, mean over sources and per "
        "source. A negative number: the attack gives the spam away."
    ]
    if len(_scorers(outcomes)) > 1:
        lines += ["", *_side_by_side(outcomes)]
    for scorer in _scorers(outcomes):
        of_scorer = [outcome for outcome in outcomes if outcome.scorer == scorer]
        sources = list(dict.fromkeys(outcome.source for outcome in of_scorer))
        lost = {(outcome.attack, outcome.source): outcome.lost for outcome in of_scorer}
        before = {outcome.source: outcome.before for outcome in of_scorer}
        mean_before = float(np.mean(list(before.values())))
        lines += [
            "",
            f"## {scorer}",
            "| attack | kind | changed | before | after | points lost | " + " | ".join(sources) + " |",
            "|---|---|---:|---:|---:|---:|" + "---:|" * len(sources),
            f"| none (recall) | | | {mean_before:.3f} | | | "
            + " | ".join(f"{before[source]:.3f}" for source in sources)
            + " |",
        ]
        for row in means(outcomes, scorer):
            cells = [f"{lost[row.attack, source]:.1f}" for source in sources]
            lines.append(
                f"| {row.attack} | {row.kind} | {row.n_changed / row.n_spam:.0%} | {row.before:.3f} "
                f"| {row.after:.3f} | {row.lost:.1f} | " + " | ".join(cells) + " |"
            )
    return "\n".join(lines) + "\n"


def _side_by_side(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Yield a table of points lost, mean over sources, a column per scorer; the first scorer's worst attack first."""
    names = _scorers(outcomes)
    found = {(name, row.attack): row for name in names for row in means(outcomes, name)}
    attacks = [row.attack for row in means(outcomes, names[0])]
    yield "| points lost | " + " | ".join(names) + " |"
    yield "|---|" + "---:|" * len(names)
    yield "| none (recall) | " + " | ".join(f"{found[name, attacks[0]].before:.3f}" for name in names) + " |"
    for attack in attacks:
        yield f"| {attack} | " + " | ".join(f"{found[name, attack].lost:.1f}" for name in names) + " |"


def _scorers(outcomes: Sequence[Outcome]) -> list[str]:
    return list(dict.fromkeys(outcome.scorer for outcome in outcomes))


def _rounded(data: dict[str, Any]) -> dict[str, Any]:
    return {key: round(value, 6) if isinstance(value, float) else value for key, value in data.items()}
