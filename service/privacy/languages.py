"""Which languages the notice speaks, and which of them a reader gets."""

from __future__ import annotations

from flask import has_request_context, request

#: In their own words.
LANGUAGES = {
    "en": "English",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "pt": "Português",
    "it": "Italiano",
    "nl": "Nederlands",
    "pl": "Polski",
}
DEFAULT = "en"


def chosen_language() -> str:
    """Return the language of the answer: that of ``?lang=``, else the reader's favourite among ours."""
    if not has_request_context():
        return DEFAULT
    asked = request.args.get("lang", "").lower()
    if asked in LANGUAGES:
        return asked
    return request.accept_languages.best_match(list(LANGUAGES), default=DEFAULT) or DEFAULT
