"""Finds the smallest change to a comment that would flip its verdict, by scoring the changed comments.

What can be removed is what a person can change: a link, the author's name or addresses, a sentence, a word
wherever it stands. The clues only choose what to try. They cannot answer: a token's value depends on how many
others there are, so every answer is a comment that was really scored.
"""

from __future__ import annotations

import itertools
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model import markup
from model.comment import Comment
from model.document import LINK, Document
from model.verdict import Clue, Decision, Policy

MAX_REMOVALS = 8
_MAX_SINGLES = 18
_MAX_PAIRED = 4
_MAX_SENTENCES = 2_000
_FIELDS = {"author": "author's name", "url": "author's address", "email": "e-mail address"}
_WORDS = re.compile(r'(?:word|words|characters) "')
_SENTENCE_END = re.compile(r"\n\s*|(?<=[.!?…])\s+|(?<=[。！？])")
_WRAPPERS = (
    # The words between the two marks stay.
    re.compile(r"(?P<open><a\b[^<>]{0,2000}>)[^<>]{0,2000}(?P<close></a\s*>)", re.IGNORECASE),
    re.compile(
        r"(?P<open>\[(?:url|link)=[^\[\]]{0,2000}\])[^\[\]]{0,2000}(?P<close>\[/(?:url|link)\])",
        re.IGNORECASE,
    ),
    re.compile(r"(?P<open>\[)[^\[\]\n]{0,500}(?P<close>\]\([^()\n]{0,2000}\))"),
)

Span = tuple[int, int]
_Score = Callable[[Sequence[Comment]], NDArray[np.float64]]


@dataclass(frozen=True, slots=True)
class Removal:
    """One thing that a person could leave out.

    Attributes
    ----------
    kind : str
        "link", "author's name", "author's address", "e-mail address", "sentence" or "words".
    text : str
        What it is: the address, the name, the words.
    field : str
        Where it stands: body, author, url or email.
    spans : tuple of (int, int)
        Its places in the original text of that field, as character offsets, half-open, in rising order.
    """

    kind: str
    text: str
    field: str
    spans: tuple[Span, ...]

    @property
    def n_chars(self) -> int:
        return sum(end - start for start, end in self.spans)


@dataclass(frozen=True, slots=True)
class Flip:
    """A change that flips a verdict.

    Attributes
    ----------
    removals : tuple of Removal
        All of them together; none of them alone is enough if there are several.
    comment : Comment
        What is left.
    score : float
        Its score, in [0, 1].
    decision : Decision
        The verdict on it.
    """

    removals: tuple[Removal, ...]
    comment: Comment
    score: float
    decision: Decision


def smallest_flip(
    comment: Comment,
    document: Document,
    clues: Sequence[Clue],
    *,
    decision: Decision,
    policy: Policy,
    score: _Score,
) -> Flip | None:
    """Return the fewest removals found that flip a verdict; of as few, those that remove the least text.

    Of a comment that is held it is what makes it ham, or else what makes spam unsure. Of ham it is the one
    removal that would have it held, if there is one: then little stands between the two.

    At most 30 changed comments are scored: first each promising removal alone, then combinations of
    those that moved the score most. Something smaller may exist among what was not tried.

    Parameters
    ----------
    comment : Comment
    document : Document
        The comment prepared.
    clues : sequence of Clue
        Of its verdict.
    decision : Decision
        Its verdict.
    policy : Policy
    score : callable
        Comments in, their scores out.

    Returns
    -------
    Flip or None
        None if nothing tried flips it.
    """
    sought = -1.0 if decision is not Decision.HAM else 1.0
    singles = [
        (removal,)
        for removal in _promising(comment, document, clues, sought)
        if _leaves_body(comment, (removal,))
    ]
    if not singles:
        return None
    tried = _try(comment, singles, policy, score)
    found = _smallest(tried, decision)
    if decision is Decision.HAM or (found is not None and found.decision is Decision.HAM):
        return found
    ranked = [flip.removals[0] for flip in sorted(tried, key=lambda flip: flip.score)]
    combined = [removals for removals in _combinations(ranked) if _leaves_body(comment, removals)]
    if combined:
        together = _smallest(_try(comment, combined, policy, score), decision)
        if together is not None and (found is None or together.decision is Decision.HAM):
            found = together
    return found


def without(comment: Comment, removals: Iterable[Removal]) -> Comment:
    """Return the comment without what is removed."""
    spans: dict[str, list[Span]] = {}
    for removal in removals:
        spans.setdefault(removal.field, []).extend(removal.spans)
    left: dict[str, Any] = {field: _cut(getattr(comment, field), places) for field, places in spans.items()}
    return replace(comment, **left)


def _cut(text: str, spans: Iterable[Span]) -> str:
    parts, done = [], 0
    for start, end in sorted(spans):
        parts.append(text[done : max(start, done)])
        done = max(done, end)
    parts.append(text[done:])
    return "".join(parts)


def _try(
    comment: Comment, changes: Sequence[tuple[Removal, ...]], policy: Policy, score: _Score
) -> list[Flip]:
    """Score what is left after each change, all in one batch."""
    changed = [without(comment, removals) for removals in changes]
    return [
        Flip(removals, left, value, policy.decide(value))
        for removals, left, value in zip(changes, changed, score(changed).tolist(), strict=True)
    ]


_GRAVITY = {Decision.HAM: 0, Decision.UNSURE: 1, Decision.SPAM: 2}


