"""Tells whether a text of Latin letters is written in a language of its site, by the little words of each.

One word in three of running text is among the few dozen that every text of its language needs: "the", "und", "que". A
text with none of its site's and some of another's is in that other one. As with scripts, only a site that says its
languages (Akismet: ``blog_lang``) makes it a fact. On the blogs left out, told theirs, recall rose by 0.3 points at
1 % ham blocked and by 0.9 at 0.1 % (docs/experiments/0013-trade.md).
"""

from __future__ import annotations

import functools
import re
from collections import Counter
from pathlib import Path

from model import text
from model.scripts import languages_of

_LIST = Path(__file__).with_name("lexicons") / "function-words.txt"
_WORDS = re.compile(r"[^\W\d_]+")
# A language shows in the first sentences, and the search stays bounded.
_MAX_CHARS = 1_500
_MIN_WORDS = 3
_MIN_WORDS_FOR_NONE = 5
_MIN_FOUND = 2
# Little words are shared ("in", "me", "no"): another language must have this many times those of the site's.
_MUCH_MORE = 2


@functools.cache
def _languages_of_words() -> dict[str, tuple[str, ...]]:
    """Return which languages each function word is of."""
    found: dict[str, tuple[str, ...]] = {}
    for line in _LIST.read_text(encoding="utf-8").splitlines():
        language, _, words = line.partition(":")
        for word in text.to_text(text.fold(words).codes).split():
            found[word] = (*found.get(word, ()), language)
    return found


@functools.cache
def _known() -> frozenset[str]:
    return frozenset(language for languages in _languages_of_words().values() for language in languages)


def facts(folded: str, site_lang: str) -> list[str]:
    """State whether a folded text is written in another language than its site.

    Parameters
    ----------
    folded : str
        Without accents, in small letters.
    site_lang : str
        The site's languages, such as ``en, fr_ca``; "" for unknown.

    Returns
    -------
    list of str
        ``language:other`` where another language speaks, ``language:none`` where no word of the site's does; else
        nothing, also where the site writes in a language that no list is for.
    """
    own = languages_of(site_lang)
    if not own or not own <= _known():
        return []
    words = _WORDS.findall(folded[:_MAX_CHARS])
    if len(words) < _MIN_WORDS:
        return []
    of_word = _languages_of_words()
    counts = Counter(language for word in words for language in of_word.get(word, ()))
    n_own = max(counts[language] for language in own)
    n_other = max((n for language, n in counts.items() if language not in own), default=0)
    if n_other >= _MIN_FOUND and n_other > _MUCH_MORE * n_own:
        return ["language:other"]
    return ["language:none"] if n_own == 0 and len(words) >= _MIN_WORDS_FOR_NONE else []
