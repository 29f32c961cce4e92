"""Use case: make a better model of what moderators said, one retraining at a time on all machines.

The one module of the service that knows ``training``; it imports it only where a retraining is done, so that
the processes that answer comments do not carry it.
"""

from __future__ import annotations

import datetime as dt
import os
import secrets
import socket
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError

from model.comment import Label, LabeledComment
from model.errors import ModelError
from model.precision import Precision
from model.registry import Registry
from service.clock import Clock
from service.forgetting import Forgetting
from service.lease import GiveUpError, Lease, LeaseLog, StoppingError
from service.outages import outage_of
from service.promotion import Promotion
from service.stores.material import StoredCheck, StoredLabel
from service.stores.runs import Run

if TYPE_CHECKING:
    from training.gate import Flip, Judgement
    from training.retrain import Material, RetrainParams

_log = structlog.get_logger(__name__)

#: Seconds of silence after which another process may begin a retraining again.
LEASE_S = 20.0
#: A label's voice is halved in so many days, down to a quarter: what spam is changes, what a site is does not.
HALF_LIFE_DAYS = 365.0
LEAST_VOICE = 0.25
#: Days for which a published comment must have stood before it is taken for let stand.
STANDING_DAYS = 7
_MAX_LABELS = 100_000
_MAX_STANDING = 5_000
_MAX_COMPARED = 5_000
#: Comments named in a report; their number is always given.
_MAX_FLIPS = 500
#: A retraining whose process has died so often is given up.
_MAX_ATTEMPTS = 5


class RunLog(LeaseLog, Protocol):
    """Where retrainings are kept."""

    def request(self, *, by: str, origin: str) -> tuple[Run, bool]: ...
    def active(self) -> Run | None: ...
    def latest(self, n: int) -> list[Run]: ...
    def find(self, guid: str) -> Run | None: ...
    def stages(self, run_id: int) -> list[tuple[dt.datetime, str]]: ...
    def claim(self, holder: str, *, lease_s: float) -> Run | None: ...
    def release(self, run: Run, holder: str) -> None: ...
    def cancel(self, *, by: str) -> Run | None: ...


class MaterialLog(Protocol):
    """Where comments and labels are kept."""

    def labels(self, *, at_most: int) -> list[StoredLabel]: ...
    def standing(self, *, before: dt.datetime, at_most: int) -> list[StoredCheck]: ...
    def stored(self, *, at_most: int) -> list[StoredCheck]: ...
    def first_label_at(self) -> dt.datetime | None: ...


class Retraining:
    """Asks for retrainings; what does them is a ``Trainer`` in another process.

    Parameters
    ----------
    runs : RunLog
    wake : callable
        Tells a worker that there is something to do. Nothing depends on it but how soon it is done.
    """

    def __init__(self, runs: RunLog, wake: Callable[[], None]) -> None:
        self._runs = runs
        self._wake = wake

    def request(self, *, by: str, origin: str) -> tuple[Run, bool]:
        """Ask for a retraining.

        Parameters
        ----------
        by : str
            Who asks.
        origin : str
            command, schedule or api.

        Returns
        -------
        run : Run
        is_new : bool
            False if one was requested or running already; then it is that one.
        """
        run, is_new = self._runs.request(by=by, origin=origin)
        self._wake()
        return run, is_new

    def cancel(self, *, by: str) -> Run | None:
        """Stop the retraining that is requested or running; None if there is none."""
        return self._runs.cancel(by=by)

    def latest(self, n: int) -> list[Run]:
        """Return the latest retrainings, newest first."""
        return self._runs.latest(n)

    def find(self, guid: str) -> tuple[Run, list[tuple[dt.datetime, str]]] | None:
        """Return a retraining by its name, and when each of its stages began; None if there is none."""
        run = self._runs.find(guid)
        return None if run is None else (run, self._runs.stages(run.id))


def next_due(last: dt.datetime, *, every_days: int, at: dt.time) -> dt.datetime:
    """Return when the schedule wants the next retraining: at that time of day, so many days after the last.

    Half a day of grace, so that one that was asked for by hand in the morning does not cost a night.
    """
    earliest = last + dt.timedelta(days=every_days, hours=-12)
    due = dt.datetime.combine(earliest.date(), at, tzinfo=dt.UTC)
    return due if due >= earliest else due + dt.timedelta(days=1)


