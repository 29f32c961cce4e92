"""Who asks, and for which site: the key in its three places, and the sites it is tied to."""

from __future__ import annotations

from service.akismet.form import Form
from service.akismet.refusal import Refused
from service.keys import KEY_PATTERN, Keys
from service.sites import InvalidSite, SiteAddress, parse_site
from service.stores.keys import Key


def key_text(form: Form, host: str, *, fields: tuple[str, ...] = ("api_key",)) -> str:
    """Return what a request gives for its key, "" if nothing.

    Parameters
    ----------
    form : Form
    host : str
        The Host header; its first label is a key if it looks like one, whatever the domain. Fields go first:
        WordPress sends ``Host: rest.akismet.com`` wherever the request really goes.
    fields : tuple of str
        Fields to look at, the one that decides first.
    """
    for name in fields:
        text = form.text(name).strip()
        if text:
            return text
    label, dot, _ = host.strip().lower().partition(".")
    return label if dot and KEY_PATTERN.fullmatch(label) else ""


def authenticate(form: Form, host: str, keys: Keys, *, fields: tuple[str, ...] = ("api_key",)) -> Key:
    """Return the live key of a request.

    Raises
    ------
    Refused
        If there is none, or it is unknown or revoked.
    sqlalchemy.exc.SQLAlchemyError
        If that cannot be found out.
    """
    text = key_text(form, host, fields=fields)
    if not text:
        raise Refused("Missing required field: api_key")
    key = keys.find(text)
    if key is None:
        raise Refused("The API key is unknown or revoked: check the field api_key")
    return key


def site_of(form: Form, key: Key) -> SiteAddress:
    """Return the site that a request is about.

    Raises
    ------
    Refused
        If ``blog`` is missing or no address, or the key is tied to other sites.
    """
    blog = form.text("blog").strip()
    if not blog:
        raise Refused("Missing required field: blog")
    try:
        site = parse_site(blog)
    except InvalidSite as error:
        raise Refused(f"Invalid field blog: {error}; send the site's full URL") from None
    if not key.serves(site):
        raise Refused("The API key is tied to other sites than the one in the field blog")
    return site


def site_if_given(form: Form, key: Key) -> SiteAddress | None:
    """Return the site that a request is about, None if it names none.

    Raises
    ------
    Refused
        As ``site_of``.
    """
    return site_of(form, key) if form.text("blog").strip() else None
