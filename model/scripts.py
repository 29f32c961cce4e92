"""Tells whether a text is written in the letters of its site.

Script, not language: it can be told from ten letters, and a mistake is rare. Only a site that says its languages
(Akismet: ``blog_lang``) makes it a fact; otherwise it is silent, because a language is no evidence by itself.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

# First code point of each run, and its script; "" is none (digits, signs, emoji).
_RUNS: tuple[tuple[int, str], ...] = (
    (0x0, ""),
    (0x61, "latin"),
    (0x7B, ""),
    (0xC0, "latin"),
    (0x2B0, ""),
    (0x370, "greek"),
    (0x400, "cyrillic"),
    (0x530, "armenian"),
    (0x590, "hebrew"),
    (0x600, "arabic"),
    (0x700, ""),
    (0x750, "arabic"),
    (0x780, ""),
    (0x900, "indic"),
    (0xE00, "thai"),
    (0xE80, ""),
    (0x10A0, "georgian"),
    (0x1100, "hangul"),
    (0x1200, ""),
    (0x1E00, "latin"),
    (0x1F00, "greek"),
    (0x2000, ""),
    (0x3040, "han"),
    (0x3130, "hangul"),
    (0x3190, ""),
    (0x3400, "han"),
    (0xA000, ""),
    (0xAC00, "hangul"),
    (0xD7B0, ""),
    (0xF900, "han"),
    (0xFB00, ""),
    (0x20000, "han"),
    (0x32000, ""),
)
_NAMES = tuple(sorted({script for _, script in _RUNS}))
_STARTS = np.array([start for start, _ in _RUNS], dtype=np.uint32)
_PLACES = np.array([_NAMES.index(script) for _, script in _RUNS], dtype=np.intp)
_OF_LANGUAGE = {
    **dict.fromkeys("ru uk be bg sr mk kk ky mn tg".split(), "cyrillic"),
    **dict.fromkeys("zh ja".split(), "han"),
    **dict.fromkeys("ar fa ur ps ckb".split(), "arabic"),
    **dict.fromkeys("hi bn mr ta te gu kn ml pa ne si".split(), "indic"),
    "el": "greek",
    "he": "hebrew",
    "hy": "armenian",
    "ka": "georgian",
    "ko": "hangul",
    "th": "thai",
}
_MIN_LETTERS = 8


@functools.lru_cache(maxsize=512)
def languages_of(site_lang: str) -> frozenset[str]:
    """Return a site's languages without their countries: ``en, fr_ca`` -> en, fr."""
    tags = (tag.strip().replace("_", "-").partition("-")[0].lower() for tag in site_lang.split(","))
    return frozenset(tag for tag in tags if tag)


def facts(folded: NDArray[np.uint32], site_lang: str) -> list[str]:
    """State whether most letters of a folded text are of a script that the site does not write in.

    Parameters
    ----------
    folded : ndarray of uint32
        Code points.
    site_lang : str
        The site's languages, such as ``en, fr_ca``; "" for unknown.

    Returns
    -------
    list of str
        ``script:foreign`` for letters that the site has no use for; ``script:latin`` for Latin ones on a site
        of another script, where they are common; else nothing.
    """
    own = {_OF_LANGUAGE.get(language, "latin") for language in languages_of(site_lang)}
    if not own or (own == {"latin"} and folded.max(initial=0) < _STARTS[5]):
        return []
    counts = np.bincount(_PLACES[np.searchsorted(_STARTS, folded, side="right") - 1], minlength=len(_NAMES))
    counts[_NAMES.index("")] = 0
    if counts.sum() < _MIN_LETTERS:
        return []
    script = _NAMES[int(counts.argmax())]
    if script in own:
        return []
    return ["script:latin" if script == "latin" else "script:foreign"]
