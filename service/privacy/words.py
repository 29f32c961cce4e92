"""Says in a reader's language what a notice holds; used by the page and by its data."""

from __future__ import annotations

import re
from typing import Any

from flask_babel import format_decimal, ngettext
from flask_babel import gettext as _gettext

from model.verdict import Clue, Decision
from service.declaration.received import RECEIVED, forms_of
from service.declaration.stored import STORED
from service.declaration.terms import Form, Item, Labelled, Received, Retention, mark
from service.notice import EXAMPLE, Notice
from service.settings import UnsureAnswer

DECISIONS = {
    Decision.HAM: mark("a real comment"),
    Decision.UNSURE: mark("unsure"),
    Decision.SPAM: mark("spam"),
}
UNSURE = {
    UnsureAnswer.PUBLISH: mark("If the program is unsure, the site is told to treat the comment as real."),
    UnsureAnswer.HOLD: mark(
        "If the program is unsure, the site is asked to hold the comment until a person has looked."
    ),
    UnsureAnswer.SPAM: mark("If the program is unsure, the site is told to treat the comment as spam."),
}
#: The heading of each table of ``STORED``, in the order in which they are shown.
TABLES = {
    "checks": mark("With every comment that is checked"),
    "company_marks": mark("To know near-copies under other names by"),
    "feedback": mark("When a moderator corrects a decision, or older comments are brought in"),
    "appeals": mark("When somebody asks for a person to look"),
    "list_entries": mark("When a site lists what it always lets through or always takes for spam"),
    "calibrations": mark("To find out how strict to be on a site"),
    "site_weights": mark("What the program has learnt for a site alone"),
    "daily_counts": mark("As counts"),
}
#: How the model's reasons begin, and the same for translation; what follows is quoted from the comment.
_REASONS = (
    (re.compile(r'word "(.*)"', re.S), mark("the word “%(quoted)s”")),
    (re.compile(r'words "(.*)"', re.S), mark("the words “%(quoted)s”")),
    (re.compile(r"links to (.*)", re.S), mark("a link to %(quoted)s")),
    (re.compile(r"author's name: (.*)", re.S), mark("the author's name, %(quoted)s")),
    (re.compile(r"one word as the (author's name)", re.S), mark("a single word as the author's name")),
    (re.compile(r"an (address) among the words", re.S), mark("a web address among the words")),
)
_CHANGED = {
    "controller.name": mark("Name of whoever is responsible"),
    "controller.contact": mark("Contact of whoever is responsible"),
    "unsure": mark("What becomes of unsure comments"),
}


def gettext(message: str) -> str:
    """Translate a message; the library's own function would fill in percent signs, and is not typed."""
    return str(_gettext(message))


def label(member: Labelled) -> str:
    """Return the words of a declared term."""
    return gettext(member.label)


def days(n_days: int) -> str:
    """Return how long something is kept."""
    if n_days == 0:
        return gettext("until it is erased; nothing is deleted by itself")
    return str(ngettext("%(num)d day", "%(num)d days", n_days))


def kept_for(retention: Retention, notice: Notice) -> str:
    """Return how long a class of data is kept."""
    if retention is Retention.SITE:
        return gettext("until the site or the operator removes it")
    return _days_of(retention, notice.days[retention])


def _days_of(retention: Retention, n_days: int) -> str:
    if retention is Retention.COMPANY and n_days == 0:
        return label(Form.NOT_STORED)
    return days(n_days)


def how_long(retention: Retention, notice: Notice) -> str:
    """Return a class of data with how long it is kept."""
    return _line(label(retention), kept_for(retention, notice))


def _line(what: str, how: str) -> str:
    return gettext("%(what)s: %(how)s") % {"what": what, "how": how}


def forms(received: Received) -> str:
    """Return what becomes of something that arrives."""
    if not received.used:
        return gettext("not read and not kept")
    if received.to_find:
        return gettext("only used to find your data, not kept")
    if received.appeal and not received.columns:
        return gettext("only looked at to keep programs out, not kept")
    if not received.columns:
        return gettext("used for the decision, not kept")
    if "email_domain" in received.columns:
        return gettext("only as a keyed hash; the part behind the @ as it is")
    return ", ".join(label(form) for form in forms_of(received))


def never_kept() -> list[str]:
    """Return what is not kept, or not in clear, in English."""
    hashed = [each.words for each in RECEIVED if Form.HASHED in forms_of(each)]
    return hashed + [each.words for each in RECEIVED if not each.columns]


def purposes(item: Item) -> str:
    """Return what a stored item is for."""
    return "; ".join(label(purpose) for purpose in item.purposes)


def seen_by(item: Item) -> str:
    """Return who can see a stored item."""
    return ", ".join(label(audience) for audience in item.seen_by)


