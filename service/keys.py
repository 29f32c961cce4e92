"""Use case: make, find and revoke API keys; who holds one may ask."""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from service.clock import Clock
from service.pseudonyms import Pseudonyms
from service.sites import SiteAddress
from service.stores.keys import Key, KeyStore, Scope

#: WordPress takes no other form: exactly 12 characters, digits and a to f.
KEY_PATTERN = re.compile(r"[0-9a-f]{12}")
#: A key for administration. No Akismet client could send it, and none may.
ADMIN_KEY_PATTERN = re.compile(r"rga_[0-9a-f]{40}")
#: Seconds for which a key that was found is believed without asking the database. A revoked key stops
#: working on every worker after this time.
CACHE_S = 1.0
_MAX_CACHED = 10_000


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made: the only moment at which its text is known.

    Attributes
    ----------
    text : str
        What a client sends; shown once, never stored.
    key : Key
    """

    text: str
    key: Key


class Keys:
    """API keys; stored as keyed hashes, looked up by hash, so timing tells nothing about them."""

    def __init__(
        self,
        store: KeyStore,
        pseudonyms: Pseudonyms,
        clock: Clock,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        renew: Callable[[], bool] = lambda: False,
    ) -> None:
        self._store = store
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._monotonic = monotonic
        # Whether the secret was another and is renewed now; raises where it cannot be.
        self._renew = renew
        self._cache: dict[str, tuple[float, Key]] = {}
        self._lock = threading.Lock()

    def find(self, text: str) -> Key | None:
        """Return the live key of a site that a client sent, whatever its case; None if unknown or revoked.

        Only keys that were found are remembered: a new one works at once.
        """
        text = text.strip().lower()
        return self._find(text) if KEY_PATTERN.fullmatch(text) else None

    def find_bearer(self, text: str) -> Key | None:
        """Return the live key, of a site or for administration, that a caller of our own API sent."""
        text = text.strip().lower()
        return self._find(text) if ADMIN_KEY_PATTERN.fullmatch(text) else self.find(text)

    def _find(self, text: str) -> Key | None:
        digest = self._digest(text)
        now = self._monotonic()
        cached = self._cache.get(digest)
        if cached is not None and now < cached[0]:
            return cached[1]
        key = self._store.find(digest)
        # Asked after the search, found or not: what was found under the right secret was really there or not.
        if self._renew():
            with self._lock:
                self._cache.clear()
            return self._find(text)
        with self._lock:
            if key is None or key.revoked_at is not None:
                self._cache.pop(digest, None)
                return None
            if len(self._cache) >= _MAX_CACHED:
                self._cache.clear()
            self._cache[digest] = (now + CACHE_S, key)
        return key

    def create(
        self, text: str | None = None, *, label: str = "", tied_to: Sequence[SiteAddress] = ()
    ) -> NewKey:
        """Make a key.

        Parameters
        ----------
        text : str, optional
            12 hex digits to use, for instance those that a client already has; random if not given.
        label : str
        tied_to : sequence of SiteAddress
            Sites it may be used for; any if empty.

        Raises
        ------
        ValueError
            If the text is not 12 hex digits.
        KeyExists
            If the same key was made before.
        """
        text = secrets.token_hex(6) if text is None else text.strip().lower()
        if not KEY_PATTERN.fullmatch(text):
            raise ValueError("a key has exactly 12 characters, digits and the letters a to f")
        key = self._store.add(
            digest=self._digest(text), hint=text[-4:], label=label, tied_to=tied_to, now=self._clock()
        )
        return NewKey(text, _kept(key))

    def create_admin(self, *, label: str = "") -> NewKey:
        """Make a random key for administration: valid on our own API for every site, nowhere else."""
        text = f"rga_{secrets.token_hex(20)}"
        key = self._store.add(
            digest=self._digest(text),
            hint=text[-4:],
            label=label,
            tied_to=(),
            now=self._clock(),
            scope=Scope.ADMIN,
        )
        return NewKey(text, _kept(key))

    def create_first(self, *, label: str) -> NewKey | None:
        """Make a random key unless there is one already, revoked or not; only one caller ever succeeds."""
        text = secrets.token_hex(6)
        key = self._store.add(
            digest=self._digest(text),
            hint=text[-4:],
            label=label,
            tied_to=(),
            now=self._clock(),
            only_if_none=True,
        )
        return None if key is None else NewKey(text, key)

    def revoke(self, key_id: int) -> bool:
        """Revoke a key; tell whether it was there and live."""
        return self._store.revoke(key_id, self._clock())

    def find_any(self, text: str) -> Key | None:
        """Return the key with this text, revoked or not, straight from the database."""
        return self._store.find(self._digest(text.strip().lower()))

    def all(self) -> list[Key]:
        """Return every key, oldest first."""
        return self._store.all()

    def token(self, key: Key) -> str:
        """Return an opaque text that stands for a key and does not betray it."""
        return self._pseudonyms.digest("token", str(key.id))[:32]

    def _digest(self, text: str) -> str:
        return self._pseudonyms.digest("api-key", text)


def _kept(key: Key | None) -> Key:
    if key is None:
        raise AssertionError("a key that need not be the first is always kept")
    return key
