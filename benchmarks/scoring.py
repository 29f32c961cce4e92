"""Scoring one comment, against the pipeline that scikit-learn's users build: hashed words and n-grams, linear model.

Both get the same comment in turns, in one process and one thread; the ratios are the result.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier
from sklearn.pipeline import make_pipeline, make_union
from threadpoolctl import threadpool_limits

from benchmarks.results import facts_line, machine_facts, table, write
from model.classifier import SpamClassifier
from model.comment import Comment
from model.registry import Registry

_WORDS = (
    "the of and a to in is it you that was for on are with as his they be at one have this from or had by hot but "
    "some what there we can out other were all your when up use word how said an each she which their time if will "
    "way about many then them would write like so these her long make thing see him two has look more day could go "
    "come did my sound no most number who over know water than call first people may down side been now find"
).split()


def _text(n_chars: int) -> str:
    chance = random.Random(1)
    words = ""
    while len(words) < n_chars:
        words += chance.choice(_WORDS) + (". " if chance.random() < 0.08 else " ")
    return words[:n_chars]


_BODY = _text(400)
CASES = {
    "body of 400 characters": Comment(body=_BODY),
    "with name, address, page and a link": Comment(
        body=f"{_BODY} http://shop.example.com/offers/today",
        author="Maud Example",
        url="https://maud.example.org/",
        email="maud@example.org",
        site="https://blog.example.net",
        permalink="https://blog.example.net/2026/01/winter-tyres-and-how-to-change-them/",
    ),
    "in styled letters": Comment(
        body="".join(chr(0x1D41A + ord(c) - 97) if c.islower() else c for c in _BODY)
    ),
    "HTML with three anchors": Comment(body=f'{_BODY} <a href="http://a.example/x">one</a>' * 3),
    "40 characters": Comment(body=_BODY[:40]),
    "10,000 characters": Comment(body=_text(10_000)),
}


def main(*, quick: bool = False) -> str:
    """Run, write the results, and return the table."""
    n_rounds = 5 if quick else 31
    with threadpool_limits(1), tempfile.TemporaryDirectory() as folder:
        registry = Registry(Path(folder))
        version = registry.seed()
        begun = time.perf_counter()
        ours = registry.load(version)
        load_ms = (time.perf_counter() - begun) * 1000
        theirs = _peer()
        measured = {name: _measure(ours, theirs, comment, n_rounds) for name, comment in CASES.items()}
        facts = machine_facts("numpy", "scikit-learn")
    rows = [
        (
            name,
            f"{result['score_us']:.0f}",
            f"{result['judge_us']:.0f}",
            f"{result['batch_us']:.0f}",
            f"{result['peer_us']:.0f}",
            f"{result['ratio']:.1f} ({result['ratio_low']:.1f}-{result['ratio_high']:.1f})",
        )
        for name, result in measured.items()
    ]
    markdown = (
        "# Scoring a comment\n\n"
        "One process, one thread, in turns. *Score*: features and score of one comment; *judge*: also the decision "
        "and the reasons; *batch*: per comment, 64 at once; *peer*: scikit-learn's HashingVectorizer (words 1-2, "
        "char_wb 2-4) "
        "and a linear model, one comment. The ratio is peer over score: the median over the rounds, in brackets the "
        "quartiles.\n\n"
        + table(("comment", "score us", "judge us", "batch us", "peer us", "peer / score"), rows)
        + f"\n\nVersion {version} loads in {load_ms:.1f} ms (checksums included). {n_rounds} rounds.\n"
        + f"{facts_line(facts)}\n"
    )
    write("scoring", {"cases": measured, "load_ms": load_ms, "version": version, "machine": facts}, markdown)
    return markdown


def _peer() -> Callable[[str], Any]:
    """Return the peer, fitted on enough to have weights; what they are does not change its speed."""
    pipeline = make_pipeline(
        make_union(
            HashingVectorizer(ngram_range=(1, 2)), HashingVectorizer(analyzer="char_wb", ngram_range=(2, 4))
        ),
        SGDClassifier(loss="log_loss", random_state=0),
    )
    pipeline.fit([_text(200), _text(300)], [0, 1])
    return lambda body: pipeline.predict_proba([body])


def _measure(
    ours: SpamClassifier, theirs: Callable[[str], Any], comment: Comment, n_rounds: int
) -> dict[str, float]:
    batch = [comment] * 64
    calls: dict[str, tuple[Callable[[], Any], int]] = {
        "score_us": (lambda: ours.score([comment]), 1),
        "judge_us": (lambda: ours.judge(comment), 1),
        "batch_us": (lambda: ours.score(batch), 64),
        "peer_us": (lambda: theirs(comment.body), 1),
    }
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(n_rounds):
        for name, (call, per) in calls.items():
            n_calls = 1 if per > 1 else 20
            call()
            begun = time.perf_counter()
            for _ in range(n_calls):
                call()
            times[name].append((time.perf_counter() - begun) / n_calls / per * 1e6)
    ratios = np.array(times["peer_us"]) / np.array(times["score_us"])
    low, middle, high = np.quantile(ratios, (0.25, 0.5, 0.75))
    return {name: float(np.median(values)) for name, values in times.items()} | {
        "ratio": float(middle),
        "ratio_low": float(low),
        "ratio_high": float(high),
    }
