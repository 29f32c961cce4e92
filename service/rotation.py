"""Use case: put a new secret on top of the present one, without losing a key, a label or a comment."""

from __future__ import annotations

import time
from collections.abc import Callable

from service.keys import CACHE_S
from service.pseudonyms import Pseudonyms
from service.stores.secrets import SecretStore
from service.webhooks import KeyVault, NotTold

#: Until every worker has noticed that a rotation runs, and has done what it had begun before, in seconds.
SETTLE_S = CACHE_S + 4.0


def rotate(
    store: SecretStore,
    old: Pseudonyms,
    new: Pseudonyms,
    *,
    drop_hashes: bool,
    settle: Callable[[], object] = lambda: time.sleep(SETTLE_S),
) -> int:
    """Re-key the database; on return it is under the new secret, whatever fails before then under the old one.

    While it lasts, running services answer that they are unavailable, so clients hold what comes in.

    Parameters
    ----------
    store : SecretStore
    old, new : Pseudonyms
        The new one has the old one's secrets and one more.
    drop_hashes : bool
        See ``SecretStore.rekey``.
    settle : callable
        Waits until no worker writes under the old secret any more.

    Returns
    -------
    int
        Rows that were changed.

    Raises
    ------
    RotationBroken
        If the database is not under the old secret, or somebody came in between.
    """
    before, after = KeyVault(old), KeyVault(new)

    def reseal(sealed: str) -> str:
        try:
            return after.seal(before.open(sealed))
        except NotTold:
            # Unreadable before, and no more so afterwards.
            return sealed

    store.mark(old.check)
    try:
        settle()
        return store.rekey(old.check, new.check, new.wrap, reseal, drop_hashes=drop_hashes)
    except BaseException:
        store.unmark(old.check)
        raise
