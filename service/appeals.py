"""Use case: a commenter asks for a person to look at a decision, and an admin looks.

What comes is written down and nothing else: whether there is such a comment is looked up when the admin reads it,
so that neither the answer nor the time it takes can tell.
"""

from __future__ import annotations

import datetime as dt
import re
import secrets
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from model.comment import Label
from service.clock import Clock
from service.feedback import Feedback
from service.pseudonyms import Pseudonyms
from service.settings import Settings
from service.sites import InvalidSite, SiteAddress, parse_site
from service.stores.appeals import AppealRecord, Bounds, Outcome, StoredAppeal, Waiting
from service.stores.checks import StoredCheck
from service.webhooks import WebhookResult

_log = structlog.get_logger(__name__)

MAX_SITE_CHARS = 2_000
MAX_EMAIL_CHARS = 320
MAX_MESSAGE_CHARS = 2_000
MAX_NOTE_CHARS = 2_000
_MAX_LISTED = 200
_MAX_CHECKS = 50
_EMAIL = re.compile(r"[^\s@<>\"]+@[^\s@<>\"]+")
_REFERENCE = re.compile(r"[0-9a-f]{32}")
_GUID = re.compile(r"[0-9a-f]{12}")
#: Folders of an address that are tried as the site's own.
_MAX_STEPS = 20


class Fault(Exception):
    """A field of an appeal cannot be used.

    Parameters
    ----------
    faults : dict of str to str
        Field (``site``, ``email``, ``reference``, ``message``) and what is wrong: missing, invalid or long.
    """

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__(", ".join(f"{field}: {fault}" for field, fault in faults.items()))
        self.faults = faults


class AppealUnknown(Exception):
    """There is no appeal of this number."""


class AppealResolved(Exception):
    """Somebody has resolved the appeal before."""


