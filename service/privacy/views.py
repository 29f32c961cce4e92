"""The pages under /privacy: by suffix, or by what the reader accepts."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import force_locale, gettext

from service.components import components
from service.declaration.received import RECEIVED
from service.declaration.stored import STORED
from service.declaration.terms import Form, Retention
from service.notice import EXAMPLE, Notice
from service.privacy import (
    appeals,  # noqa: F401 - brings its pages along
    linked_data,
    words,
)
from service.privacy.languages import LANGUAGES, chosen_language
from service.privacy.pages import answer, page_values, privacy, site_of
from service.sites import InvalidSite, SiteAddress, parse_site

_JSON = "application/json"
_JSONLD = "application/ld+json"


def blueprint() -> Blueprint:
    """Return the blueprint with all pages for commenters."""
    return privacy


class _NoSite(Exception):
    """What stands in ``?site=`` is no address; the message says so."""


@privacy.get("/privacy")
def notice() -> Response:
    """Answer the notice in the form that the reader likes best."""
    kind = request.accept_mimetypes.best_match(["text/html", _JSON, _JSONLD], default="text/html")
    return _tell({_JSON: _as_json, _JSONLD: _as_linked_data}.get(str(kind), _as_page))


@privacy.get("/privacy.json")
def notice_as_json() -> Response:
    """Answer the notice as plain data."""
    return _tell(_as_json)


@privacy.get("/privacy.jsonld")
def notice_as_linked_data() -> Response:
    """Answer the notice in the W3C Data Privacy Vocabulary."""
    return _tell(_as_linked_data)


@privacy.get("/privacy/snippet")
def snippet() -> Response:
    """Answer a page with the line for the comment form, in every language."""
    return _tell(_snippet_page)


@privacy.get("/privacy/snippet.html")
def snippet_as_html() -> Response:
    """Answer the line for the comment form alone."""
    return _tell(lambda site: answer(_line(site, chosen_language())["html"] + "\n", "text/html"))


@privacy.get("/privacy/snippet.txt")
def snippet_as_text() -> Response:
    """Answer the line for the comment form without markup."""
    return _tell(lambda site: answer(_line(site, chosen_language())["text"] + "\n", "text/plain"))


def _tell(render: Any) -> Response:
    try:
        response: Response = render(_asked_site())
    except _NoSite as error:
        response = answer(f"{error}\n", "text/plain")
        response.status_code = 400
    return response


def _asked_site() -> SiteAddress | None:
    text = request.args.get("site", "").strip()
    if not text:
        return None
    try:
        return parse_site(text)
    except InvalidSite as error:
        raise _NoSite(f"site: {error}; give the site's full URL, or leave it out") from None


def _as_page(site: SiteAddress | None) -> Response:
    found = components().notices.of(site)
    page = render_template(
        "notice.html",
        notice=found,
        received=[each for each in RECEIVED if not each.appeal and not each.to_find],
        asked=[each for each in RECEIVED if each.appeal],
        stored=STORED,
        never=words.never_kept(),
        example=EXAMPLE,
        Form=Form,
        Retention=Retention,
        words=words,
        contact=words.contact_link(found.controller.contact),
        appeal=url_for("privacy.appeal", **site_of(site)),
        **page_values(site),
    )
    return answer(page, "text/html")


def _as_json(site: SiteAddress | None) -> Response:
    appeal = url_for("privacy.appeal", _external=True, **site_of(site))
    content = words.as_data(components().notices.of(site), chosen_language(), appeal)
    return answer(json.dumps(content, ensure_ascii=False, indent=1) + "\n", _JSON)


def _as_linked_data(site: SiteAddress | None) -> Response:
    found: Notice = components().notices.of(site)
    address = url_for("privacy.notice", _external=True, **site_of(site))
    appeal = url_for("privacy.appeal", _external=True, **site_of(site))
    content = linked_data.as_linked_data(found, address, chosen_language(), appeal)
    response = answer(json.dumps(content, ensure_ascii=False, indent=1) + "\n", _JSONLD)
    # The media type has no parameter charset; it is always UTF-8.
    response.headers["Content-Type"] = _JSONLD
    return response


def _snippet_page(site: SiteAddress | None) -> Response:
    lines = {language: _line(site, language) for language in LANGUAGES}
    return answer(render_template("snippet.html", lines=lines, **page_values(site)), "text/html")


def _line(site: SiteAddress | None, language: str) -> dict[str, str]:
    """Return the line for the comment form, as ``html`` and as ``text``."""
    with force_locale(language):
        says = gettext("Comments here are checked for spam by Replyguard, on the operator's own machines.")
        leads = gettext("How your comment data is processed")
    address = url_for("privacy.notice", _external=True, lang=language, **site_of(site))
    return {
        "html": render_template(
            "snippet-line.html", says=says, leads=leads, address=address, language=language
        ),
        "text": f"{says} {leads}: {address}",
    }
