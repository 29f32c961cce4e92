"""Whether a site is told of corrections, in our own API; for keys of administration."""

from __future__ import annotations

from pydantic import Field

from service.administration import InvalidPolicy
from service.components import components
from service.stores.keys import Key, Scope
from service.stores.policies import WebhookMode
from service.v1.operations import operation
from service.v1.problems import Problem
from service.v1.schemas import Model
from service.v1.sites import address_of


class WebhookIn(Model):
    """Whether a site's Akismet plugin (5.5 on) is told when a comment of it is called spam afterwards."""

    mode: WebhookMode = Field(
        description="private: the site is in a private network and may be called there."
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
    scope=Scope.ADMIN,
    answer=WebhookOut,
)
def get_webhook(key: Key, site: str) -> WebhookOut:
    address = address_of(site)
    return WebhookOut(site=address.address, mode=components().administration.webhook(address))


@operation(
    "PUT",
    "/sites/{site}/webhook",
    "Set whether a site is told of corrections",
    scope=Scope.ADMIN,
    body=WebhookIn,
    answer=WebhookOut,
)
def put_webhook(key: Key, site: str, body: WebhookIn) -> WebhookOut:
    address = address_of(site)
    parts = components()
    known = None if body.key is None else parts.keys.find(body.key)
    try:
        parts.administration.set_webhook(address, body.mode, body.key, known)
    except InvalidPolicy as error:
        raise Problem(422, f"{error}", [(error.field, error.remedy)]) from None
    return WebhookOut(site=address.address, mode=body.mode)