class CheckUnclear(Exception):
    """What is to be released cannot be told; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class AppealRequest:
    """What a commenter typed, and from where.

    Attributes
    ----------
    site, email, reference, message : str
        As typed; "" where nothing was.
    language : str
        Of the form, two letters.
    ip : str
    """

    site: str
    email: str
    reference: str
    message: str
    language: str
    ip: str


@dataclass(frozen=True, slots=True)
class AppealView:
    """An appeal with what it may be about.

    Attributes
    ----------
    appeal : StoredAppeal
    checks : tuple of StoredCheck
        Latest first, 50 at most.
    labels : dict of str to Label
        What people say of them, by the names of the checks.
    others : tuple of StoredAppeal
        With the same e-mail address or reference, latest first.
    """

    appeal: StoredAppeal
    checks: tuple[StoredCheck, ...]
    labels: dict[str, Label]
    others: tuple[StoredAppeal, ...]


@dataclass(frozen=True, slots=True)
class Resolution:
    """What was done.

    Attributes
    ----------
    appeal : StoredAppeal
    released : tuple of StoredCheck
    n_new : int
        Of these, called ham now for the first time.
    told : tuple of WebhookResult
        What became of telling the site.
    """

    appeal: StoredAppeal
    released: tuple[StoredCheck, ...]
    n_new: int
    told: tuple[WebhookResult, ...]


class AppealLog(Protocol):
    """Where appeals are kept."""

    def add(self, record: AppealRecord, bounds: Bounds) -> int: ...

    def listed(self, *, open_only: bool, limit: int) -> Sequence[StoredAppeal]: ...

    def find(self, guid: str) -> StoredAppeal | None: ...

    def others_of(self, appeal: StoredAppeal, *, limit: int) -> Sequence[StoredAppeal]: ...

    def checks_of(self, appeal: StoredAppeal, *, limit: int) -> Sequence[StoredCheck]: ...

    def labels_of(self, found: Sequence[StoredCheck]) -> dict[str, Label]: ...

    def resolve(
        self, guid: str, outcome: Outcome, *, now: dt.datetime, who: str, note: str | None
    ) -> bool: ...

    def waiting(self) -> Waiting: ...


class Teller(Protocol):
    """Whoever tells sites of corrections."""

    def tell(self, corrected: Iterable[StoredCheck], label: Label) -> list[WebhookResult]: ...


def bounds_of(settings: Settings) -> Bounds:
    """Return how many appeals the settings let in."""
    return Bounds(
        per_address=settings.appeals_per_address_hour,
        per_person=settings.appeals_per_person_day,
        overall=settings.appeals_per_hour,
    )


def log_of(settings: Settings) -> Callable[..., None]:
    """Return what tells the operator of a new appeal."""
    tellers: dict[str, Callable[..., None]] = {"warning": _log.warning, "info": _log.info}
    return tellers.get(settings.appeals_log, lambda *_args, **_values: None)


class Appeals:
    """Takes appeals, shows them to an admin, and does what the admin decides.

    Parameters
    ----------
    log : AppealLog
    feedback : Feedback
    sites : Teller
    pseudonyms : Pseudonyms
    clock : Clock
    bounds : Bounds
    tell : callable
        Writes a line to the log.
    """

    def __init__(
        self,
        *,
        log: AppealLog,
        feedback: Feedback,
        sites: Teller,
        pseudonyms: Pseudonyms,
        clock: Clock,
        bounds: Bounds,
        tell: Callable[..., None] = lambda *_args, **_values: None,
    ) -> None:
        self._appeals = log
        self._feedback = feedback
        self._sites = sites
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._bounds = bounds
        self._tell = tell

    def take(self, request: AppealRequest) -> str:
        """Keep an appeal and return its number; on return it is on disk.

        Raises
        ------
        Fault
            If a field cannot be used.
        TooMany
            If as many have come as are taken.
        sqlalchemy.exc.SQLAlchemyError
            If it cannot be kept.
        """
        record = self._read(request)
        n_open = self._appeals.add(record, self._bounds)
        self._tell("a commenter asks for a person to look", open=n_open, remedy="replyguard appeals list")
        return record.guid

    def _read(self, request: AppealRequest) -> AppealRecord:
        faults: dict[str, str] = {}
        site, email = request.site.strip(), request.email.strip()
        reference = "".join(request.reference.split()).replace("-", "").lower()
        message = request.message.replace("\r\n", "\n").replace("\0", "\ufffd").strip()
        places: tuple[str, ...] = ()
        if site:
            try:
                places = _places(parse_site(site)) if len(site) <= MAX_SITE_CHARS else ()
            except InvalidSite:
                places = ()
            if not places:
                faults["site"] = "invalid"
        elif not reference:
            faults["site"] = "missing"
        if email:
            if len(email) > MAX_EMAIL_CHARS or not _EMAIL.fullmatch(email):
                faults["email"] = "invalid"
        elif not reference:
            faults["email"] = "missing"
        if reference and not _REFERENCE.fullmatch(reference):
            faults["reference"] = "invalid"
        if len(message) > MAX_MESSAGE_CHARS:
            faults["message"] = "long"
        if faults:
            raise Fault(faults)
        return AppealRecord(
            guid=secrets.token_hex(6),
            created_at=self._clock(),
            places=places,
            language=request.language,
            email_hash=self._pseudonyms.of_email(email),
            reference=reference or None,
            message=message,
            ip_hash=self._pseudonyms.of_network(request.ip),
        )

    def listed(self, *, open_only: bool = True) -> Sequence[StoredAppeal]:
        """Return the open appeals, those that wait longest first; else also the others, latest first; 200 at most."""
        return self._appeals.listed(open_only=open_only, limit=_MAX_LISTED)

    def waiting(self) -> Waiting:
        """Return how many appeals are open, and since when."""
        return self._appeals.waiting()

    def show(self, number: str) -> AppealView:
        """Return an appeal with the checks that it may be about.

        Raises
        ------
        AppealUnknown
        """
        guid = guid_of(number)
        appeal = self._appeals.find(guid) if _GUID.fullmatch(guid) else None
        if appeal is None:
            raise AppealUnknown(number)
        found = tuple(self._appeals.checks_of(appeal, limit=_MAX_CHECKS))
        return AppealView(
            appeal,
            found,
            self._appeals.labels_of(found),
            tuple(self._appeals.others_of(appeal, limit=_MAX_CHECKS)),
        )

    def resolve(
        self, number: str, outcome: Outcome, *, who: str, note: str = "", guids: Sequence[str] = ()
    ) -> Resolution:
        """Do what an admin decided, and close the appeal.

        A release calls the comment ham in the admin's name, so that its site learns it, and tells the site.

        Parameters
        ----------
        number : str
        outcome : Outcome
        who : str
            The admin.
        note : str
        guids : sequence of str
            Checks to release. May be empty where only one can be meant.

        Raises
        ------
        AppealUnknown, AppealResolved, CheckUnclear
            Nothing is changed then.
        sqlalchemy.exc.SQLAlchemyError
            If it cannot be written down; what was released stays released, and may be released again.
        """
        view = self.show(number)
        if view.appeal.outcome is not None:
            raise AppealResolved(number)
        chosen = _chosen(view, outcome, guids)
        # First what matters to the commenter: if the rest fails the appeal is still open.
        n_new = sum(
            self._feedback.record_of(check, Label.HAM, reporter="", key_id=check.key_id, is_admins=True)
            for check in chosen
        )
        kept = note.strip()[:MAX_NOTE_CHARS] or None
        if not self._appeals.resolve(view.appeal.guid, outcome, now=self._clock(), who=who, note=kept):
            raise AppealResolved(number)
        told = self._sites.tell(chosen, Label.HAM) if chosen else []
        closed = self._appeals.find(view.appeal.guid)
        return Resolution(closed or view.appeal, chosen, n_new, tuple(told))


def number_of(guid: str) -> str:
    """Return an appeal's number as people read it: ``3f0c-9a1b-77e2``."""
    return "-".join(guid[first : first + 4] for first in range(0, len(guid), 4))


