"""A small made-up corpus and the classifier fitted on it."""

from __future__ import annotations

import functools

from model.classifier import SpamClassifier
from model.comment import Comment, Label, LabeledComment
from model.features import FeatureParams
from model.verdict import Policy
from training import run
from training.corpus import Limits
from training.fit import FitParams

TOY_PARAMS = FitParams(features=FeatureParams(bits=14), n_calibration_folds=2, limits=Limits(400, 400))

_HAM = (
    "Thanks for the explanation of {0}, the second diagram helped me to fix my own {1}.",
    "I tried {0} with the newest release and it fails when {1} is empty. Any idea why?",
    "Small correction: {0} was introduced earlier than {1}, see the release notes.",
    "We did the same at work last year; {0} was fine but {1} took us a week.",
)
_SPAM = (
    "Buy cheap {0} online now, best price guaranteed! http://{1}-shop.example.top/order",
    "Great site!!! Visit my page for {0} bonus and {1} casino http://win-{1}.example.click",
    "Make money fast with {0}, no experience needed, contact {1} on telegram",
    "{0} {1} replica watches handbags jerseys outlet sale http://{0}-{1}.example.shop/",
)
_HAM_WORDS = (
    "caching",
    "indexes",
    "gardening",
    "the parser",
    "sourdough",
    "bicycle gears",
    "recursion",
    "compost",
)
_SPAM_WORDS = ("viagra", "loans", "slots", "crypto", "shoes", "escorts", "essays", "pills")


def toy_corpus() -> list[LabeledComment]:
    """Return 512 labelled comments of four sources."""
    rows = []
    for templates, words, label in ((_HAM, _HAM_WORDS, Label.HAM), (_SPAM, _SPAM_WORDS, Label.SPAM)):
        for number in range(256):
            template = templates[number % 4]
            first, second = words[number // 4 % 8], words[number // 32 % 8]
            author = f"reader {first}" if label is Label.HAM else f"best {first} deals"
            comment = Comment(body=template.format(first, second), author=author)
            rows.append(
                LabeledComment(comment, label, source=f"site-{number % 4}", id=f"{label.value}/{number}")
            )
    return rows


@functools.cache
def toy_classifier() -> SpamClassifier:
    """Return a classifier fitted on the toy corpus, once a session."""
    return run.fit_version(toy_corpus(), TOY_PARAMS)


@functools.cache
def undecided_classifier(version: str = "undecided-1") -> SpamClassifier:
    """Return the toy classifier with a tenth of its certainty, as real comments meet a real one."""
    sure = toy_classifier()
    return SpamClassifier(
        version=version,
        params=sure.params,
        weights=(sure.weights * 0.1).astype("float32"),
        bias=sure.bias * 0.1,
        policy=Policy(unsure_from=0.5, spam_from=0.9),
        card=sure.card,
    )