def _smallest(tried: Iterable[Flip], decision: Decision) -> Flip | None:
    """Return the smallest change that moves the verdict as far as any does."""
    before = _GRAVITY[decision]
    flipped = [
        flip
        for flip in tried
        if (_GRAVITY[flip.decision] > before if before == 0 else _GRAVITY[flip.decision] < before)
    ]
    if not flipped:
        return None
    return min(
        flipped,
        key=lambda flip: (
            -abs(_GRAVITY[flip.decision] - before),
            len(flip.removals),
            sum(removal.n_chars for removal in flip.removals),
        ),
    )


def _combinations(ranked: Sequence[Removal]) -> Iterator[tuple[Removal, ...]]:
    """Yield pairs of the strongest, then the strongest three, four ... together."""
    for pair in itertools.combinations(ranked[:_MAX_PAIRED], 2):
        if not _overlap(*pair):
            yield pair
    chosen: list[Removal] = []
    for removal in ranked:
        if any(_overlap(removal, other) for other in chosen):
            continue
        chosen.append(removal)
        if len(chosen) >= 3:
            yield tuple(chosen)
        if len(chosen) == MAX_REMOVALS:
            return


def _overlap(one: Removal, other: Removal) -> bool:
    return one.field == other.field and any(
        start < last and first < end for start, end in one.spans for first, last in other.spans
    )


def _leaves_body(comment: Comment, removals: tuple[Removal, ...]) -> bool:
    """Tell whether something is left to read: an emptied comment is no answer."""
    return not comment.body.strip() or bool(without(comment, removals).body.strip())


def _promising(comment: Comment, document: Document, clues: Sequence[Clue], sought: float) -> list[Removal]:
    """Return what is worth trying alone: names and addresses first, then by what the clues say."""
    # Facts ("ends in .top") belong to no place in the text, so addresses and names are tried whatever their clues.
    fields = [
        Removal(kind, getattr(comment, field), field, ((0, len(getattr(comment, field))),))
        for field, kind in _FIELDS.items()
        if getattr(comment, field)
    ]
    links = list(_links(comment.body, document))
    weights = np.zeros(len(comment.body) + 1)
    for clue in clues:
        if clue.field == "body":
            for start, _ in clue.spans:
                weights[start] -= sought * clue.weight / len(clue.spans)
    before = np.concatenate(([0.0], np.cumsum(weights)))

    def promise(removal: Removal) -> float:
        return float(sum(before[end] - before[start] for start, end in removal.spans))

    taken = [span for link in links for span in link.spans]
    texts = [
        *_words(comment.body, clues, sought, taken),
        *itertools.islice(_sentences(comment.body), _MAX_SENTENCES),
    ]
    texts = [removal for removal in texts if promise(removal) > 0.0]
    texts.sort(key=lambda removal: -promise(removal))
    links.sort(key=lambda removal: -promise(removal))
    # A comment of many links still gets its words tried.
    return [*fields, *links[: _MAX_SINGLES // 2], *texts][:_MAX_SINGLES]


def _links(body: str, document: Document) -> Iterator[Removal]:
    """Yield the body's links, each address once, with the markup that makes it one."""
    places: dict[str, list[Span]] = {}
    for segment in document.segments:
        if segment.field == LINK:
            places.setdefault(segment.label, []).extend(_with_markup(body, segment.place))
    for address, spans in places.items():
        kept = sorted({(start, end) for start, end in spans if 0 <= start < end <= len(body)})
        if kept:
            yield Removal("link", address, "body", tuple(kept))


def _with_markup(body: str, place: Span) -> list[Span]:
    """Return an address's place, or that of the two tags around the words that it is behind."""
    start, end = place
    window = max(0, start - 2_000)
    for pattern in _WRAPPERS:
        for match in pattern.finditer(body, window, min(len(body), end + 4_500)):
            if match.start() > start:
                break
            for name in ("open", "close"):
                if match.start(name) <= start and end <= match.end(name):
                    return [match.span("open"), match.span("close")]
    return [place]


def _words(body: str, clues: Iterable[Clue], sought: float, taken: Sequence[Span]) -> Iterator[Removal]:
    """Yield the words that speak against what is sought, each wherever it stands outside of links."""
    for clue in clues:
        if clue.field != "body" or clue.weight * sought >= 0.0 or not _WORDS.match(clue.text):
            continue
        spans = sorted({_whole(body, start, end) for start, end in clue.spans})
        spans = [
            span for span in spans if not any(span[0] < last and first < span[1] for first, last in taken)
        ]
        if spans:
            yield Removal("words", body[slice(*spans[0])][:120], "body", tuple(_apart(spans)))


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Join spans that overlap; they come in rising order."""
    joined: list[Span] = []
    for start, end in spans:
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _whole(body: str, start: int, end: int) -> Span:
    """Widen a span over what its last letter is made of: a character reference, combining marks."""
    reference = markup.ENTITY.match(body, end - 1)
    if reference:
        end = reference.end()
    while end < len(body) and unicodedata.category(body[end]) in {"Mn", "Me", "Cf"}:
        end += 1
    return start, end


def _sentences(body: str) -> Iterator[Removal]:
    """Yield the body's sentences, if it has more than one."""
    edges = [0, *(match.end() for match in _SENTENCE_END.finditer(body)), len(body)]
    for start, end in itertools.pairwise(edges):
        text = body[start:end].strip()
        if text and end - start < len(body):
            yield Removal("sentence", text[:120], "body", ((start, end),))
