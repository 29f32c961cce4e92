"""The page on which a commenter asks for a person to look, and the one that says what happens next.

There is no token against forged requests, because there is nothing to forge: the form knows no login and no cookie,
so a request that another page makes a visitor's browser send can do only what its author could do with a request
of their own. What it would use up, the visitor's share of requests in an hour, it would use up as well by any other way
to make browsers ask; the bounds of the hour hold for all of them.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import structlog
from flask import Response, render_template, request, url_for
from flask_babel import gettext, ngettext
from sqlalchemy.exc import SQLAlchemyError

from service.appeals import (
    MAX_EMAIL_CHARS,
    MAX_MESSAGE_CHARS,
    MAX_SITE_CHARS,
    AppealRequest,
    Fault,
    number_of,
)
from service.components import components
from service.declaration.terms import mark
from service.logs import Seldom, describe
from service.outages import outage_of
from service.privacy import words
from service.privacy.languages import chosen_language
from service.privacy.pages import answer, page_values, privacy, site_of
from service.sites import InvalidSite, SiteAddress, parse_site
from service.stores.appeals import TooMany

_log = structlog.get_logger(__name__)

#: A message at its longest, every letter of it beyond the plane of Unicode and percent-encoded, takes half of it.
_MAX_BODY_BYTES = 64 * 1024
#: Seconds after which to try again while the database does not answer.
_RETRY_AFTER_S = 60
#: A field that people cannot see; whoever fills it in is a program.
_TRAP = "homepage"
#: What is wrong with a field, and what to do.
_FAULTS = {
    ("site", "missing"): mark("Give the address of the site, for example https://blog.example.org."),
    ("site", "invalid"): mark("This is no web address. Copy it from the address line of your browser."),
    ("email", "missing"): mark("Give the e-mail address with which you commented, or a reference."),
    ("email", "invalid"): mark("This is no e-mail address. One looks like this: name@example.org."),
    ("reference", "invalid"): mark(
        "A reference has 32 characters, only digits and the letters a to f. Copy it again, or leave this empty."
    ),
    ("message", "long"): mark("This is too long. Shorten it to 2,000 characters."),
    (_TRAP, "filled"): mark("Leave this empty: it is there to stop programs that fill in every field."),
}
_is_time_to_tell_of_proxy = Seldom(3600.0)
_is_time_to_tell_of_bound = Seldom(600.0)


@dataclass(frozen=True, slots=True)
class Typed:
    """What stands in the form."""

    site: str = ""
    email: str = ""
    reference: str = ""
    message: str = ""
    homepage: str = ""


@privacy.get("/privacy/appeal")
def appeal() -> Response:
    """Answer the form."""
    return _form(Typed(site=request.args.get("site", "")[:MAX_SITE_CHARS]))


@privacy.post("/privacy/appeal")
def take_appeal() -> Response:
    """Keep what was typed and lead to the page that says so; it looks the same whatever is on record."""
    if (request.content_length or 0) > _MAX_BODY_BYTES:
        return _form(Typed(), {"message": "long"}, status=413)
    typed = Typed(**{field.name: request.form.get(field.name, "") for field in fields(Typed)})
    if typed.homepage:
        # Said aloud: a password manager may have done it, and nobody's request is dropped in silence.
        return _form(typed, {_TRAP: "filled"}, status=422)
    try:
        guid = components().appeals.take(
            AppealRequest(
                site=typed.site,
                email=typed.email,
                reference=typed.reference,
                message=typed.message,
                language=chosen_language(),
                ip=_address(),
            )
        )
    except Fault as error:
        return _form(typed, error.faults, status=422)
    except TooMany as error:
        return _too_many(typed, error)
    except SQLAlchemyError as error:
        return _not_taken(typed, error)
    values: dict[str, Any] = {"lang": chosen_language(), **site_of(_site(typed.site))}
    return _see_other(url_for("privacy.appeal_received", number=number_of(guid), **values))


@privacy.get("/privacy/appeal/received/<number>")
def appeal_received(number: str) -> Response:
    """Say what happens next. Looks nothing up: any number that could be one gets this page."""
    if not re.fullmatch(r"[0-9a-f]{4}(-[0-9a-f]{4}){2}", number):
        return _see_other(url_for("privacy.appeal"))
    site = _site(request.args.get("site", ""))
    controller = components().notices.controller
    page = render_template(
        "appeal-received.html",
        number=number,
        contact=controller.contact,
        contact_link=words.contact_link(controller.contact),
        **page_values(site, number=number),
    )
    return _fresh(answer(page, "text/html"))


def _form(
    typed: Typed,
    faults: Mapping[str, str] | None = None,
    *,
    trouble: str = "",
    status: int = 200,
) -> Response:
    page = render_template(
        "appeal.html",
        typed=typed,
        faults={name: gettext(_FAULTS[name, fault]) for name, fault in (faults or {}).items()},
        trouble=trouble,
        max_site=MAX_SITE_CHARS,
        max_email=MAX_EMAIL_CHARS,
        max_message=MAX_MESSAGE_CHARS,
        **page_values(_site(typed.site)),
    )
    # Only this page has a form, and it is sent nowhere else.
    response = _fresh(answer(page, "text/html", form_action="'self'"))
    response.status_code = status
    return response


def _fresh(response: Response) -> Response:
    """Keep what a person typed, and their number, out of every cache; and the form out of other people's frames."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Frame-Options"] = "DENY"
    return response


def _see_other(target: str) -> Response:
    return _fresh(Response(status=303, headers={"Location": target}))


def _too_many(typed: Typed, error: TooMany) -> Response:
    if error.bound == "all" and _is_time_to_tell_of_bound():
        _log.warning(
            "no more appeals are taken for now",
            remedy="see whether they are real: replyguard appeals list; raise REPLYGUARD_APPEALS_PER_HOUR if so",
        )
    wait_s = max(1, math.ceil(error.wait.total_seconds()))
    trouble = ngettext(
        "This was not taken, because too many requests have come lately, perhaps from others who share your"
        " connection. What you typed is still here: please send it again in %(num)d minute.",
        "This was not taken, because too many requests have come lately, perhaps from others who share your"
        " connection. What you typed is still here: please send it again in %(num)d minutes.",
        math.ceil(wait_s / 60),
    )
    response = _form(typed, trouble=str(trouble), status=429)
    response.headers["Retry-After"] = str(wait_s)
    return response


def _not_taken(typed: Typed, error: SQLAlchemyError) -> Response:
    outage = outage_of(error)
    details = {} if outage.expected else {"traceback": describe(error)}
    _log.error("appeal not taken", cause=outage.cause, remedy=outage.remedy, **details)
    trouble = gettext(
        "This was not taken, because the service has a fault just now. What you typed is still here: please send"
        " it again in a few minutes."
    )
    response = _form(typed, trouble=str(trouble), status=503)
    response.headers["Retry-After"] = str(_RETRY_AFTER_S)
    return response


def _address() -> str:
    """Return the address that asks; our own proxies' word for it is taken where the settings trust them."""
    address = request.remote_addr or ""
    trusted = "werkzeug.proxy_fix.orig" in request.environ
    if not trusted and "X-Forwarded-For" in request.headers and _is_time_to_tell_of_proxy():
        _log.warning(
            "a proxy says for whom it asks and is not trusted, so appeals are bounded by the proxy's address",
            remedy="set REPLYGUARD_TRUSTED_PROXIES to the number of proxies in front of the service",
        )
    return address


def _site(text: str) -> SiteAddress | None:
    try:
        return parse_site(text) if text.strip() and len(text) <= MAX_SITE_CHARS else None
    except InvalidSite:
        return None
