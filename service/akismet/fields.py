"""From the fields of a form to what the use cases want; knows every field name of the wire."""

from __future__ import annotations

import html

from model.comment import Comment, Label
from service.akismet.form import Form
from service.checking import CheckRequest
from service.feedback import FeedbackRequest
from service.sites import SiteAddress

_FALSE = frozenset({"", "0", "false", "no", "off", "none", "null"})
#: WordPress' own honeypot: no ``honeypot_field_name`` is sent for it.
_WORDPRESS_HONEYPOT = "POST_ak_hp_textarea"


def flag(form: Form, name: str) -> bool:
    """Read a boolean: some clients send ``False`` on every call."""
    return form.text(name).strip().lower() not in _FALSE


def comment_from_form(form: Form) -> Comment:
    """Return the comment that a form carries."""
    referrer = form.text("referrer")
    return Comment(
        body=form.text("comment_content"),
        author=form.text("comment_author"),
        email=form.text("comment_author_email").strip(),
        url=form.text("comment_author_url").strip(),
        site=form.text("blog").strip(),
        permalink=form.text("permalink").strip(),
        # WordPress escapes the names of tags: ``bread &amp; butter``.
        tags=tuple(html.unescape(tag).strip() for tag in form.texts("comment_context") if tag.strip()),
        kind=form.text("comment_type").strip() or form.text("content_type").strip(),
        site_lang=form.text("blog_lang").strip(),
        user_agent=form.text("user_agent"),
        # Two Python clients send this word where they know none.
        referrer="" if referrer == "unknown" else referrer,
        honeypot=_honeypot(form),
        nonce=form.text("akismet_comment_nonce"),
    )


def check_from_form(form: Form, site: SiteAddress) -> CheckRequest:
    """Return the request for a check."""
    return CheckRequest(
        comment=comment_from_form(form),
        site=site,
        ip=form.text("user_ip"),
        user_role=form.text("user_role"),
        recheck_reason=form.text("recheck_reason"),
        callback=form.text("callback"),
        is_test=flag(form, "is_test"),
        test_discard=flag(form, "test_discard"),
    )


def feedback_from_form(form: Form, site: SiteAddress, label: Label) -> FeedbackRequest:
    """Return the label that a submit-spam or submit-ham gives."""
    return FeedbackRequest(
        label=label,
        comment=comment_from_form(form),
        site=site,
        ip=form.text("user_ip"),
        user_role=form.text("user_role"),
        reporter=form.text("reporter"),
        claimed_answer=form.text("comment_check_response").strip(),
        is_test=flag(form, "is_test"),
    )


def _honeypot(form: Form) -> str | None:
    """Return what a visitor typed into the hidden field; None if the form had none."""
    for name in (form.text("honeypot_field_name"), _WORDPRESS_HONEYPOT):
        if name and name in form:
            return form.text(name)
    return None
