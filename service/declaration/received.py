"""Everything that a request can carry, on both wires and with an appeal: what is about a commenter, and what is not."""

from __future__ import annotations

from service.declaration.stored import STORED
from service.declaration.terms import Form, Received, Source, mark


def _same(column: str, *, akismet: str, v1: str = "", name: str = "") -> Received:
    """Declare what is kept under its own words."""
    item = STORED["checks"].get(column) or STORED["feedback"][column]
    return Received(
        name or column,
        item.words,
        item.source,
        tuple(akismet.split()),
        tuple(f"CommentIn.{field}" for field in v1.split()),
        columns=(column,),
    )


def _of_appeal(name: str, column: str = "") -> Received:
    """Declare what comes with an appeal, under the words of the column that keeps it."""
    item = STORED["appeals"][column or name]
    return Received(
        f"appeal_{name}", item.words, item.source, appeal=(name,), columns=(f"appeals.{column or name}",)
    )


RECEIVED: tuple[Received, ...] = (
    _same("body", akismet="comment_content", v1="content"),
    _same("author", akismet="comment_author", v1="author"),
    Received(
        "email",
        STORED["checks"]["email_hash"].words,
        Source.COMMENTER,
        ("comment_author_email",),
        ("CommentIn.author_email",),
        columns=("email_hash", "email_domain"),
    ),
    _same("url", akismet="comment_author_url", v1="author_url"),
    _same("ip_hash", akismet="user_ip", v1="user_ip", name="ip"),
    Received(
        "user_agent",
        mark("the name and version of the browser"),
        Source.BROWSER,
        ("user_agent",),
        ("CommentIn.user_agent",),
        used=False,
    ),
    _same("referrer", akismet="referrer", v1="referrer"),
    _same("permalink", akismet="permalink", v1="permalink"),
    Received("post_title", mark("the page's title"), Source.SITE, (), ("CommentIn.post_title",)),
    Received("post_text", mark("the page's text"), Source.SITE, (), ("CommentIn.post_text",), used=False),
    _same("tags", akismet="comment_context", v1="tags"),
    _same("kind", akismet="comment_type content_type", v1="comment_type"),
    _same("site_lang", akismet="blog_lang", v1="site_lang"),
    _same("honeypot", akismet="honeypot_field_name POST_ak_hp_textarea", v1="honeypot"),
    _same("nonce", akismet="akismet_comment_nonce"),
    _same("user_role", akismet="user_role", v1="user_role"),
    Received(
        "reporter",
        STORED["feedback"]["reporter_hash"].words,
        Source.MODERATOR,
        ("reporter",),
        ("FeedbackIn.reporter",),
        columns=("reporter_hash",),
    ),
    Received(
        "rest",
        mark(
            "everything else that the site's software sends along, such as the other headers of your browser"
        ),
        Source.BROWSER,
        ("*",),
        used=False,
    ),
    Received(
        "identity",
        mark(
            "what you give to have your data found: e-mail address, IP address, name or the name of a check"
        ),
        Source.COMMENTER,
        v1=("PersonIn.email", "PersonIn.ip", "PersonIn.author", "PersonIn.guids"),
        to_find=True,
    ),
    _of_appeal("email", "email_hash"),
    _of_appeal("reference"),
    _of_appeal("message"),
    _of_appeal("address", "ip_hash"),
    Received(
        "appeal_homepage",
        mark("what is typed into a hidden field of the form with which you ask for a person to look"),
        Source.COMMENTER,
        appeal=("homepage",),
    ),
)

#: Fields of the Akismet wire that say nothing about a commenter.
AKISMET_OF_OTHERS = frozenset(
    "api_key key blog blog_charset charset recheck_reason callback is_test test_discard comment_check_response"
    " from limit offset order month format filter extended".split()
)
#: Fields of ``/v1`` that say nothing about a commenter.
V1_OF_OTHERS = frozenset(
    "Authorization Idempotency-Key CommentIn.site CheckIn.id CheckIn.recheck_reason CheckIn.is_test"
    " BatchIn.comments FeedbackIn.label FeedbackIn.guid FeedbackIn.comment FeedbackIn.is_test"
    " PersonIn.site EraseIn.lists RestrictIn.restricted"
    " RetentionIn.comments_days RetentionIn.feedback_days RetentionIn.counts_days"
    " PolicyIn.budget_per_thousand PolicyIn.unsure PolicyIn.discard PolicyIn.log_only PolicyIn.counts_silence"
    " PromoteIn.version PromoteIn.why RollbackIn.why CompareIn.champion CompareIn.challenger NearCopiesIn.days"
    " CorrectIn.guids CorrectIn.days WebhookIn.mode WebhookIn.key guid site entry version run appeal"
    " ResolutionIn.outcome ResolutionIn.checks".split()
)
#: Fields of the form for appeals, and of its address, that say nothing about a commenter.
APPEAL_OF_OTHERS = frozenset("site lang".split())
#: What an admin writes into a site's list through ``/v1``; declared with the table that keeps it.
V1_OF_LISTS = frozenset("EntryIn.side EntryIn.kind EntryIn.value".split())
#: What an admin notes of an appeal through ``/v1``; declared with the table that keeps it.
V1_OF_APPEALS = frozenset({"ResolutionIn.note"})


_V1_NAMES = frozenset(
    field.rpartition(".")[2]
    for field in {name for each in RECEIVED for name in each.v1} | V1_OF_OTHERS | V1_OF_LISTS | V1_OF_APPEALS
)


def is_v1_field(place: str) -> bool:
    """Tell whether a place in a request to ``/v1`` is made of our own names, such as ``comments.0.site``."""
    return all(part in _V1_NAMES or part.isdecimal() for part in place.split("."))


def forms_of(received: Received) -> tuple[Form, ...]:
    """Return the forms in which something received is kept, ``NOT_STORED`` alone if it is not."""
    columns = STORED["checks"] | STORED["feedback"]
    columns |= {f"appeals.{name}": item for name, item in STORED["appeals"].items()}
    found = tuple(dict.fromkeys(columns[name].form for name in received.columns))
    return found or (Form.NOT_STORED,)
