"""What spammers do to a comment so that a filter no longer knows it: one pure function per trick.

The tricks are written from what a reader still understands, not from what ``model`` undoes: its tables are
not used here. A spammer wants his links to work, so addresses and markup stay as they are unless the trick is
about them. It knows no scores; ``robustness.py`` measures what a trick costs.
"""

from __future__ import annotations

import dataclasses
import random
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from model import links
from model.comment import Comment

Change = Callable[[Comment, random.Random, Sequence[str]], Comment]


@dataclass(frozen=True, slots=True)
class Attack:
    """One trick.

    Attributes
    ----------
    name : str
    kind : str
        "characters", "words" or "links".
    change : callable
        Takes a comment, a source of chance, and the words of real comments, one list entry a comment; returns
        the changed comment. The same chance gives the same comment.
    """

    name: str
    kind: str
    change: Change


# What a reader takes for the Latin letter: Cyrillic, Greek, Armenian and phonetic letters.
_TWINS = {
    pair[0]: pair[1:]
    for pair in (
        "aаɑα bЬƄ cсϲ dԁɗ eеҽє gɡց hһհ iіıӏ jјϳ kкκ lӏⅼ mмⅿ nոηп oоοօ pрρ qԛգ rгɾ sѕʂ tтτ uυսц vѵν wԝɯ xхχ yуү zʐᴢ "
        "AАΑ BВΒ CСϹ EЕΕ HНΗ IІΙ JЈ KКΚ MМΜ NΝ OОΟ PРΡ SЅ TТΤ XХΧ YҮΥ ZΖ"
    ).split()
}
_LEET = {
    "a": "4@",
    "b": "8",
    "e": "3",
    "g": "9",
    "i": "1!",
    "l": "1|",
    "o": "0",
    "s": "5$",
    "t": "7+",
    "z": "2",
}
_INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e"
_EMOJI = "😀🔥✨🎉💰👍❤⭐🚀💯"
_GAPS = (" ", ".", "-", "_", "*")
_EMPTY_TAGS = ("<b></b>", "<i></i>", "<span></span>", "<!-- -->", "<wbr>")

# Praise and sales talk; each line says one thing. Written for this file.
_SYNONYMS = tuple(
    tuple(line.split(", "))
    for line in """\
great, excellent, superb, marvellous, first-rate, splendid, outstanding
good, fine, solid, worthwhile, decent
nice, lovely, pleasant, delightful, charming
amazing, astonishing, stunning, remarkable, breathtaking
awesome, brilliant, terrific, phenomenal, magnificent
wonderful, fabulous, fantastic, glorious, sublime
interesting, intriguing, absorbing, engaging, captivating
useful, handy, practical, valuable, beneficial
helpful, of real help, supportive, constructive
informative, instructive, enlightening, educational, insightful
post, article, piece, write-up, entry
posts, articles, pieces, write-ups, entries
blog, weblog, journal, web page
site, website, web page, portal
information, info, details, knowledge, facts
content, material, subject matter
thanks, many thanks, cheers, much obliged
thank you, I am grateful to you, bless you, my thanks
sharing, passing on, publishing, putting up, handing out
love, adore, cherish, am fond of
like, enjoy, appreciate, am keen on
loved, adored, enjoyed, was taken with
really, truly, honestly, genuinely, indeed
very, extremely, exceedingly, highly, awfully
keep up, carry on with, go on with, continue
work, effort, labour, job
read, go through, look over, peruse
reading, going through, looking over, perusing
found, came across, discovered, stumbled upon
topic, subject, theme, matter
writing, prose, wording, penmanship
visit, drop by, check out, come to see
check, look at, have a look at, inspect
best, finest, top, leading, number one
cheap, inexpensive, low-priced, affordable, budget
buy, purchase, order, get hold of
free, gratis, at no charge, complimentary
help, aid, assist, support
people, folks, persons, individuals
friends, pals, mates, buddies
bookmark, save, mark, favourite
bookmarked, saved, marked, favourited
definitely, certainly, surely, without doubt
looking for, searching for, hunting for, in search of
new, fresh, recent, latest
money, cash, earnings, income
quality, grade, calibre, standard
online, on the web, on the internet
""".splitlines()
)
_SYNONYMS_OF = {word.lower(): group for group in _SYNONYMS for word in group}
_SPINNABLE = re.compile(
    r"\b(?:" + "|".join(map(re.escape, sorted(_SYNONYMS_OF, key=len, reverse=True))) + r")\b", re.IGNORECASE
)

