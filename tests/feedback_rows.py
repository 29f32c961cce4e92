"""Made-up labels of made-up comments, put into a database as the wire would."""

from __future__ import annotations

import uuid

import numpy as np

from model.comment import Comment, Label
from service.clock import Clock
from service.db import Database
from service.feedback import Feedback, FeedbackRequest
from service.keys import Keys
from service.pseudonyms import Pseudonyms
from service.sites import parse_site
from service.stores.feedback import FeedbackStore
from service.stores.keys import Key, KeyStore
from service.stores.sites import SiteStore
from tests.builders import ALICE_SITE

_STEMS = (
    "apfel birke zeder delta glut fjord hain heide bucht steg kiosk lärche mango nylon olive perle quarz rabe "
    "zobel tulpe umbra veilchen weide xenon yucca zebra bernstein basilikum koralle dämmerung adler farn ingwer"
).split()
_WORDS = [
    stem + ending for stem in _STEMS for ending in ("", "n", "s", "chen", "lein", "baum", "haus", "weg")
]


def some_comments(n: int, label: Label, seed: int = 0) -> list[Comment]:
    """Return comments that tell spam from ham by two words and have nothing else in common."""
    chance = np.random.default_rng([seed, label is Label.SPAM])
    telling = "kredit schufafrei" if label is Label.SPAM else "danke geholfen"
    found = []
    for _ in range(n):
        words = chance.permutation(_WORDS)[:9].tolist()
        found.append(Comment(body=f"{' '.join(words[:4])} {telling} {' '.join(words[4:])}", author=words[0]))
    return found


class Moderator:
    """Somebody who labels comments on one site."""

    def __init__(
        self, database: Database, pseudonyms: Pseudonyms, clock: Clock, site: str = ALICE_SITE
    ) -> None:
        sites = SiteStore()
        self._feedback = Feedback(labels=FeedbackStore(database, sites), pseudonyms=pseudonyms, clock=clock)
        self.key: Key = Keys(KeyStore(database, sites), pseudonyms, clock).create(label=uuid.uuid4().hex).key
        self._site = parse_site(site)

    def say(self, label: Label, *comments: Comment, is_test: bool = False, reporter: str = "alice") -> None:
        for comment in comments:
            self._feedback.record(
                FeedbackRequest(label, comment, self._site, reporter=reporter, is_test=is_test), key=self.key
            )

    def moderate(self, n: int, seed: int = 0) -> None:
        """Label so many spam and as many ham, in turns."""
        pairs = zip(some_comments(n, Label.SPAM, seed), some_comments(n, Label.HAM, seed), strict=True)
        for spam, ham in pairs:
            self.say(Label.SPAM, spam)
            self.say(Label.HAM, ham)
