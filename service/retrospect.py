"""Use case: when a comment turns out to be spam, find its near-copies that were let through, and correct them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from model.comment import Comment, Label
from model.document import prepare
from model.sketch import SketchIndex, similarity, sketch, word_set
from model.wording import wording
from service.clock import Clock
from service.feedback import Feedback
from service.stores.checks import StoredCheck
from service.stores.retrospect import KnownSpam, LetThrough

DAYS = 7
#: Share of words that a near-copy has in common with what it copies.
NEAR = 0.7
# Fingerprints err by 0.06 at most (one standard deviation): what is near falls below this once in 5,000 times.
_WORTH_A_LOOK = NEAR - 0.2


@dataclass(frozen=True, slots=True)
class NearCopy:
    """A comment that was let through and looks like known spam.

    Attributes
    ----------
    check : StoredCheck
    likeness : float
        Share of words in common with the spam, exact, in [``NEAR``, 1].
    spam_site : str
        Where somebody called the like of it spam.
    """

    check: StoredCheck
    likeness: float
    spam_site: str


#: Tells of a check whether it is for somebody to see.
Sees = Callable[[StoredCheck], bool]


def _everything(check: StoredCheck) -> bool:
    return True


class RetrospectLog(Protocol):
    """Where labels and fingerprints are kept."""

    def spam(self, since: dt.datetime) -> list[KnownSpam]: ...

    def let_through(self, since: dt.datetime) -> list[LetThrough]: ...


class Checks(Protocol):
    """Where checks are found by their names."""

    def find(self, guids: Iterable[str]) -> dict[str, StoredCheck]: ...


class Retrospect:
    """Looks back at what was let through."""

    def __init__(self, *, log: RetrospectLog, checks: Checks, feedback: Feedback, clock: Clock) -> None:
        self._log = log
        self._checks = checks
        self._feedback = feedback
        self._clock = clock

    def near_copies(self, *, days: float = DAYS, sees: Sees = _everything) -> list[NearCopy]:
        """Return near-copies of spam, most alike first; each comment once, with the spam most like it.

        Fingerprints say which texts are worth a look; what is listed has been compared word by word.

        Parameters
        ----------
        days : float
            How far to look back, for labels and for what was let through.
        sees : callable
            Tells of a check whether it is for the one who asks to see.
        """
        since = self._clock() - dt.timedelta(days=days)
        passed = self._log.let_through(since)
        index = SketchIndex([each.sketch for each in passed])
        best: dict[str, tuple[float, str]] = {}
        bodies: dict[str, StoredCheck] = {}
        words_of: dict[str, NDArray[np.uint64]] = {}
        looked_for: set[bytes] = set()
        for spam in self._log.spam(since):
            words = _words(spam.body)
            wanted = sketch(words)
            # A campaign's comments are the same words again and again.
            if wanted is None or words.tobytes() in looked_for:
                continue
            looked_for.add(words.tobytes())
            places = np.flatnonzero(index.estimates(wanted) >= _WORTH_A_LOOK).tolist()
            found = self._checks.find(guid for place in places if (guid := passed[place].guid) not in bodies)
            bodies |= found
            words_of |= {guid: _words(check.values["body"]) for guid, check in found.items()}
            for guid in (passed[place].guid for place in places):
                if guid not in bodies:
                    continue
                likeness = similarity(words, words_of[guid])
                if likeness >= NEAR and likeness > best.get(guid, (0.0, ""))[0]:
                    best[guid] = (likeness, spam.site)
        copies = [NearCopy(bodies[guid], *told) for guid, told in best.items() if sees(bodies[guid])]
        return sorted(copies, key=lambda copy: (-copy.likeness, copy.check.guid))

    def correct(
        self, guids: Iterable[str], *, sees: Sees = _everything
    ) -> list[tuple[str, StoredCheck | None, bool]]:
        """Call comments spam, as their site's moderator would.

        Returns
        -------
        list of (str, StoredCheck or None, bool)
            For each name: the check, None if it is not there or not to be seen, and whether that said anything new.
        """
        wanted = list(dict.fromkeys(guids))
        found = {guid: check for guid, check in self._checks.find(wanted).items() if sees(check)}
        corrected: list[tuple[str, StoredCheck | None, bool]] = []
        for guid in wanted:
            check = found.get(guid)
            is_new = check is not None and self._feedback.record_of(
                check, Label.SPAM, reporter="", key_id=check.key_id
            )
            corrected.append((guid, check, is_new))
        return corrected


def _words(body: str) -> NDArray[np.uint64]:
    return word_set(wording(prepare(Comment(body=body))))
