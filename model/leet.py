"""Undoes leetspeak: digits and signs written for letters, in words that have them where no real word has."""

from __future__ import annotations

import re

from model.lookalikes import i_or_l

_SIGNS = "0123456789@$!|+"
_LETTER_OF = str.maketrans("023456789@$!|+", "ozeasgtbgasilt")
# What has no sign before a letter has nothing to undo; a pattern that begins with a plain class is searched fast.
_MAYBE = re.compile(r"[0134578@$!|][a-zA-Z]")
_TOKEN = re.compile(rf"[a-z{re.escape(_SIGNS)}]+", re.IGNORECASE)
# One sign between four letters, or twice one or two between three: "v1agra", "j3r53y", but not "i18n"; "2" for
# "to" is an abbreviation, "really!no" lacks a space, and before "@" stands a user.
_DISGUISED = re.compile(
    r"(?=(?:[^a-z]*[a-z]){4})[0134]?(?:[a-z]+(?:[01345]|\$\$?)|[a-z]{1,2}@)[a-z]+[013$]?"
    r"|[0134]?[a-z]+(?:[0134578!$+]{1,2}[a-z]+){2,}[0134578$]?",
    re.IGNORECASE,
)
# "log4j": a four for the word "for".
_FOR = re.compile(r"[a-z]{3,}4[a-z]+", re.IGNORECASE)
# Signs between letters or letters between signs; "2" and "6" are too common in names of things.
_MIXED = re.compile(r"[a-z][0134578@$!|+]+[a-z]|[0134579@$!|+][a-z]+[0134578@$|+]", re.IGNORECASE)
_MIN_CHARS = 4
# In a text written so throughout, bare digits are words, but for prices, years, round numbers and measures.
_NUMBER = re.compile(
    r"\$\d+|(?:19|20)\d\d|\d*[26]\d*|\d+00|\d+(?:mg|ml|kg|cm|mm|km|gb|mb|px|hz)", re.IGNORECASE
)
_MAX_NUMBER = 12
# From here on a comment is written so as a whole, and edges and bare numbers are letters too.
_MIN_MIXED = 3
_MIXED_SHARE = 0.12


def undo(text: str) -> tuple[str, int]:
    """Put the letters back that digits and signs stand for.

    Parameters
    ----------
    text : str
        Without addresses.

    Returns
    -------
    text : str
        As long as the one given: every character keeps its place.
    n_words : int
        How many words were changed.
    """
    if not _MAYBE.search(text):
        return text, 0
    mixed = n_words = 0
    for token in _TOKEN.findall(text):
        n_words += not token.isdigit()
        mixed += len(token) >= _MIN_CHARS and _MIXED.search(token) is not None
    throughout = mixed >= _MIN_MIXED and mixed >= _MIXED_SHARE * n_words
    n_changed = 0

    def change(match: re.Match[str]) -> str:
        nonlocal n_changed
        token = match.group()
        if token.isalpha() or ("@" in token and text[match.end() : match.end() + 1] == "."):
            return token
        core = token.rstrip("!")
        if throughout:
            if core.isalpha() or (len(core) <= _MAX_NUMBER and _NUMBER.fullmatch(core)):
                return token
        elif _DISGUISED.fullmatch(core) is None or _FOR.fullmatch(core) is not None:
            return token
        n_changed += 1
        return _spelled(core) + token[len(core) :]

    return _TOKEN.sub(change, text), n_changed


def _spelled(token: str) -> str:
    """Return a token in letters, in lower case."""
    letters = list(token.lower().translate(_LETTER_OF))
    for place, letter in enumerate(letters):
        if letter == "1":
            before = letters[place - 1] if place else ""
            after = letters[place + 1] if place + 1 < len(letters) else ""
            letters[place] = i_or_l(before, after)
    return "".join(letters)
