"""Use case: what a site's moderators have taught, as it stands at this moment, on every worker alike.

The truth is the feedback; weights are worked out from it, and kept so that not every worker has to. A version
number that rises with every correction tells at each check whether what a worker remembers still holds.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
import structlog
from sqlalchemy.exc import SQLAlchemyError

from model.comment import Comment
from model.features import Rows
from model.site_weights import Examples, SiteWeights, learn
from service.champion import Scorer
from service.sites import SiteAddress
from service.stores.site_weights import Lesson, Lessons, SiteWeightsStore

_log = structlog.get_logger(__name__)

#: Sites that a worker remembers; a vector takes half a megabyte at most.
_MAX_SITES = 128
#: Comments whose tokens a worker remembers, some ten kilobytes each.
_MAX_EXAMPLES = 3_000
_N_LOCKS = 16


@runtime_checkable
class Teachable(Protocol):
    """A model on top of which a site can have weights of its own."""

    @property
    def version(self) -> str: ...

    def examples(self, comments: Sequence[Comment]) -> Examples: ...


@dataclass(frozen=True, slots=True)
class Taught:
    """What a site's verdicts rest on beside the model.

    Attributes
    ----------
    weights : SiteWeights or None
        For one model version only; None if there is nothing to add.
    version : int
        State of the site's learning; 0 if it was never taught.
    """

    weights: SiteWeights | None = None
    version: int = 0


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What working out a site's weights anew has given.

    Attributes
    ----------
    version : int
    n_labels, n_tokens : int
    was_kept, is_same : bool
        Whether weights of this version were kept, and whether they are the same to the last bit.
    """

    version: int
    n_labels: int
    n_tokens: int
    was_kept: bool
    is_same: bool


NOTHING = Taught()


@dataclass(frozen=True, slots=True)
class _Remembered:
    model_version: str
    site_id: int
    taught: Taught