def reason(clue: Clue) -> tuple[str, bool]:
    """Return a reason of the model, and whether it is in the reader's language rather than in English."""
    for pattern, words in _REASONS:
        found = pattern.fullmatch(clue.text)
        if found:
            text = gettext(words)
            return (text % {"quoted": found[1]} if "%(quoted)s" in words else text), True
    return clue.text, False


def speaks_for(clue: Clue) -> str:
    """Return which way a reason pulls."""
    return gettext("speaks for spam") if clue.weight > 0 else gettext("speaks against spam")


def score(value: float) -> str:
    """Return a score with three digits; never quite 0 or 1, which no model can know."""
    return str(format_decimal(min(max(value, 0.001), 0.999), format="0.000"))


def contact_link(contact: str) -> str | None:
    """Return where a contact leads; None for one to be read only."""
    if re.fullmatch(r"[^\s@<>\"]+@[^\s@<>\"]+", contact):
        return f"mailto:{contact}"
    return contact if re.match(r"https?://\S+$", contact) else None


def changed(name: str, before: Any, after: Any) -> str:
    """Return one change of the notice in words."""
    place, _, rest = name.partition(".")
    if place == "retention":
        kept = Retention.named(rest)
        return _line(label(kept), f"{_days_or_none(kept, before)} → {_days_or_none(kept, after)}")
    if place in ("stored", "received"):
        return _line(_words_of(name), f"{_forms_or_none(before)} → {_forms_or_none(after)}")
    return _line(gettext(_CHANGED[name]), f"{before or '–'} → {after or '–'}")


def _days_or_none(retention: Retention, value: Any) -> str:
    return "–" if value is None else _days_of(retention, int(value))


def _forms_or_none(value: Any) -> str:
    names = [Form.NOT_STORED.value] if value is None else [value] if isinstance(value, str) else value
    return ", ".join(label(Form.named(name)) for name in names)


def _words_of(name: str) -> str:
    place, _, rest = name.partition(".")
    table, _, column = rest.partition(".")
    if place == "stored":
        item = STORED.get(table, {}).get(column)
        return rest if item is None else gettext(item.words)
    found = [each.words for each in RECEIVED if each.name == rest]
    return gettext(found[0]) if found else rest


def as_data(notice: Notice, language: str, appeal: str) -> dict[str, Any]:
    """Return a notice as plain data; names are for machines, ``words`` in the reader's language.

    Parameters
    ----------
    notice : Notice
    language : str
    appeal : str
        Address at which a commenter asks for a person to look.
    """
    return {
        "language": language,
        "site": None if notice.site is None else notice.site.address,
        "fingerprint": notice.fingerprint,
        "controller": {"name": notice.controller.name or None, "contact": notice.controller.contact or None},
        "received": [
            {
                "name": each.name,
                "words": gettext(each.words),
                "source": each.source.value,
                "forms": [form.value for form in forms_of(each)],
                "used": each.used,
            }
            for each in RECEIVED
        ],
        "stored": [
            {
                "name": f"{table}.{name}",
                "words": gettext(item.words),
                "source": item.source.value,
                "form": item.form.value,
                "purposes": [purpose.value for purpose in item.purposes],
                "legal_basis": sorted({purpose.basis.value for purpose in item.purposes}),
                "retention": item.retention.value,
                "seen_by": [each.value for each in item.seen_by],
                "model_learns": item.learnt,
            }
            for table in TABLES
            for name, item in STORED[table].items()
        ],
        "retention_days": {
            each.value: n_days if n_days or each is Retention.COMPANY else None
            for each, n_days in notice.days.items()
        },
        "decision": {
            "unsure": notice.unsure.value,
            "discard": notice.discard,
            "log_only": notice.log_only,
            "unsure_from": _finite(None if notice.cut_offs is None else notice.cut_offs.unsure_from),
            "spam_from": _finite(None if notice.cut_offs is None else notice.cut_offs.spam_from),
            "human_review": True,
            "appeal": appeal,
        },
        "example": _example(notice),
        "recipients": ["site"] if notice.tells_site else [],
        "changes": [
            {
                "at": change.at.isoformat(),
                "fingerprint": change.fingerprint,
                "changed": [
                    {"name": name, "before": before, "after": after} for name, before, after in change.changed
                ],
            }
            for change in notice.changes
        ],
        "site_changed_at": None if notice.site_changed_at is None else notice.site_changed_at.isoformat(),
    }


def _finite(value: float | None) -> float | None:
    return value if value is not None and value <= 1.0 else None


def _example(notice: Notice) -> dict[str, Any] | None:
    if notice.example is None:
        return None
    return {
        "author": EXAMPLE.author,
        "text": EXAMPLE.body,
        "score": round(notice.example.score, 6),
        "decision": notice.example.decision.value,
        "model": notice.example.version,
        "reasons": [
            {"words": reason(clue)[0], "weight": round(clue.weight, 3)} for clue in notice.example.reasons
        ],
    }
