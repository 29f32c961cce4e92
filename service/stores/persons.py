"""By what rows are known to be somebody's, and what was done with them."""

from __future__ import annotations

import datetime as dt
import unicodedata
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Table, and_, false, or_, select

from service.schema import appeals, key_sites, list_entries, sites
from service.sites import SiteAddress


@dataclass(frozen=True, slots=True)
class Person:
    """By what rows are known to be somebody's; each that carries any of these is.

    Attributes
    ----------
    email_hash, ip_hash, network_hash, author : str or None
        The author's name folded by ``folded``; the hash of the network is what appeals keep.
    ips : tuple of str
        The address as entries of lists spell it.
    guids : tuple of str
        Names of checks or corrections.
    site : SiteAddress or None
        The only site to look at.
    key_id : int or None
        The only API key whose rows are looked at.
    """

    email_hash: str | None = None
    ip_hash: str | None = None
    network_hash: str | None = None
    ips: tuple[str, ...] = ()
    author: str | None = None
    guids: tuple[str, ...] = ()
    site: SiteAddress | None = None
    key_id: int | None = None


@dataclass(slots=True)
class Found:
    """The rows that are somebody's, by table and number, each with a name that no later row has."""

    names: dict[str, dict[int, str]] = field(default_factory=dict)

    @property
    def ids(self) -> dict[str, list[int]]:
        """Numbers of the rows, by table."""
        return {table: list(names) for table, names in self.names.items()}

    @property
    def counts(self) -> dict[str, int]:
        """How many rows, by table; tables without any are left out."""
        return {table: len(names) for table, names in self.names.items() if names}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done on a person's request; names nobody.

    Attributes
    ----------
    guid : str
    at : datetime
    what : str
        export, erase, restrict or lift.
    who : str
        Who did it.
    counts : dict of str to int
        Rows concerned, by table.
    run : str or None
        The retraining that was asked for.
    """

    guid: str
    at: dt.datetime
    what: str
    who: str
    counts: dict[str, int] = field(default_factory=dict)
    run: str | None = None


def folded(author: str) -> str:
    """Return a name as names are compared: whatever its case, its blanks and how its accents are encoded."""
    return " ".join(unicodedata.normalize("NFKC", author).casefold().split())


def carrying(table: Table, person: Person) -> ColumnElement[bool] | None:
    """Return the test for checks or corrections that carry somebody's hashes or are named; None if nothing is given."""
    tests = [
        table.c[name] == value
        for name, value in (("email_hash", person.email_hash), ("ip_hash", person.ip_hash))
        if value is not None
    ]
    if person.guids:
        tests.append(table.c.guid.in_(person.guids))
    return or_(*tests) if tests else None


def of_appeals(person: Person) -> ColumnElement[bool] | None:
    """Return the test for somebody's appeals, which keep the network of an IP only; None if nothing is given."""
    tests = [
        appeals.c[name] == value
        for name, value in (("email_hash", person.email_hash), ("ip_hash", person.network_hash))
        if value is not None
    ]
    if person.guids:
        tests.append(appeals.c.reference.in_(person.guids))
    return or_(*tests) if tests else None


def of_lists(person: Person) -> ColumnElement[bool] | None:
    """Return the test for entries of sites' lists that are about somebody; None if nothing is given."""
    tests = []
    if person.email_hash is not None:
        tests.append(and_(list_entries.c.kind == "email", list_entries.c.value == person.email_hash))
    if person.ips:
        tests.append(and_(list_entries.c.kind == "ip", list_entries.c.value.in_(person.ips)))
    return or_(*tests) if tests else None


def bounds(table: Table, person: Person) -> list[ColumnElement[bool]]:
    """Return what keeps a search to the site and to the key that it is for."""
    inside: list[ColumnElement[bool]] = []
    if person.site is not None:
        of_site = select(sites.c.id).where(sites.c.address == person.site.address)
        inside.append(table.c.site_id.in_(of_site))
    if person.key_id is not None:
        # A key that is tied to sites stands for them, also for what came with the key before it.
        ties = select(key_sites.c.site_id).where(key_sites.c.key_id == person.key_id)
        if "key_id" in table.c:
            inside.append(
                or_(table.c.site_id.in_(ties), and_(~ties.exists(), table.c.key_id == person.key_id))
            )
        elif table is appeals:
            inside.append(table.c.site_id.in_(ties))
        else:  # what an admin has listed is not the site's
            inside.append(false())
    return inside
