"""What is kept of a comment: the declared columns, cut to their caps, identities as keyed hashes."""

from __future__ import annotations

from typing import Any

from model.comment import Comment
from service.pseudonyms import Pseudonyms

#: Longest text kept, in characters; what is longer is cut. The whole text is judged all the same.
CAPS = {
    "body": 65_536,
    "author": 500,
    "email_domain": 255,
    "url": 2_000,
    "permalink": 2_000,
    "kind": 100,
    "site_lang": 200,
    "referrer": 2_000,
    "honeypot": 500,
    "nonce": 20,
    "user_role": 200,
    "recheck_reason": 200,
    "callback": 2_000,
    "tag": 200,
}
MAX_TAGS = 50

#: Columns that ``checks`` and ``feedback`` share.
COMMENT_COLUMNS = tuple(
    "body author email_hash email_domain url ip_hash permalink kind tags site_lang referrer honeypot nonce"
    " user_role".split()
)


def cut(name: str, value: str) -> str:
    """Cut a text to its column's cap."""
    return value[: CAPS[name]]


def comment_values(comment: Comment, *, ip: str, user_role: str, pseudonyms: Pseudonyms) -> dict[str, Any]:
    """Return the values of the columns that ``checks`` and ``feedback`` share."""
    _, at, domain = comment.email.strip().rpartition("@")
    return {
        "body": cut("body", comment.body),
        "author": cut("author", comment.author),
        "email_hash": pseudonyms.of_email(comment.email),
        "email_domain": cut("email_domain", domain.lower()) if at else "",
        "url": cut("url", comment.url),
        "ip_hash": pseudonyms.of_ip(ip),
        "permalink": cut("permalink", comment.permalink),
        "kind": cut("kind", comment.kind),
        "tags": [cut("tag", tag) for tag in comment.tags[:MAX_TAGS]],
        "site_lang": cut("site_lang", comment.site_lang),
        "referrer": cut("referrer", comment.referrer),
        "honeypot": None if comment.honeypot is None else cut("honeypot", comment.honeypot),
        "nonce": cut("nonce", comment.nonce),
        "user_role": cut("user_role", user_role),
    }
