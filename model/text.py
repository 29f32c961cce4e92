"""Folds text to the letters a reader sees: disguise is undone, counted, and every position kept.

It knows characters only; markup is the business of ``markup.py`` and links that of ``links.py``.
"""

from __future__ import annotations

import unicodedata
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from model import lookalikes

_N_CODE_POINTS = 0x110000
_DROPPED = -1
_UNKNOWN = -2
# An entry of _FOLD from here on is an index into _EXPANSIONS.
_EXPANDED = _N_CODE_POINTS
_PAGE_BITS = 8

# Classes of characters, one bit each.
WORD = 1
SPACE = 2
IDEOGRAPH = 4
LATIN = 8
LOOKALIKE = 16
STYLED = 32
INVISIBLE = 64
MARK = 128
DIGIT = 256
SYMBOL = 512
FOREIGN = 1024
LETTER = 2048
CAPITAL = 4096

LINK_MARK = 0xE000
"""A private code point that stands where an address was taken out; it counts as a word."""

_MARK_BLOCKS = (
    (0x300, 0x370),
    (0x483, 0x488),
    (0x1AB0, 0x1B00),
    (0x1DC0, 0x1E00),
    (0x20D0, 0x2100),
    (0xFE20, 0xFE30),
)
_IDEOGRAPH_BLOCKS = ((0x2E80, 0xA4D0), (0xF900, 0xFB00), (0x20000, 0x32000))
_STYLED_BLOCKS = (
    (0x1D00, 0x1D80),
    (0x2100, 0x2150),
    (0x2460, 0x2500),
    (0xFF01, 0xFF5F),
    (0x1D400, 0x1D800),
    (0x1F100, 0x1F200),
)

# Letters that NFKC leaves alone although a reader takes them for Latin ones.
_STYLED_LETTERS = {
    **{0x1F130 + i: chr(97 + i) for i in range(26)},
    **{0x1F150 + i: chr(97 + i) for i in range(26)},
    **{0x1F170 + i: chr(97 + i) for i in range(26)},
    **{0x1F1E6 + i: chr(97 + i) for i in range(26)},
    **dict(zip(map(ord, "ᴀʙᴄᴅᴇꜰɢʜɪᴊᴋʟᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢ"), "abcdefghijklmnoprstuvwyz", strict=True)),
}
# Letters of Latin alphabets whose stroke or missing dot no decomposition takes away; accents to a reader.
_STROKED = {ord(pair[0]): pair[1] for pair in "ıi łl Łl øo Øo đd Đd ħh Ħh ŧt Ŧt".split()}

# Emoji and ornaments, and the signs that writers of spam put between letters; (c) and (r) stand before.
_FIRST_SYMBOL = 0x2190
_GAP_SIGNS = "*~^•·¦"

# Small letters, and a space for every control character before it.
_ASCII_FOLD = bytes(range(256)).lower().translate(bytes(max(code, 32) for code in range(256)))
_CAPITALS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ"

# Palochka, drawn as an i or an l.
_STROKE = 0x4CF

_FOLD = np.full(_N_CODE_POINTS, _UNKNOWN, dtype=np.int32)
_CLASS = np.zeros(_N_CODE_POINTS, dtype=np.uint16)
_TWIN = np.zeros(_N_CODE_POINTS, dtype=np.uint32)
_EXPANSIONS: list[tuple[int, ...]] = []


def _within(code: int, blocks: tuple[tuple[int, int], ...]) -> bool:
    return any(low <= code < high for low, high in blocks)


def _folded(code: int) -> str:
    """Return what one character becomes: compatibility form, without accents, in lower case."""
    if code in _STYLED_LETTERS:
        return _STYLED_LETTERS[code]
    if code in _STROKED:
        return _STROKED[code]
    char = chr(code)
    category = unicodedata.category(char)
    if category in {"Cf", "Cs"} or 0xFE00 <= code < 0xFE10 or code in {0x115F, 0x1160, 0x3164, 0xFFA0, 0x34F}:
        return ""
    if category == "Cc" or category.startswith("Z"):
        return " "
    if 0xAC00 <= code < 0xD7A4:  # Hangul syllables would fall apart into their letters
        return char
    decomposed = unicodedata.normalize("NFKD", char)
    kept = "".join(c for c in decomposed if not _within(ord(c), _MARK_BLOCKS))
    # What is left may be stroked or styled itself: an accented letter with a stroke, a raised small capital.
    return unicodedata.normalize("NFKC", kept).casefold().translate(_STROKED).translate(_STYLED_LETTERS)