class Trainer:
    """Does the retrainings that were asked for.

    Parameters
    ----------
    runs, material : RunLog, MaterialLog
    registry : Registry
    promotion : Promotion
    clock : callable
    corpora : Path, optional
        Public labelled comments, for a full fit.
    keep : int
        Versions kept beside the champion and the shipped one.
    lease_s : float
    stopping : callable
        True as soon as this process is to end.
    params : RetrainParams, optional
    forgetting : Forgetting, optional
        Knows what was erased or restricted since a version was made.
    """

    def __init__(
        self,
        runs: RunLog,
        material: MaterialLog,
        registry: Registry,
        promotion: Promotion,
        clock: Clock,
        *,
        corpora: Path | None = None,
        keep: int = 10,
        lease_s: float = LEASE_S,
        stopping: Callable[[], bool] = lambda: False,
        params: RetrainParams | None = None,
        forgetting: Forgetting | None = None,
    ) -> None:
        self._runs = runs
        self._forgetting = forgetting
        self._material = material
        self._registry = registry
        self._promotion = promotion
        self._clock = clock
        self._corpora = corpora
        self._keep = keep
        self._lease_s = lease_s
        self._stopping = stopping
        self._params = params
        self.holder = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"

    def request_if_due(self, *, every_days: int, at: dt.time) -> bool:
        """Ask for a retraining if the schedule wants one; every_days 0 never does."""
        if every_days == 0 or self._runs.active() is not None:
            return False
        last = self._runs.latest(1)
        since = last[0].requested_at if last else self._material.first_label_at()
        if since is None or self._clock() < next_due(since, every_days=every_days, at=at):
            return False
        return self._runs.request(by="schedule", origin="schedule")[1]

    def work_off(self) -> bool:
        """Do what waits or was abandoned; tell whether there was anything."""
        run = self._runs.claim(self.holder, lease_s=self._lease_s)
        if run is None:
            return False
        if run.attempts > _MAX_ATTEMPTS:
            error = f"its process died {_MAX_ATTEMPTS} times; see the log, and the machine's memory"
            self._runs.finish(run, self.holder, "failed", {"error": error})
            return True
        log = _log.bind(run=run.guid)
        log.info("retraining begun", attempt=run.attempts)
        with Lease(self._runs, run, self.holder, self._lease_s, self._stopping) as lease:
            try:
                state, values = self._train(run, lease.report)
                lease.report("finish", 1.0)
            except StoppingError:
                self._runs.release(run, self.holder)
                log.info("retraining handed back, since this process ends")
                return True
            except GiveUpError as error:
                log.info("retraining given up", cause=type(error).__name__)
                return True
            # Whatever goes wrong ends this run and not the worker.
            except Exception as error:
                state, values = "failed", {"error": _told(error)}
                log.error("retraining failed", cause=_told(error), kind=type(error).__name__)
        if self._runs.finish(run, self.holder, state, values):
            log.info("retraining ended", state=state, reason=values.get("reason"))
            self._forget(run)
        return True

    def _forget(self, run: Run) -> None:
        """Let go of versions that remember what was erased; do it again if more was, while this run lasted."""
        if self._forgetting is None:
            return
        try:
            self._forgetting.forget_versions(self._keep)
            if self._forgetting.is_owed() and self._forgetting.is_later_than(run.started_at):
                self._runs.request(by="what was erased meanwhile", origin="api")
        except (ModelError, OSError) as error:
            _log.warning(
                "versions that remember what was erased are still there",
                cause=type(error).__name__,
                remedy="run `replyguard doctor`",
            )

    def _train(self, run: Run, report: Callable[[str, float], None]) -> tuple[str, dict[str, Any]]:
        """Return the state that the run ends in, and what is to be kept of it."""
        by = f"retraining {run.guid[:8]}"
        for move in self._registry.moves():
            if move.by == by:  # its process died after the promotion, before the record
                self._promotion.record()
                return "promoted", {"challenger": move.version, "champion": move.replaced, "reason": move.why}
        report("read", 0.0)
        material = self._gather()
        from training.retrain import RetrainParams, fingerprint, retrain

        found = fingerprint(material)
        values: dict[str, Any] = {"champion": material.champion.version, "fingerprint": found}
        owed = self._forgetting is not None and self._forgetting.is_owed()
        if not material.labels:
            if owed and material.base.version != material.champion.version:
                # Nothing is left to make a challenger of, and what was erased must not answer for ever.
                why = "no label is left: back to the version that came with the release, which knew none"
                report("promote", 0.0)
                self._promotion.promote(material.base.version, by=by, why=why)
                return "promoted", {**values, "challenger": material.base.version, "reason": why}
            return "refused", {**values, "reason": "no moderator has said anything yet"}
        if not material.precision.per_token.any() and self._corpora is None:
            reason = (
                f"{material.base.version} came without its training summary, so nothing would hold it to what it"
                " knows; set REPLYGUARD_CORPORA, or install a release whose model has one"
            )
            return "refused", {**values, "reason": _with_debt(reason, owed, material.base.version)}
        if run.origin == "schedule" and self._is_known(found):
            reason = "nothing new was said since the last retraining"
            return "refused", {**values, "reason": _with_debt(reason, owed, material.base.version)}
        outcome = retrain(material, self._params or RetrainParams(), report)
        challenger, judgement = outcome.challenger, outcome.judgement
        admits, reason = judgement.admits, judgement.reason
        if challenger.version == material.champion.version:
            # Then what was erased had no part in the champion.
            admits, owed, reason = False, False, "it is the champion: the labels and the base are the same"
        elif admits and self._registry.was_rolled_back(challenger.version):
            admits, reason = (
                False,
                "a person rolled this very version back; promote it by name to return to it",
            )
        if not admits:
            reason = _with_debt(reason, owed, f"{challenger.version}, or {material.base.version}")
        values |= {
            "challenger": challenger.version,
            "counts": outcome.counts,
            "reason": reason,
            "report": as_report(judgement, outcome.flips),
        }
        report("store", 0.0)
        if challenger.version not in self._registry.versions():
            self._registry.add(challenger)
        # The last look at the lease before the one step that others see.
        report("promote", 0.0)
        if admits:
            self._promotion.promote(challenger.version, by=by, why=reason)
        self._registry.prune(self._keep)
        return ("promoted" if admits else "refused"), values

    def _is_known(self, found: str) -> bool:
        ended = [run for run in self._runs.latest(10) if run.state in ("promoted", "refused")]
        return bool(ended) and ended[0].fingerprint == found

    def _gather(self) -> Material:
        champion = self._registry.load(self._registry.champion())
        return gather(self._registry, self._material, self._clock(), champion=champion, corpora=self._corpora)


