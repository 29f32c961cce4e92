"""Holds the live model and swaps it between two requests when the registry moves its name."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol, runtime_checkable

import structlog

from model.budget import CutTable
from model.comment import Comment
from model.document import Document
from model.errors import ModelUnavailable
from model.site_weights import SiteWeights
from model.verdict import Policy, Verdict

_log = structlog.get_logger(__name__)

#: Seconds until a version that could not be loaded is tried again although its name did not move.
RETRY_S = 2.0


class Scorer(Protocol):
    """A model as the service uses it."""

    @property
    def version(self) -> str: ...

    @property
    def policy(self) -> Policy: ...

    @property
    def cut_table(self) -> CutTable | None: ...

    def judge(
        self,
        comment: Comment,
        policy: Policy | None = None,
        site: SiteWeights | None = None,
        document: Document | None = None,
    ) -> Verdict: ...


@runtime_checkable
class ScorerSource(Protocol):
    """Whoever has the model that answers now."""

    def current(self) -> Scorer:
        """Return it, or raise ModelUnavailable."""
        ...

    @property
    def trouble(self) -> str | None:
        """What keeps a newer model from answering; None if nothing does."""
        ...


class Versions(Protocol):
    """The part of a registry that the live model comes from."""

    @property
    def aliases_path(self) -> Path: ...

    def champion(self) -> str: ...

    def load(self, version: str) -> Scorer: ...


class FixedModel:
    """One model for as long as the process lives."""

    trouble: str | None = None

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer

    def current(self) -> Scorer:
        return self._scorer


class Champion:
    """The registry's champion, loaded once and replaced when its name moves.

    A champion that cannot be loaded does not replace one that answers: the old one goes on, and
    ``trouble`` says why. Without any, ``current`` raises; it recovers by itself when a model appears.

    Parameters
    ----------
    versions : Versions
        The registry.
    monotonic : callable
        Seconds that only rise, for the pause between two attempts.
    """

    def __init__(self, versions: Versions, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._versions = versions
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._scorer: Scorer | None = None
        self._seen: object = None
        self._retry_at = 0.0
        self._trouble: str | None = None

    @property
    def trouble(self) -> str | None:
        """Why the registry's champion does not answer although another version does; None if it does."""
        return self._trouble

    def current(self) -> Scorer:
        """Return the model that answers now.

        Raises
        ------
        ModelUnavailable
            If none could be loaded yet.
        """
        if self._is_stale(self._stamp()):
            self._reload()
        if self._scorer is None:
            raise ModelUnavailable(self._trouble or "no model is loaded")
        return self._scorer

    def _stamp(self) -> object:
        try:
            status = os.stat(self._versions.aliases_path)
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_ino, status.st_size)

    def _is_stale(self, stamp: object) -> bool:
        if self._scorer is not None and self._trouble is None:
            return stamp != self._seen
        return stamp != self._seen or self._monotonic() >= self._retry_at

    def _reload(self) -> None:
        # While one thread loads, the others go on with the version they have; without any they wait.
        if not self._lock.acquire(blocking=self._scorer is None):
            return
        try:
            stamp = self._stamp()
            if not self._is_stale(stamp):
                return
            try:
                version = self._versions.champion()
                if self._scorer is None or self._scorer.version != version:
                    self._scorer = self._versions.load(version)
                    _log.info("model loaded", version=version)
                self._trouble = None
            # Whatever a broken artifact raises, the version that works must go on answering.
            except Exception as error:
                self._trouble = f"{type(error).__name__}: {error}"
                _log.error(
                    "model not loaded",
                    cause=self._trouble,
                    answering=None if self._scorer is None else self._scorer.version,
                    remedy="run `replyguard doctor`; put the version back or choose another champion",
                )
            self._seen = stamp
            self._retry_at = self._monotonic() + RETRY_S
        finally:
            self._lock.release()
