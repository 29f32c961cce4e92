"""Whether a site is told of corrections, in our own API; for keys of administration and of that very site."""

from __future__ import annotations

from pydantic import Field

from service.administration import InvalidPolicy
from service.components import components
from service.sites import SiteAddress
from service.stores.keys import Key, Scope
from service.stores.policies import WebhookMode
from service.v1.operations import operation
from service.v1.problems import Problem
from service.v1.schemas import Model
from service.v1.sites import address_of


class WebhookIn(Model):
    """Whether a site's Akismet plugin (5.5 on) is told when a comment of it is called spam afterwards."""

    mode: WebhookMode = Field(
        description="private: the site is in a private network and may be called there; takes a key for administration."
    )
    key: str | None = Field(
        default=None, max_length=100, description="The key that the site uses; kept encrypted."
    )


class WebhookOut(Model):
    """Whether a site is told of corrections."""

    site: str
    mode: WebhookMode


@operation(
    "GET",
    "/sites/{site}/webhook",
    "Tell whether a site is told of corrections",
    answer=WebhookOut,
    problems=(403,),
)
def get_webhook(key: Key, site: str) -> WebhookOut:
    address = _own_address(key, site)
    return WebhookOut(site=address.address, mode=components().administration.webhook(address))


@operation(
    "PUT",
    "/sites/{site}/webhook",
    "Set whether a site is told of corrections",
    body=WebhookIn,
    answer=WebhookOut,
    problems=(403,),
)
def put_webhook(key: Key, site: str, body: WebhookIn) -> WebhookOut:
    address = _own_address(key, site)
    if body.mode is WebhookMode.PRIVATE and key.scope is not Scope.ADMIN:
        # It has the service call into the operator's own network, wherever the site's name points to.
        message = "private takes a key for administration; choose public, or ask the operator"
        raise Problem(403, f"mode: {message}", [("mode", message)])
    parts = components()
    known = None if body.key is None else parts.keys.find(body.key)
    try:
        parts.administration.set_webhook(address, body.mode, body.key, known)
    except InvalidPolicy as error:
        raise Problem(422, f"{error}", [(error.field, error.remedy)]) from None
    return WebhookOut(site=address.address, mode=body.mode)


def _own_address(key: Key, site: str) -> SiteAddress:
    """Read the address in the path; a site's key must be tied to it."""
    address = address_of(site)
    if key.scope is not Scope.ADMIN and address.address not in key.sites:
        message = "the API key is not tied to this site; use one that is, or one for administration"
        raise Problem(403, f"site: {message}", [("site", message)])
    return address