def gather(
    registry: Registry, material: MaterialLog, now: dt.datetime, *, champion: Any, corpora: Path | None
) -> Material:
    """Read what a challenger is made of and judged on."""
    from training.retrain import Label as FitLabel
    from training.retrain import Material
    from training.warm import recency

    base_version = registry.shipped() or champion.version
    base = registry.load(base_version)
    stored = material.labels(at_most=_MAX_LABELS)
    ages = [(now - label.created_at).total_seconds() / 86_400 for label in stored]
    voices = recency(ages, half_life_days=HALF_LIFE_DAYS, least=LEAST_VOICE)
    standing = material.standing(before=now - dt.timedelta(days=STANDING_DAYS), at_most=_MAX_STANDING)
    return Material(
        base=base,
        precision=registry.precision(base_version) or Precision.nothing(base.weights.size),
        champion=champion,
        labels=[
            FitLabel(
                label.number,
                LabeledComment(label.comment, label.label, source=label.site, weight=voice, id=label.guid),
            )
            for label, voice in zip(stored, voices.tolist(), strict=True)
        ],
        standing=[
            LabeledComment(check.comment, Label.HAM, source=check.site, id=check.guid) for check in standing
        ],
        stored=[(check.guid, check.site, check.comment) for check in material.stored(at_most=_MAX_COMPARED)],
        corpora=corpora,
    )


def compare_versions(
    registry: Registry, material: MaterialLog, now: dt.datetime, champion: str, challenger: str
) -> dict[str, Any]:
    """Judge one version against another on the labels that neither was fitted on; see ``as_report``.

    Raises
    ------
    model.errors.ModelError
        If one of them is not there or cannot be read.
    """
    from training.gate import GateParams, flips, judge
    from training.retrain import unseen

    old, new = registry.load(champion), registry.load(challenger)
    gathered = gather(registry, material, now, champion=old, corpora=None)
    judgement = judge(old, new, unseen(gathered.labels, (old, new)), gathered.standing, GateParams())
    return as_report(judgement, flips(old, new, gathered.stored))


def as_report(judgement: Judgement, flipped: Sequence[Flip]) -> dict[str, Any]:
    """Return the gate's figures, and the comments whose decision would change by their GUIDs, as plain data."""
    return {
        **judgement.as_dict(),
        "n_flips": len(flipped),
        "flips": [
            {
                "guid": flip.id,
                "site": flip.source,
                "was": flip.was,
                "becomes": flip.becomes,
                "score_was": round(flip.score_was, 6),
                "score_becomes": round(flip.score_becomes, 6),
            }
            for flip in flipped[:_MAX_FLIPS]
        ],
    }


def _with_debt(reason: str, owed: bool, versions: str) -> str:
    """Add to why nothing was promoted that the champion remembers what was erased, and what to do."""
    if not owed:
        return reason
    return (
        f"{reason}. The model in use was made with labels that are erased or restricted by now: to have it forget,"
        f" promote {versions} (replyguard models promote VERSION)"
    )


def _told(error: Exception) -> str:
    """Say what went wrong; of errors that we do not know only the kind, since they might quote a comment."""
    if isinstance(error, SQLAlchemyError):
        outage = outage_of(error)
        return f"{outage.cause}; {outage.remedy}"
    if isinstance(error, ModelError | OSError) or type(error).__name__ == "CorpusError":
        return f"{type(error).__name__}: {error}"
    return type(error).__name__
