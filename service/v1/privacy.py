"""A person's rights in our own API: what is kept of them, given out, erased or taken out of use.

A key for administration reaches every site; a site's key what came with that key.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from pydantic import Field

from service.components import components
from service.rights import NobodyNamed, Who
from service.stores.keys import Key, Scope
from service.stores.persons import Found, Receipt
from service.v1.operations import operation
from service.v1.problems import Problem
from service.v1.schemas import Model
from service.v1.sites import address_of

_MAX_GUIDS = 500


class PersonIn(Model):
    """Whom a request is about; what carries any of these is theirs."""

    email: str | None = Field(
        default=None, max_length=1_000, description="E-mail address, whatever its case."
    )
    ip: str | None = Field(default=None, max_length=100, description="IP address.")
    author: str | None = Field(
        default=None,
        max_length=1_000,
        description="Author's name, whatever its case and blanks. Others may have the same one: look first.",
    )
    guids: list[str] = Field(
        default_factory=list, max_length=_MAX_GUIDS, description="Names of verdicts or corrections."
    )
    site: str | None = Field(default=None, max_length=2_000, description="The only site to look at.")


class EraseIn(PersonIn):
    """Whose data is erased."""

    lists: bool = Field(
        default=False,
        description="Also entries of sites' lists with this e-mail or IP address; they may keep a spammer out.",
    )


class RestrictIn(PersonIn):
    """Whose data is taken out of use."""

    restricted: bool = Field(default=True, description="false takes it back into use.")


class ExportOut(Model):
    """All that is kept of a person."""

    exported_at: dt.datetime
    receipt: str
    tables: dict[str, Any] = Field(
        description="By table: meaning, what each column holds; rows. Of keyed hashes only whether there is one."
    )


class ReceiptOut(Model):
    """What was done; names nobody."""

    receipt: str
    at: dt.datetime
    what: str = Field(description="export, erase, restrict or lift.")
    who: str
    counts: dict[str, int] = Field(description="Rows concerned, by table.")
    retraining: str | None = Field(
        description="The retraining asked for so that the model forgets; null if it has nothing to forget."
    )


class ErasedOut(ReceiptOut):
    """What was erased."""

    scrubbed: bool = Field(
        description="false if it may still stand in SQLite's log of writes, until the next purge empties that."
    )


class ReceiptsOut(Model):
    """The latest receipts."""

    receipts: list[ReceiptOut]


@operation(
    "POST", "/privacy/export", "Give out all that is kept of a person", body=PersonIn, answer=ExportOut
)
def export_person(key: Key, body: PersonIn) -> ExportOut:
    found = _found(key, body)
    export = components().rights.export(found, by=key.name)
    return ExportOut.model_validate(export.as_dict())


@operation(
    "POST",
    "/privacy/erase",
    "Erase all that is kept of a person, and have the model forget it",
    body=EraseIn,
    answer=ErasedOut,
)
def erase_person(key: Key, body: EraseIn) -> ErasedOut:
    done = components().rights.erase(_found(key, body), by=key.name, lists=body.lists)
    return ErasedOut(**_rendered(done.receipt).model_dump(), scrubbed=done.is_scrubbed)


@operation(
    "POST",
    "/privacy/restrict",
    "Take all that is kept of a person's comments out of use, or back into it",
    body=RestrictIn,
    answer=ReceiptOut,
)
def restrict_person(key: Key, body: RestrictIn) -> ReceiptOut:
    found = _found(key, body)
    return _rendered(components().rights.restrict(found, by=key.name, restricted=body.restricted).receipt)


@operation(
    "GET",
    "/privacy/receipts",
    "List what was done on people's requests, latest first; 200 at most",
    scope=Scope.ADMIN,
    answer=ReceiptsOut,
)
def list_receipts(key: Key) -> ReceiptsOut:
    return ReceiptsOut(receipts=[_rendered(receipt) for receipt in components().rights.receipts()])


def _found(key: Key, body: PersonIn) -> Found:
    who = Who(
        email=body.email,
        ip=body.ip,
        author=body.author,
        guids=body.guids,
        site=None if body.site is None else address_of(body.site),
        key_id=None if key.scope is Scope.ADMIN else key.id,
    )
    try:
        return components().rights.find(who)
    except NobodyNamed as error:
        raise Problem(422, str(error), [(field, error.remedy) for field in error.fields]) from None


def _rendered(receipt: Receipt) -> ReceiptOut:
    return ReceiptOut(
        receipt=receipt.guid,
        at=receipt.at,
        what=receipt.what,
        who=receipt.who,
        counts=receipt.counts,
        retraining=receipt.run,
    )
