"""Use case: see to it that no version of the model remembers labels that were erased or restricted."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from model.registry import Registry


class ForgettingLog(Protocol):
    """Where erasures and retrainings are kept."""

    def asked_at(self) -> dt.datetime | None: ...

    def made_at(self) -> dict[str, dt.datetime]: ...


class RunningLog(Protocol):
    """Where it stands whether a retraining is under way."""

    def active(self) -> object | None: ...


def may_remember(registry: Registry, runs: RunningLog) -> bool:
    """Tell whether any version was or is being made of what moderators said."""
    shipped = registry.shipped()
    return any(version != shipped for version in registry.versions()) or runs.active() is not None


class Forgetting:
    """Compares when versions were made with when labels went.

    Parameters
    ----------
    log : ForgettingLog
    registry : Registry
    """

    def __init__(self, log: ForgettingLog, registry: Registry) -> None:
        self._log = log
        self._registry = registry

    def remembering(self) -> frozenset[str]:
        """Return the versions here that may have been made with labels that are erased or restricted by now.

        The shipped version never is among them, nor is one that no retraining of this installation made.
        """
        asked = self._log.asked_at()
        if asked is None:
            return frozenset()
        made, shipped = self._log.made_at(), self._registry.shipped()
        return frozenset(
            version
            for version in self._registry.versions()
            if version != shipped and version in made and made[version] <= asked
        )

    def is_owed(self) -> bool:
        """Tell whether the champion remembers."""
        return self._registry.champion() in self.remembering()

    def is_later_than(self, moment: dt.datetime | None) -> bool:
        """Tell whether labels went after a moment; None is before all."""
        asked = self._log.asked_at()
        return asked is not None and (moment is None or moment <= asked)

    def forget_versions(self, keep: int) -> list[str]:
        """Remove the versions that remember, so that no rollback brings them back, and return their names.

        While the champion itself is one of them, none goes: which version is to answer is for a person to say.

        Parameters
        ----------
        keep : int
            How many of the others stay, as ``Registry.prune`` takes it.
        """
        stale = self.remembering()
        if not stale or self._registry.champion() in stale:
            return []
        return self._registry.prune(keep, also=stale)