def _fill_page(page: int) -> None:
    """Fill the tables for 256 code points, and for all that these fold to.

    Done on first use, as a whole text uses a handful of pages.
    """
    results: set[int] = set()
    for code in range(page << _PAGE_BITS, (page + 1) << _PAGE_BITS):
        result = _folded(code)
        results.update(map(ord, result))
        flags = 0
        if result == "":
            _FOLD[code] = _DROPPED
            flags |= MARK if _within(code, _MARK_BLOCKS) else INVISIBLE
        elif len(result) == 1:
            _FOLD[code] = ord(result)
        else:
            _FOLD[code] = _EXPANDED + len(_EXPANSIONS)
            _EXPANSIONS.append(tuple(map(ord, result)))
        if code in _STYLED_LETTERS or (
            _within(code, _STYLED_BLOCKS) and result.isalnum() and result != chr(code)
        ):
            flags |= STYLED
        char = chr(code)
        if char.isalnum() or unicodedata.category(char) in {"Mn", "Mc"} or code == LINK_MARK:
            flags |= WORD
        if _within(code, _IDEOGRAPH_BLOCKS):
            flags |= IDEOGRAPH
        if result == " ":
            flags |= SPACE
        if "a" <= result <= "z" and len(result) == 1:
            flags |= LATIN
        if "0" <= result <= "9" and len(result) == 1:
            flags |= DIGIT
        if (code >= _FIRST_SYMBOL and unicodedata.category(char) in {"So", "Sk"}) or char in _GAP_SIGNS:
            flags |= SYMBOL
        if flags & (WORD | IDEOGRAPH | DIGIT) == WORD and code != LINK_MARK:
            flags |= LETTER
        if len(result) > 1 and any(ord(letter) in lookalikes.TWIN_OF for letter in result):
            flags |= LOOKALIKE
        if flags & (LETTER | LATIN) == LETTER and char.isalpha():
            flags |= FOREIGN
            twin = lookalikes.TWIN_OF.get(code) or lookalikes.TWIN_OF.get(
                ord(result) if len(result) == 1 else 0
            )
            if twin and len(result) == 1:
                flags |= LOOKALIKE
                _TWIN[code] = ord(twin)
        if char.isupper():
            flags |= CAPITAL
        _CLASS[code] = flags
    for other in {code >> _PAGE_BITS for code in results}:
        if _FOLD[other << _PAGE_BITS] == _UNKNOWN:
            _fill_page(other)


def _tables_for(codes: NDArray[np.uint32]) -> NDArray[np.int32]:
    """Return each code's fold, filling what no text has asked for yet."""
    fold = _FOLD.take(codes)
    if fold.size and fold.min() == _UNKNOWN:
        for page in np.unique(codes[fold == _UNKNOWN] >> _PAGE_BITS):
            _fill_page(int(page))
        fold = _FOLD.take(codes)
    return fold


for _page in (*range(6), LINK_MARK >> _PAGE_BITS):  # Latin, Greek, Cyrillic: always wanted
    if _FOLD[_page << _PAGE_BITS] == _UNKNOWN:
        _fill_page(_page)


def classes(codes: NDArray[np.uint32]) -> NDArray[np.uint16]:
    """Return the class bits of each code point of a folded text; of any other text only what is known yet."""
    return _CLASS.take(codes)


class Folded(NamedTuple):
    """A folded text.

    Attributes
    ----------
    codes : ndarray of uint32, shape (n,)
        Code points after folding.
    origin : ndarray of int32, shape (n,), or None
        Where each came from in the text before folding; None if every character stayed in its place.
    n_styled, n_invisible, n_marks, n_lookalikes : int
        How many styled letters, invisible characters, stray combining marks and look-alike letters were undone.
    """

    codes: NDArray[np.uint32]
    origin: NDArray[np.int32] | None
    n_styled: int = 0
    n_invisible: int = 0
    n_marks: int = 0
    n_lookalikes: int = 0


