"""Which letters of other scripts a reader takes for Latin ones, and which words are written in them to deceive.

The table follows the Unicode Consortium's confusables (Unicode Technical Standard #39), for the scripts that
people type, with letters added that spammers use although the standard finds them less alike.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

# A capital stands here only where it is drawn like another letter than its small one (Greek Η and η), or where
# the small one is like none.
_TWINS = {
    "a": "ɑαаᎪᗅꓮ",
    "b": "ƅβвьᏏᏴᑲᖯᗷꓐꞴ",
    "c": "ϲϹсᏟⲥꓚ",
    "d": "ɗԁᎠᏧᑯᗞᗪꓒꓓ",
    "e": "εезєҽᎬꓰꬲ",
    "f": "Ϝքᖴẝꓝꞙꬵ",
    "g": "ƍɡԌցᏀᏳᶃꓖ",
    "h": "ΗнһհᎻᏂᕼⲎꓧ",
    "i": "ɩιіᎥⲒꙇ",
    "j": "ϳјᎫᒍꓙꞲ",
    "k": "κкᏦⲔꓗ",
    "l": "ƖǀӏᏞᒪⳐꓡꓲ",
    "m": "ΜϺмᎷᗰⲘꓟ",
    "n": "ΝηпոռⲚꓠ",
    "o": "οоօჿᴑⲟꓳꬽ",
    "p": "ρрᏢᑭⲣꓑ",
    "q": "ԛգզ",
    "r": "ƦɾгᎡᏒᖇᴦⲅꓣꭇꭈꮁ",
    "s": "ƽʂѕՏᏕᏚꓢ",
    "t": "τтᎢⲦꓔ",
    "u": "ʋμυцսᑌꓴꞟꭎꭒ",
    "v": "νѵᏙᐯꓦ",
    "w": "ɯωѡԝաᎳᏔꓪ",
    "x": "χхᕁᕽⲬꓫꞳ",
    "y": "ɣΥγϒуүყᎩᎽᶌỿⲨꓬꭚ",
    "z": "ʐΖᏃꓜ",
}
TWIN_OF = {ord(twin): letter for letter, twins in _TWINS.items() for twin in twins}
"""Code point -> the Latin letter, small, that it is drawn like."""

# Small or capital, these are drawn as the Latin letter is. They make six letters of ten in Russian and Greek, so
# a text that has only them is not in these languages; all of TWIN_OF make nine of ten.
_EXACT = frozenset(map(ord, "аеорсухкмнтвіјѕһԁԛԝӏүѵοανυρκτχιϲϳΗΜΝΥΖԌօհոսցգզռքѡ"))

# As many letters that have a twin, and no other of their scripts: by chance that is one Russian or Greek text
# in two hundred; the more careful figure is for a text without Latin letters.
_MIN_BESIDE_LATIN = 12
_MIN_ALONE = 24

_SCRIPTS = np.array([0x250, 0x2B0, 0x370, 0x400, 0x530, 0x590], dtype=np.uint32)
_EXACT_CODES = np.array(sorted(_EXACT), dtype=np.uint32)


def deceiving(
    codes: NDArray[np.uint32],
    in_word: NDArray[np.bool_],
    latin: NDArray[np.bool_],
    foreign: NDArray[np.bool_],
    alike: NDArray[np.bool_],
) -> NDArray[np.bool_]:
    """Return which look-alikes of a text stand for the Latin letter, shape (n,).

    Those in a word that also has a Latin letter; in a word made wholly of look-alikes from two scripts; and in
    any word made wholly of look-alikes, where the text has enough of them and hardly a letter of their script
    that is no look-alike: "сор" alone is a Russian word.

    Parameters
    ----------
    codes : ndarray of uint32, shape (n,)
        The text as written, letter for letter with the masks; capitals are needed.
    in_word, latin, foreign, alike : ndarray of bool, shape (n,)
        Letters and digits; Latin letters; letters of other alphabets; those of them with a twin.
    """
    word = np.cumsum(~in_word)  # letters of one word share a number with the gap before it
    n_words = int(word[-1]) + 1
    has_latin = np.bincount(word[latin], minlength=n_words) > 0
    whole = np.bincount(word[foreign & ~alike], minlength=n_words) == 0
    twins, words = codes[alike], word[alike]
    script = np.searchsorted(_SCRIPTS, twins, side="right")
    first, last = np.full(n_words, 99), np.full(n_words, -1)
    np.minimum.at(first, words, script)
    np.maximum.at(last, words, script)
    sure = has_latin | (whole & (last > first))
    n_sure = int(np.count_nonzero(sure[words]))
    open_letters = foreign & ~sure[word]
    n_open = int(np.count_nonzero(open_letters))
    if n_open:
        n_exact = int(np.count_nonzero(np.isin(codes[open_letters], _EXACT_CODES)))
        n_latin = int(np.count_nonzero(latin)) + n_sure
        enough = _MIN_BESIDE_LATIN if n_latin >= _MIN_BESIDE_LATIN else _MIN_ALONE
        if n_sure + n_exact >= enough and n_open - n_exact <= 0.1 * n_sure + 0.05 * n_exact:
            sure |= whole
    found: NDArray[np.bool_] = alike & sure[word]
    return found


_VOWELS = frozenset("aeiouy")
# After these an l follows often, and an i before a vowel seldom.
_BEFORE_L = frozenset("bcfgklps")


def i_or_l(before: str, after: str) -> str:
    """Return what an upright stroke ("1", "ӏ") stands for between two letters, by how English spells.

    Parameters
    ----------
    before, after : str
        Neighbours, small; "" at a word's edge.
    """
    if not before:
        return "l" if after in _VOWELS else "i"
    if before in _VOWELS:
        return "i" if after in {"n", "r"} and before != "i" else "l"
    if after in _VOWELS:
        # "social", "special" and a drug's name against "class" and "claim".
        as_l = (before in _BEFORE_L and before + after != "ca") or after == "i"
        return "l" if as_l else "i"
    return "l" if before == "l" and not after else "i"
