"""Use case: see the versions of the model that are here, and judge one against another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from model.card import ModelCard
from model.registry import Registry
from service.clock import Clock
from service.retraining import MaterialLog, compare_versions


class VersionUnknown(Exception):
    """There is no version of this name.

    Parameters
    ----------
    field : str
        Which of several names it was.
    """

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class VersionRow:
    """A version in the list.

    Attributes
    ----------
    version : str
    roles : tuple of str
        champion: it answers; shipped: it came with the release; former: a rollback brings it back.
    n_spam, n_ham : int
        Comments that it was fitted on.
    n_labels : int or None
        Labels of this installation among what it was fitted on; None if there were the corpora alone.
    """

    version: str
    roles: tuple[str, ...]
    n_spam: int
    n_ham: int
    n_labels: int | None


class Versions:
    """The versions of one installation."""

    def __init__(self, registry: Registry, material: MaterialLog, clock: Clock) -> None:
        self._registry = registry
        self._material = material
        self._clock = clock

    def rows(self) -> list[VersionRow]:
        """Return every version with its roles.

        Raises
        ------
        model.errors.ModelError
            If none answers, or one cannot be read.
        """
        former = self._registry.former()
        holders = {
            "champion": self._registry.champion(),
            "shipped": self._registry.shipped(),
            "former": former[-1] if former else None,
        }
        rows = []
        for version in self._registry.versions():
            card = self._registry.load(version).card
            labels = card.metrics.get("retraining", {}).get("n_labels")
            roles = tuple(role for role, holder in holders.items() if holder == version)
            rows.append(VersionRow(version, roles, card.n_spam, card.n_ham, labels))
        return rows

    def card(self, version: str) -> ModelCard:
        """Return a version's card.

        Raises
        ------
        VersionUnknown
        model.errors.ModelError
            If it cannot be read.
        """
        self.require(version=version)
        return self._registry.load(version).card

    def compare(self, champion: str, challenger: str) -> dict[str, Any]:
        """Judge one version against another on the labels that neither was fitted on; takes seconds.

        Raises
        ------
        VersionUnknown
        model.errors.ModelError
            If one cannot be read.
        """
        self.require(champion=champion, challenger=challenger)
        return compare_versions(self._registry, self._material, self._clock(), champion, challenger)

    def require(self, **names: str) -> None:
        """Raise ``VersionUnknown`` for the first name that no version has."""
        there = self._registry.versions()
        for field, version in names.items():
            if version not in there:
                raise VersionUnknown(field)
