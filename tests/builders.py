"""Made-up comments and requests, with only what a test cares about spelled out."""

from __future__ import annotations

from typing import Any

from model.comment import Comment

ALICE_KEY = "a11ce0000001"
BOB_KEY = "b0b000000002"
UNKNOWN_KEY = "ffffffffffff"
ALICE_SITE = "https://alice.example.com"
BOB_SITE = "https://bob.example.net"


def a_comment(**overrides: Any) -> Comment:
    """Return a polite comment."""
    values: dict[str, Any] = {
        "body": "Thank you, the part about winter tyres saved my Saturday.",
        "author": "Maud",
        "email": "maud@mail.example.org",
        "url": "https://maud.example.org/",
        "site": ALICE_SITE,
    }
    return Comment(**(values | overrides))


def a_form(**overrides: str | None) -> dict[str, str]:
    """Return the fields of a comment-check; a field overridden by None is left out."""
    values: dict[str, str | None] = {
        "api_key": ALICE_KEY,
        "blog": ALICE_SITE,
        "user_ip": "198.51.100.7",
        "user_agent": "Mozilla/5.0 (made up)",
        "referrer": "https://alice.example.com/tyres",
        "permalink": "https://alice.example.com/tyres",
        "comment_type": "comment",
        "comment_author": "Maud",
        "comment_author_email": "maud@mail.example.org",
        "comment_author_url": "https://maud.example.org/",
        "comment_content": "Thank you, the part about winter tyres saved my Saturday.",
    }
    return {name: value for name, value in (values | overrides).items() if value is not None}
