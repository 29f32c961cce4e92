"""What the pages for commenters share: their blueprint, style, headers, and how they lead to each other."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, url_for

from service.privacy.languages import LANGUAGES, chosen_language
from service.sites import SiteAddress

privacy = Blueprint("privacy", __name__)

_STYLE = (Path(__file__).parent.parent / "templates" / "notice.css").read_text(encoding="utf-8")
_STYLE_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()


def answer(body: str, content_type: str, *, form_action: str = "'none'") -> Response:
    """Return an answer that may load nothing and run nothing.

    Parameters
    ----------
    body : str
    content_type : str
        Without its character set, which is UTF-8.
    form_action : str
        Where a form of the page may be sent, as a source of the content security policy.
    """
    response = Response(body, content_type=f"{content_type}; charset=utf-8")
    policy = (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action {form_action}"
    )
    response.headers.update(
        {
            "Vary": "Accept, Accept-Language",
            "Content-Security-Policy": policy,
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Content-Language": chosen_language(),
        }
    )
    return response


def page_values(site: SiteAddress | None, **fixed: str) -> dict[str, Any]:
    """Return what every page needs.

    Parameters
    ----------
    site : SiteAddress or None
    **fixed : str
        What all addresses of the page have in common beside the site.
    """
    common = site_of(site) | fixed
    return {
        "languages": LANGUAGES,
        "language": chosen_language(),
        "style": _STYLE,
        "site": site,
        "here": lambda endpoint, **values: url_for(f"privacy.{endpoint}", **(common | values)),
    }


def site_of(site: SiteAddress | None) -> dict[str, Any]:
    """Return what names a site in an address."""
    return {} if site is None else {"site": site.address}
