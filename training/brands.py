"""Finds the gambling brands that Indonesian spam advertises, by a rule and not by a list.

A brand is a name that spammers must write legibly enough to be searched for. The rule, on letters that are folded
from their styled, enclosed, accented and look-alike forms:

1. a word counts as a name if it is letters with one to four digits at the end or before a last letter (as in
   ``name77`` or ``name4d``), or at least seven letters with an ending that betting sites take;
2. it is a brand if at least five comments have it and at least 95 % of those are spam;
3. names of which one contains the other are one brand;
4. a comment is of a brand if the name stands in it with all else but letters and digits removed and digits read as
   the letters they look like, so spaced and digit-for-letter spellings count; of several, the first named;
5. a brand that is then found in more ham than 2 allows was a word after all, and is dropped.

The rule reads labels, so it is for grouping what is judged, never for judging.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from model.comment import LabeledComment

MIN_COMMENTS = 5
MIN_SPAM_SHARE = 0.95
_NUMBERED = re.compile(r"[a-z]{3,}\d{1,4}[a-z]?")
_ENDING = re.compile(r"[a-z]{3,}(?:toto|togel|bet|win|jitu|slot|poker|hoki|gaming)")
_MIN_ENDING_LETTERS = 7
# "Greatest win", in the spellings of the trade: every site promises it.
_NOBODYS = re.compile(r"m(?:a|e)(?:x|ks)+win")
_ENCLOSED = re.compile(
    r"(?:REGIONAL INDICATOR SYMBOL|SQUARED LATIN|CIRCLED LATIN)(?: CAPITAL| SMALL)? LETTER ([A-Z])$"
)
# Cyrillic, Greek and Armenian letters that stand in for Latin ones.
_TWINS = str.maketrans("аеорсухіјѕԁһвнкмтԛԝαορνικτεյօսհяг", "aeopcyxijsdhbhkmtqwaopviktejouhrr")
_DIGIT_LETTERS = str.maketrans("013457", "oieast")


def fold(text: str) -> str:
    """Return lower-case Latin text of styled, enclosed, accented and look-alike letters and digits."""
    letters = []
    for letter in unicodedata.normalize("NFKD", text):
        if unicodedata.combining(letter):
            continue
        if letter > "\x7f":
            digit = unicodedata.digit(letter, None)
            enclosed = _ENCLOSED.search(unicodedata.name(letter, ""))
            letters.append(enclosed[1] if enclosed else letter if digit is None else str(digit))
        else:
            letters.append(letter)
    return "".join(letters).casefold().translate(_TWINS)


def brands_of(comments: Sequence[LabeledComment]) -> list[str]:
    """Return the brand that each comment names, "" if none; see the rule above."""
    folded = [fold(row.comment.body) for row in comments]
    n_spam: Counter[str] = Counter()
    n_all: Counter[str] = Counter()
    for row, text in zip(comments, folded, strict=True):
        names = {word for word in re.findall(r"[^\W_]+", text) if _is_name(word)}
        n_all.update(names)
        if row.is_spam:
            n_spam.update(names)
    frequent = [name for name, n in n_spam.items() if n >= MIN_COMMENTS and n >= MIN_SPAM_SHARE * n_all[name]]
    families = _families({_skeleton(name) for name in frequent})
    skeletons = [_skeleton(text) for text in folded]
    found = _find(families, skeletons)
    n_spam = Counter(name for name, row in zip(found, comments, strict=True) if row.is_spam)
    n_all = Counter(found)
    brands = {
        name: family
        for name, family in families.items()
        if n_spam[family] >= MIN_SPAM_SHARE * max(n_all[family], 1)
    }
    return _find(brands, skeletons)


def _find(families: dict[str, str], skeletons: Sequence[str]) -> list[str]:
    """Return the family of the first name in each text, "" if none."""
    if not families:
        return [""] * len(skeletons)
    # Longest first, so that the fuller of two names that begin alike is found.
    pattern = re.compile("|".join(sorted(map(re.escape, families), key=lambda name: (-len(name), name))))
    matches = [pattern.search(text) for text in skeletons]
    return [families[match.group()] if match else "" for match in matches]


def _is_name(word: str) -> bool:
    if _NOBODYS.fullmatch(word):
        return False
    return bool(_NUMBERED.fullmatch(word)) or (
        len(word) >= _MIN_ENDING_LETTERS and bool(_ENDING.fullmatch(word))
    )


def _skeleton(text: str) -> str:
    """Return letters alone, digits read as the letters that they stand for; other digits are kept."""
    return re.sub(r"[\W_]+", "", text).translate(_DIGIT_LETTERS)


def _families(skeletons: set[str]) -> dict[str, str]:
    """Return for each name the shortest one that it contains."""
    family: dict[str, str] = {}
    for name in sorted(skeletons, key=lambda name: (len(name), name)):
        family[name] = next((family[known] for known in family if known in name), name)
    return family