def code_points(text: str) -> NDArray[np.uint32]:
    """Return the text's code points; a lone surrogate counts as one."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def count_capitals(text: str) -> int:
    """Return the number of capital letters."""
    if text.isascii():
        return len(text) - len(text.encode("ascii").translate(None, _CAPITALS))
    codes = code_points(text)
    _tables_for(codes)
    return int(np.count_nonzero(_CLASS.take(codes) & CAPITAL))


def fold(text: str) -> Folded:
    """Fold a text: lower case, compatibility forms, no accents, no invisible characters, look-alikes undone.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    Folded
        White space is a space each, runs are kept. Folding twice changes nothing.

    Notes
    -----
    Compatibility decomposition follows Unicode Standard Annex #15; accents go because spam and its copies
    differ in them more often than words do.
    """
    if text.isascii():
        low = text.encode("ascii").translate(_ASCII_FOLD)
        return Folded(np.frombuffer(low, dtype=np.uint8).astype(np.uint32), None)
    codes = code_points(text)
    mapped = _tables_for(codes)
    flags = _CLASS.take(codes)
    n_styled = int(np.count_nonzero(flags & STYLED))
    origin: NDArray[np.int32] | None = None
    if mapped.max(initial=0) >= _EXPANDED:
        mapped, origin = _expand(mapped)
    n_invisible = n_marks = 0
    if mapped.min(initial=0) == _DROPPED:
        kept = np.flatnonzero(mapped != _DROPPED).astype(np.int32)
        n_invisible = int(np.count_nonzero(flags & INVISIBLE))
        n_marks = int(np.count_nonzero(flags & MARK))
        mapped = mapped[kept]
        origin = kept if origin is None else origin[kept]
    folded = mapped.astype(np.uint32)
    n_lookalikes = 0
    if (flags & LOOKALIKE).any():
        written = codes
        if origin is not None:  # of what became several letters, each is looked at by itself
            written = np.where(_FOLD.take(codes)[origin] >= _EXPANDED, folded, codes[origin])
        folded, n_lookalikes = _undo_lookalikes(folded, written)
    return Folded(folded, origin, n_styled, n_invisible, n_marks, n_lookalikes)


def _expand(mapped: NDArray[np.int32]) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    """Spread the characters that become several."""
    lengths = np.ones(mapped.size, dtype=np.int64)
    at = np.flatnonzero(mapped >= _EXPANDED)
    expansions = [_EXPANSIONS[index] for index in (mapped[at] - _EXPANDED).tolist()]
    lengths[at] = [len(expansion) for expansion in expansions]
    spread = np.repeat(mapped, lengths)
    origin = np.repeat(np.arange(mapped.size, dtype=np.int32), lengths)
    starts = np.cumsum(lengths) - lengths
    for start, expansion in zip(starts[at].tolist(), expansions, strict=True):
        spread[start : start + len(expansion)] = expansion
    return spread, origin


def _undo_lookalikes(
    codes: NDArray[np.uint32], written: NDArray[np.uint32]
) -> tuple[NDArray[np.uint32], int]:
    """Turn look-alikes into Latin letters where they stand for them; ``written`` still has the capitals."""
    flags = classes(codes)
    in_word = (flags & WORD) != 0
    undo = lookalikes.deceiving(
        written,
        in_word=in_word,
        latin=(flags & LATIN) != 0,
        foreign=(flags & FOREIGN) != 0,
        alike=(classes(written) & LOOKALIKE) != 0,
    )
    n_undone = int(np.count_nonzero(undo))
    if n_undone:
        codes = np.where(undo, _TWIN[written], codes)
        for place in np.flatnonzero(undo & (written == _STROKE)).tolist():
            around = [
                chr(codes[other]) if 0 <= other < codes.size and in_word[other] else ""
                for other in (place - 1, place + 1)
            ]
            codes[place] = ord(lookalikes.i_or_l(*around))
    return codes, n_undone


def to_text(codes: NDArray[np.uint32]) -> str:
    """Return the code points as a string."""
    return codes.astype("<u4", copy=False).tobytes().decode("utf-32-le", "surrogatepass")
