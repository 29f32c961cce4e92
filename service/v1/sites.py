"""Sites, their policies and lists in our own API; for keys of administration."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Iterator

from service.administration import InvalidPolicy, SiteUnknown, SiteView
from service.components import components
from service.lists import Entry, InvalidEntry
from service.sites import InvalidSite, SiteAddress, parse_site
from service.stores.keys import Key, Scope
from service.stores.policies import SitePolicy
from service.v1 import schemas
from service.v1.operations import operation
from service.v1.problems import Problem


@operation("GET", "/sites", "List the sites", scope=Scope.ADMIN, answer=schemas.Sites)
def list_sites(key: Key) -> schemas.Sites:
    return schemas.Sites(
        sites=[
            schemas.SiteOut(
                site=row.site.address,
                created_at=row.created_at,
                policy=_policy(row.policy),
                n_list_entries=row.n_entries,
            )
            for row in components().administration.sites()
        ]
    )


@operation(
    "GET",
    "/sites/{site}/policy",
    "Tell what a site wants, and how sure its cut-offs are",
    scope=Scope.ADMIN,
    answer=schemas.PolicyOut,
    problems=(404,),
)
def get_policy(key: Key, site: str) -> schemas.PolicyOut:
    return _rendered(_shown(address_of(site)))


@operation(
    "PUT",
    "/sites/{site}/policy",
    "Set what a site wants; a site that is not known yet comes into being",
    scope=Scope.ADMIN,
    body=schemas.PolicyIn,
    answer=schemas.PolicyOut,
)
def put_policy(key: Key, site: str, body: schemas.PolicyIn) -> schemas.PolicyOut:
    with _named_as_here():
        return _rendered(
            components().administration.replace(address_of(site), SitePolicy(**body.model_dump()))
        )


@operation(
    "PATCH",
    "/sites/{site}/policy",
    "Change some of what a site wants; a site that is not known yet comes into being",
    scope=Scope.ADMIN,
    body=schemas.PolicyChange,
    answer=schemas.PolicyOut,
)
def patch_policy(key: Key, site: str, body: schemas.PolicyChange) -> schemas.PolicyOut:
    changes = body.model_dump(exclude_unset=True)
    if not changes:
        message = "names nothing to change: give one field at least"
        raise Problem(422, f"body: {message}", [("body", message)])
    with _named_as_here():
        return _rendered(components().administration.change(address_of(site), **changes))


@operation(
    "GET",
    "/sites/{site}/lists",
    "List the entries of a site's lists",
    scope=Scope.ADMIN,
    answer=schemas.Entries,
    problems=(404,),
)
def get_lists(key: Key, site: str) -> schemas.Entries:
    return schemas.Entries(entries=[_entry(entry) for entry in _shown(address_of(site)).entries])


@operation(
    "POST",
    "/sites/{site}/lists",
    "Write an entry into a list; on the other list it is struck out",
    scope=Scope.ADMIN,
    body=schemas.EntryIn,
    answer=schemas.EntryOut,
    status=201,
)
def add_entry(key: Key, site: str, body: schemas.EntryIn) -> schemas.EntryOut:
    address = address_of(site)
    try:
        return _entry(components().administration.add(address, body.side, body.kind, body.value))
    except InvalidEntry as error:
        raise Problem(422, f"value: {error}", [("value", str(error))]) from None


@operation(
    "DELETE",
    "/sites/{site}/lists/{entry}",
    "Strike an entry out",
    scope=Scope.ADMIN,
    status=204,
    problems=(404,),
)
def remove_entry(key: Key, site: str, entry: int) -> None:
    if not components().administration.remove_by_id(address_of(site), entry):
        raise Problem(404, "entry: this site has no entry of this number")


def address_of(site: str) -> SiteAddress:
    """Read the address in a path."""
    try:
        return parse_site(site)
    except InvalidSite as error:
        raise Problem(422, f"site: {error}", [("site", f"{error}; give it as blog.example.org")]) from None


@contextlib.contextmanager
def _named_as_here() -> Iterator[None]:
    """Turn a policy that cannot be used into a problem, by the name that its field has here."""
    try:
        yield
    except InvalidPolicy as error:
        raise Problem(422, f"{error}", [("budget_per_thousand", error.remedy)]) from None


def _shown(site: SiteAddress) -> SiteView:
    try:
        return components().administration.show(site)
    except SiteUnknown:
        raise Problem(404, "site: no check, key or policy has named it; GET /v1/sites lists them") from None


def _rendered(view: SiteView) -> schemas.PolicyOut:
    cuts = None
    if view.cut_offs is not None:
        policy = view.cut_offs.policy
        cuts = schemas.CutOffsOut(
            unsure_from=_score(policy.unsure_from),
            spam_from=_score(policy.spam_from),
            discard_from=_score(policy.discard_from),
            basis=view.cut_offs.basis,
            statement=view.cut_offs.statement,
        )
    return schemas.PolicyOut(
        site=view.site.address, policy=_policy(view.policy), unsure=view.unsure, cut_offs=cuts
    )


def _policy(policy: SitePolicy) -> schemas.PolicyIn:
    return schemas.PolicyIn(**dataclasses.asdict(policy))


def _entry(entry: Entry) -> schemas.EntryOut:
    return schemas.EntryOut(id=entry.id, side=entry.side, kind=entry.kind, value=entry.shown)


def _score(cut: float) -> float | None:
    return None if math.isinf(cut) else cut
