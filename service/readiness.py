"""Use case: can this process answer comments now, and if not, why."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from model.errors import ModelUnavailable
from service.champion import ScorerSource
from service.db import Database
from service.migrating import current_revision, newest_revision
from service.outages import outage_of
from service.stores.health import probe_write

#: Below this the next checks may not find room; the disk is called full a little early.
MIN_FREE_BYTES = 16 * 1024 * 1024


@dataclass(slots=True)
class State:
    """Whether the service is ready.

    Attributes
    ----------
    reasons : list of str
        What keeps it from answering; empty if it is ready.
    warnings : list of str
        What should be looked at although it answers.
    model : str or None
        Version that answers.
    """

    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    model: str | None = None

    @property
    def ready(self) -> bool:
        return not self.reasons


class Readiness:
    """Looks at everything that a check needs."""

    def __init__(self, *, models: ScorerSource, database: Database, data_dir: Path) -> None:
        self._models = models
        self._database = database
        self._data_dir = data_dir

    def state(self) -> State:
        """Return what is ready and what is not; raises nothing."""
        state = State()
        self._look_at_model(state)
        self._look_at_database(state)
        self._look_at_disk(state)
        return state

    def _look_at_model(self, state: State) -> None:
        try:
            state.model = self._models.current().version
        except ModelUnavailable as error:
            state.reasons.append(f"model: {error}")
        else:
            if self._models.trouble is not None:
                state.warnings.append(
                    f"model: {state.model} answers, but the champion could not be loaded:"
                    f" {self._models.trouble}"
                )

    def _look_at_database(self, state: State) -> None:
        try:
            current, newest = current_revision(self._database), newest_revision()
            if current != newest:
                state.reasons.append(
                    f"database: its schema is {current or 'missing'}, this code wants {newest};"
                    " run `replyguard migrate`"
                )
                return
            probe_write(self._database)
        except SQLAlchemyError as error:
            outage = outage_of(error)
            state.reasons.append(f"database: {outage.cause}; {outage.remedy}")

    def _look_at_disk(self, state: State) -> None:
        try:
            free = shutil.disk_usage(self._data_dir).free
        except OSError as error:
            state.reasons.append(f"data folder: {error.strerror}; see that it exists and can be read")
            return
        if free < MIN_FREE_BYTES:
            state.reasons.append(f"disk: {free // 1024} KiB left beside the data folder; free disk space")
