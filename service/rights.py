"""Use case: give a person what is kept of them, erase it, or take it out of use."""

from __future__ import annotations

import datetime as dt
import ipaddress
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import structlog

from service.clock import Clock
from service.declaration.stored import STORED
from service.pseudonyms import Pseudonyms
from service.retraining import Retraining
from service.sites import SiteAddress
from service.stores.persons import Found, Person, Receipt, folded
from service.stores.rights import RightsStore

_log = structlog.get_logger(__name__)

_GUID = re.compile(r"[0-9a-f]{32}")
_MAX_RECEIPTS = 200


class NobodyNamed(Exception):
    """A request that says of nobody who is meant.

    Attributes
    ----------
    fields : tuple of str
        Those at fault.
    remedy : str
    """

    def __init__(self, fields: tuple[str, ...], remedy: str) -> None:
        super().__init__(f"{', '.join(fields)}: {remedy}")
        self.fields = fields
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Who:
    """Whom a request is about; a row is theirs if it carries any of what is given.

    Attributes
    ----------
    email, ip, author : str or None
        As the person gives them; only their hashes are compared, but of the name.
    guids : sequence of str
        Names of checks or corrections, 32 hex digits each.
    site : SiteAddress or None
        The only site that is looked at.
    key_id : int or None
        The only API key whose comments are looked at.
    """

    email: str | None = None
    ip: str | None = None
    author: str | None = None
    guids: Sequence[str] = ()
    site: SiteAddress | None = None
    key_id: int | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """All that is kept of a person.

    Attributes
    ----------
    at : datetime
    tables : dict of str to list of dict
        Rows by table; of what is kept as a keyed hash only whether there is one.
    receipt : str
        Name of the receipt.
    """

    at: dt.datetime
    tables: dict[str, list[dict[str, Any]]]
    receipt: str

    def as_dict(self) -> dict[str, Any]:
        """Return it as JSON-ready data, with what each column means."""
        return {
            "exported_at": self.at.isoformat(),
            "receipt": self.receipt,
            "tables": {
                name: {
                    "meaning": {
                        "site": "the site on which it was written",
                        **{
                            column: f"{item.words} ({item.form.label})"
                            for column, item in STORED[name].items()
                        },
                    },
                    "rows": rows,
                }
                for name, rows in self.tables.items()
                if rows
            },
        }


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a request.

    Attributes
    ----------
    receipt : Receipt
    is_scrubbed : bool
        False if what was deleted may still stand in SQLite's log of writes, until the next purge.
    """

    receipt: Receipt
    is_scrubbed: bool = True


class Rights:
    """Answers a person's requests.

    Parameters
    ----------
    store : RightsStore
    pseudonyms : Pseudonyms
    clock : Clock
    scrub : callable
        Has the database give up what it keeps of deleted rows in its files; tells whether it did.
    forget_flips : callable
        Takes checks that are gone out of the reports of retrainings.
    retraining : Retraining
        Is asked for a model without what was erased.
    may_remember : callable
        Whether any version of the model was or is being made of what moderators said.
    """

    def __init__(
        self,
        store: RightsStore,
        pseudonyms: Pseudonyms,
        clock: Clock,
        *,
        scrub: Callable[[], bool],
        forget_flips: Callable[[], object],
        retraining: Retraining,
        may_remember: Callable[[], bool],
    ) -> None:
        self._store = store
        self._pseudonyms = pseudonyms
        self._clock = clock
        self._scrub = scrub
        self._forget_flips = forget_flips
        self._retraining = retraining
        self._may_remember = may_remember

    def find(self, who: Who) -> Found:
        """Return what is kept of a person, by table.

        Raises
        ------
        NobodyNamed
            If nothing is given to know them by, or a GUID is none.
        """
        return self._store.find(self._person(who))

    def export(self, found: Found, *, by: str) -> Export:
        """Return all that some rows hold, and write a receipt."""
        tables = self._store.rows(found)
        receipt = replace(self._receipt("export", by), counts=found.counts)
        self._store.add_receipt(receipt)
        self._told(receipt)
        return Export(receipt.at, tables, receipt.guid)

    def erase(self, found: Found, *, by: str, lists: bool = False) -> Done:
        """Delete rows with all that was made of them, and have the model forget.

        Parameters
        ----------
        found : Found
        by : str
            Who does it.
        lists : bool
            Whether entries of a site's lists go too; they may be what keeps a spammer out.

        Returns
        -------
        Done
            Its receipt tells what was really deleted, and the retraining that was asked for, if any.
        """
        receipt = self._store.erase(found, self._receipt("erase", by), lists=lists)
        is_scrubbed = True
        if receipt.counts:
            self._forget_flips()
            is_scrubbed = self._scrub()
            if not is_scrubbed:
                _log.warning("the log of writes could not be emptied", remedy="run `replyguard purge`")
        return Done(self._forgotten(receipt), is_scrubbed)

    def restrict(self, found: Found, *, by: str, restricted: bool = True) -> Done:
        """Take comments and corrections out of use, or lift that; they stay where they are.

        What is restricted is not learnt from, not compared with, and no other comment's company; what is said of it
        later neither. The model in use forgets at its next retraining, which is asked for. Lifting does not bring
        back the numbers that copies are known by.
        """
        receipt = self._receipt("restrict" if restricted else "lift", by)
        receipt = self._store.restrict(found, receipt, restricted=restricted)
        return Done(self._forgotten(receipt) if restricted else self._told(receipt))

    def receipts(self) -> list[Receipt]:
        """Return the latest receipts, latest first."""
        return self._store.receipts(at_most=_MAX_RECEIPTS)

    def _person(self, who: Who) -> Person:
        guids = tuple(guid.strip().lower() for guid in who.guids)
        for guid in guids:
            if not _GUID.fullmatch(guid):
                raise NobodyNamed(("guids",), "give the 32 hex digits that an answer to a check carries")
        email, ip, author = who.email or "", who.ip or "", folded(who.author or "")
        person = Person(
            email_hash=self._pseudonyms.of_email(email),
            ip_hash=self._pseudonyms.of_ip(ip),
            network_hash=self._pseudonyms.of_network(ip),
            ips=_spellings(ip),
            author=author or None,
            guids=guids,
            site=who.site,
            key_id=who.key_id,
        )
        if not (person.email_hash or person.ip_hash or author or guids):
            raise NobodyNamed(
                ("email", "ip", "author", "guids"),
                "give at least one of them, so that it is clear who is meant",
            )
        return person

    def _receipt(self, what: str, by: str) -> Receipt:
        return Receipt(secrets.token_hex(16), self._clock(), what, by)

    def _forgotten(self, receipt: Receipt) -> Receipt:
        """Ask for a retraining if a version of the model may have been made of the labels that went.

        One that runs already may have read them; what it makes is known by the receipt and made again
        (``service.forgetting``).
        """
        if receipt.counts.get("feedback") and self._may_remember():
            run = self._retraining.request(by=f"{receipt.who}, to forget", origin="api")[0].guid
            self._store.set_run(receipt.guid, run)
            receipt = replace(receipt, run=run)
        return self._told(receipt)

    @staticmethod
    def _told(receipt: Receipt) -> Receipt:
        _log.info("request of a person done", what=receipt.what, receipt=receipt.guid, **receipt.counts)
        return receipt


def _spellings(ip: str) -> tuple[str, ...]:
    """Return an address as lists may spell it."""
    try:
        address = ipaddress.ip_address(ip.strip())
    except ValueError:
        return (ip.strip(),) if ip.strip() else ()
    return (address.compressed, f"{address.compressed}/{address.max_prefixlen}")