_MARKUP = re.compile(
    r"<[a-z/!][^<>]*>|&(?:#\w{1,8}|[a-z]\w{1,31});|\[/?(?:url|link|img|email|b|i|u|s|color|size|quote)\b[^\[\]]*\]",
    re.IGNORECASE,
)
_LINK_TAG = re.compile(
    r"<a\b[^>]*?\bhref\s*=\s*[\"']?(?P<html>[^\"'\s>]+)|\[(?:url|link)\s*=\s*[\"']?(?P<bbcode>[^\]\"'\s]+)"
    r"|</a\b|\[/?(?:url|link)\b",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_TEXT, _TAG, _ADDRESS = range(3)
_ALL_LINKS = 10_000


def _pieces(body: str) -> Iterator[tuple[int, str]]:
    """Cut a body into text, tags (HTML, BBCode, character references) and addresses; joined they are the body."""
    done = 0
    for match in _MARKUP.finditer(body):
        yield from _text_and_addresses(body[done : match.start()])
        yield _TAG, match.group()
        done = match.end()
    yield from _text_and_addresses(body[done:])


def _text_and_addresses(text: str) -> Iterator[tuple[int, str]]:
    done = 0
    for link in links.find(text, at_most=_ALL_LINKS):
        yield _TEXT, text[done : link.start]
        yield _ADDRESS, link.text
        done = link.end
    yield _TEXT, text[done:]


def _with_words(text: str, change: Callable[[str], str]) -> str:
    """Change each word of the text outside tags and addresses."""
    return "".join(
        _WORD.sub(lambda match: change(match.group()), part) if piece == _TEXT else part
        for piece, part in _pieces(text)
    )


# --- characters ---


def _in_name_and_body(comment: Comment, change: Callable[[str], str]) -> Comment:
    return dataclasses.replace(
        comment, author=_with_words(comment.author, change), body=_with_words(comment.body, change)
    )


def _letterwise(letters: dict[str, str], share: float) -> Change:
    """Swap that share of the letters that the table knows; in the author's name too."""

    def change(comment: Comment, chance: random.Random, _: Sequence[str]) -> Comment:
        def swap(letter: str) -> str:
            others = letters.get(letter) or letters.get(letter.lower(), "")
            return chance.choice(others) if others and chance.random() < share else letter

        return _in_name_and_body(comment, lambda word: "".join(map(swap, word)))

    return change


def _between(inserts: Sequence[str], share: float) -> Change:
    """Put something into that share of the gaps between letters; in the author's name too."""

    def change(comment: Comment, chance: random.Random, _: Sequence[str]) -> Comment:
        def fill(word: str) -> str:
            return word[0] + "".join(
                (chance.choice(inserts) if chance.random() < share else "") + letter for letter in word[1:]
            )

        return _in_name_and_body(comment, fill)

    return change


def _spacing(share: float) -> Change:
    """Write that share of the words of three letters and more apart, with one kind of gap a comment."""

    def change(comment: Comment, chance: random.Random, _: Sequence[str]) -> Comment:
        gap = chance.choice(_GAPS)
        # Readers see the words' borders only where these are wider than the gaps.
        edge = " " if gap == " " else ""

        def spread(word: str) -> str:
            return f"{edge}{gap.join(word)}{edge}" if len(word) > 2 and chance.random() < share else word

        return _in_name_and_body(comment, spread)

    return change


def _doubling(share: float) -> Change:
    def change(comment: Comment, chance: random.Random, _: Sequence[str]) -> Comment:
        def double(word: str) -> str:
            return "".join(letter * 2 if chance.random() < share else letter for letter in word)

        return _in_name_and_body(comment, double)

    return change


def _entities(share: float) -> Change:
    """Write that share of the body's letters as character references; a name has no markup."""

    def change(comment: Comment, chance: random.Random, _: Sequence[str]) -> Comment:
        def encode(letter: str) -> str:
            if chance.random() >= share:
                return letter
            return f"&#{ord(letter)};" if chance.random() < 0.5 else f"&#x{ord(letter):x};"

        return dataclasses.replace(
            comment, body=_with_words(comment.body, lambda word: "".join(map(encode, word)))
        )

    return change


def _tags(share: float) -> Change:
    """Split that share of the body's words by an empty element, or by tags around their beginning."""

    def change(comment: Comment, chance: random.Random, _: Sequence[str]) -> Comment:
        def split(word: str) -> str:
            if len(word) < 2 or chance.random() >= share:
                return word
            at = chance.randrange(1, len(word))
            if chance.random() < 0.5:
                return f"{word[:at]}{chance.choice(_EMPTY_TAGS)}{word[at:]}"
            tag = chance.choice(("b", "i", "em", "span", "font"))
            return f"<{tag}>{word[:at]}</{tag}>{word[at:]}"

        return dataclasses.replace(comment, body=_with_words(comment.body, split))

    return change


# --- words ---


def _spun(comment: Comment, chance: random.Random, _: Sequence[str]) -> Comment:
    """Put another word for each one that the table of synonyms knows."""

    def spin(match: re.Match[str]) -> str:
        word = match.group()
        other = chance.choice([one for one in _SYNONYMS_OF[word.lower()] if one.lower() != word.lower()])
        return other[0].upper() + other[1:] if word[0].isupper() else other

    return dataclasses.replace(
        comment,
        body="".join(
            _SPINNABLE.sub(spin, part) if piece == _TEXT else part for piece, part in _pieces(comment.body)
        ),
    )


def _appended(n_words: int) -> Change:
    """Add the first words of real comments, one comment after the other, as a last paragraph."""

    def change(comment: Comment, chance: random.Random, ham: Sequence[str]) -> Comment:
        if not any(text.strip() for text in ham):
            raise ValueError("appending real words needs real comments: give ham texts that are not empty")
        words: list[str] = []
        while len(words) < n_words:
            words += chance.choice(ham).split()
        return dataclasses.replace(comment, body=f"{comment.body}\n\n{' '.join(words[:n_words])}")

    return change


# --- links ---


def _link_tag(tag: str) -> str | None:
    """Return where a link's tag leads, "" for one without an address; None if it is no link's tag."""
    match = _LINK_TAG.match(tag)
    return None if match is None else match["html"] or match["bbcode"] or ""


def _moved(comment: Comment, chance: random.Random, _: Sequence[str]) -> Comment:
    """Take every link out of the body and give the first as the author's address."""
    kept: list[str] = []
    found: list[str] = []
    for piece, part in _pieces(comment.body):
        target = part if piece == _ADDRESS else _link_tag(part) if piece == _TAG else None
        if target is None:
            kept.append(part)
        elif target:
            found.append(target)
    return dataclasses.replace(comment, body="".join(kept), url=found[0]) if found else comment


def _as_words(comment: Comment, chance: random.Random, _: Sequence[str]) -> Comment:
    """Write each of the body's links as "example dot com"."""
    parts: list[str] = []
    for piece, part in _pieces(comment.body):
        target = part if piece == _ADDRESS else _link_tag(part) if piece == _TAG else None
        if target is None:
            parts.append(part)
        elif target:
            said = links.parse(target).host.replace(".", " dot ")
            parts.append(said if piece == _ADDRESS else f"{said} ")
    return dataclasses.replace(comment, body="".join(parts))


def _both(name: str, make: Callable[[float], Change]) -> tuple[Attack, Attack]:
    """Return a trick on half of its places and on all: what is only half disguised may be harder to undo."""
    return (
        Attack(f"{name}, half", "characters", make(0.5)),
        Attack(f"{name}, all", "characters", make(1.0)),
    )


ATTACKS = (
    *_both("look-alikes", lambda share: _letterwise(_TWINS, share)),
    *_both("zero-width", lambda share: _between(_INVISIBLE, share)),
    *_both("leetspeak", lambda share: _letterwise(_LEET, share)),
    *_both("spacing", _spacing),
    *_both("doubling", _doubling),
    *_both("entities", _entities),
    *_both("emoji between letters", lambda share: _between(_EMOJI, share)),
    *_both("words split by tags", _tags),
    Attack("synonyms", "words", _spun),
    Attack("50 ham words appended", "words", _appended(50)),
    Attack("200 ham words appended", "words", _appended(200)),
    Attack("link moved to the author", "links", _moved),
    Attack("link as bare words", "links", _as_words),
)
"""Every trick of the measurement, in the order of its table of contents."""