def guid_of(number: str) -> str:
    """Return the name behind a number, however it is spelt."""
    return number.strip().lower().replace("-", "").replace(" ", "")


def _places(site: SiteAddress) -> tuple[str, ...]:
    """Return what a site's address may be, given that of one of its pages, longest first."""
    steps = site.address.split("/")[:_MAX_STEPS]
    return tuple("/".join(steps[:n]) for n in range(len(steps), 0, -1))


def _chosen(view: AppealView, outcome: Outcome, guids: Sequence[str]) -> tuple[StoredCheck, ...]:
    """Return the checks to release."""
    if outcome is not Outcome.RELEASED:
        if guids:
            raise CheckUnclear("checks are named only to release them; leave them out, or release")
        return ()
    by_guid = {check.guid: check for check in view.checks}
    if unknown := [guid for guid in guids if guid not in by_guid]:
        raise CheckUnclear(f"{unknown[0][:40]} is no check that this appeal may be about; show lists them")
    if guids:
        return tuple(by_guid[guid] for guid in dict.fromkeys(guids))
    if not view.checks:
        raise CheckUnclear("no check fits this appeal; resolve it as one without a record")
    # A comment that was let through, or that people already call ham, needs no release.
    held = {
        check.values["content_hash"]: check
        for check in reversed(view.checks)
        if view.labels.get(check.guid) is not Label.HAM
        and (check.values["answer"] != "false" or view.labels.get(check.guid) is Label.SPAM)
    }
    if len(held) != 1:
        which = "more than one check was held" if held else "no check was held"
        raise CheckUnclear(f"{which} that fits this appeal; name what to release, as show lists it")
    return tuple(held.values())
