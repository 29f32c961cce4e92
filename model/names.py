"""Tells a person's name from a search phrase by the names that people bear.

Whoever advertises writes what is to be found into the name field. Two short lists tell the difference better than
long ones do: with 45,000 given names of many countries and every family name of the census, the blogs left out
lost two points of recall at 0.1 % (docs/experiments/0009-facts.md).
"""

from __future__ import annotations

import functools
from pathlib import Path

_LISTS = Path(__file__).with_name("lexicons")
_MAX_WORDS = 4
# Latin letters, the accented ones too, end here; the lists know no other script.
_FIRST_NOT_LATIN = "\u0250"


@functools.cache
def _names(kind: str) -> frozenset[str]:
    return frozenset((_LISTS / f"{kind}-names.txt").read_text(encoding="ascii").split())


def facts(author: str, folded: list[str]) -> list[str]:
    """State how much of an author's name is known from people.

    Parameters
    ----------
    author : str
        As written.
    folded : list of str
        Its words, folded.

    Returns
    -------
    list of str
        Empty where the name has letters of a script that the lists do not know.
    """
    if not folded or (
        not author.isascii() and any(letter >= _FIRST_NOT_LATIN and letter.isalpha() for letter in author)
    ):
        return []
    given, family = _names("given"), _names("family")
    n_words = min(len(folded), _MAX_WORDS)
    known = "given" if folded[0] in given else "other"
    n_unknown = len([word for word in folded if len(word) > 1 and word not in given and word not in family])
    found = [f"name:first:{known}:{n_words}", f"name:unknown:{min(n_unknown, _MAX_WORDS)}of{n_words}"]
    if len(folded) > 1:
        found.append(f"name:last:{'family' if folded[-1] in family else 'other'}")
    return found