class SiteLearning:
    """Gives each check the weights that its site's feedback stands for now."""

    def __init__(self, store: SiteWeightsStore) -> None:
        self._store = store
        self._sites: OrderedDict[str, _Remembered] = OrderedDict()
        self._examples: OrderedDict[tuple[str, str], Examples] = OrderedDict()
        self._mutex = threading.Lock()
        self._locks = tuple(threading.Lock() for _ in range(_N_LOCKS))

    def current(self, site: SiteAddress, scorer: Scorer) -> Taught:
        """Return what the site has been taught, every acknowledged correction included.

        Parameters
        ----------
        site : SiteAddress
        scorer : Scorer
            The model that will judge; weights for another version are never returned.

        Raises
        ------
        sqlalchemy.exc.SQLAlchemyError
            If the database cannot be asked.
        """
        if not isinstance(scorer, Teachable):
            return NOTHING
        found = self._store.version(site)
        if found is None:
            return NOTHING
        known = self._remembered(site, scorer, found.site_id, found.version)
        if known is not None:
            return known
        # One thread works it out, those that come meanwhile find it remembered.
        with self._locks[found.site_id % _N_LOCKS]:
            known = self._remembered(site, scorer, found.site_id, found.version)
            if known is not None:
                return known
            taught = self._kept(found.site_id, found.version, scorer)
            if taught is None:
                taught = self._learn_anew(found.site_id, scorer)
            self._remember(site, _Remembered(scorer.version, found.site_id, taught))
            return taught

    def rebuild(self, site: SiteAddress, scorer: Scorer) -> Rebuilt | None:
        """Work out a site's weights from its feedback, whatever is kept, and keep the outcome.

        Returns
        -------
        Rebuilt or None
            None if the site was never taught, or the model cannot be taught.
        """
        found = self._store.version(site)
        if found is None or not isinstance(scorer, Teachable):
            return None
        lessons = self._store.lessons(found.site_id)
        weights = self._learn(lessons, scorer)
        data = _to_bytes(weights)
        kept = self._store.kept(found.site_id, scorer.version)
        was_kept = kept is not None and kept[0] == lessons.version
        self._store.keep(found.site_id, scorer.version, lessons.version, data)
        return Rebuilt(
            version=lessons.version,
            n_labels=len(lessons.labels),
            n_tokens=0 if weights is None else weights.indices.size,
            was_kept=was_kept,
            is_same=was_kept and kept is not None and kept[1] == data,
        )

    def _remembered(self, site: SiteAddress, scorer: Teachable, site_id: int, version: int) -> Taught | None:
        with self._mutex:
            known = self._sites.get(site.address)
            if known is None or (known.model_version, known.site_id) != (scorer.version, site_id):
                return None
            if known.taught.version != version:
                return None
            self._sites.move_to_end(site.address)
            return known.taught

    def _remember(self, site: SiteAddress, remembered: _Remembered) -> None:
        with self._mutex:
            self._sites[site.address] = remembered
            self._sites.move_to_end(site.address)
            while len(self._sites) > _MAX_SITES:
                self._sites.popitem(last=False)

    def _kept(self, site_id: int, version: int, scorer: Teachable) -> Taught | None:
        """Return the weights that another worker worked out, if they are of this version or a later one."""
        kept = self._store.kept(site_id, scorer.version)
        if kept is None or kept[0] < version:
            return None
        try:
            return Taught(SiteWeights.from_bytes(kept[1]) if kept[1] else None, kept[0])
        except ValueError as error:
            _log.warning("site weights unreadable", site=site_id, cause=str(error), remedy="worked out anew")
            return None

    def _learn_anew(self, site_id: int, scorer: Teachable) -> Taught:
        lessons = self._store.lessons(site_id)
        weights = self._learn(lessons, scorer)
        # Without being kept they hold all the same: the next worker works them out itself.
        with contextlib.suppress(SQLAlchemyError):
            self._store.keep(site_id, scorer.version, lessons.version, _to_bytes(weights))
        return Taught(weights, lessons.version)

    def _learn(self, lessons: Lessons, scorer: Teachable) -> SiteWeights | None:
        found = self._examples_of((*lessons.labels, *lessons.anchors), scorer)
        labels = [lesson for lesson in lessons.labels if lesson in found]
        anchors = [lesson for lesson in lessons.anchors if lesson in found]
        return learn(
            _joined([found[lesson] for lesson in labels]),
            np.array([lesson.is_spam for lesson in labels], dtype=np.bool_),
            anchors=_joined([found[lesson] for lesson in anchors]),
        )

    def _examples_of(self, lessons: Sequence[Lesson], scorer: Teachable) -> dict[Lesson, Examples]:
        """Return each lesson's tokens, remembered or made; a comment's are the same alone and in any batch."""
        with self._mutex:
            found = {
                lesson: known
                for lesson in lessons
                if (known := self._examples.get((scorer.version, lesson.guid))) is not None
            }
        missing = self._store.comments([lesson for lesson in lessons if lesson not in found])
        for lesson, comment in missing.items():
            found[lesson] = scorer.examples([comment])
        with self._mutex:
            for lesson, examples in found.items():
                self._examples[scorer.version, lesson.guid] = examples
                self._examples.move_to_end((scorer.version, lesson.guid))
            while len(self._examples) > _MAX_EXAMPLES:
                self._examples.popitem(last=False)
        return found


def _joined(parts: Sequence[Examples]) -> Examples:
    """Put examples of single comments into one table."""
    lengths = [part.rows.indices.size for part in parts]
    return Examples(
        Rows(
            np.cumsum([0, *lengths], dtype=np.int64),
            np.concatenate([np.zeros(0, np.int32), *(part.rows.indices for part in parts)]),
            np.concatenate([np.zeros(0, np.float32), *(part.rows.values for part in parts)]),
        ),
        np.concatenate([np.zeros(0), *(part.log_odds for part in parts)]),
    )


def _to_bytes(weights: SiteWeights | None) -> bytes:
    return b"" if weights is None else weights.to_bytes()
