"""What our own API takes and gives; the OpenAPI document is made from these."""

from __future__ import annotations

import datetime as dt
import enum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from model.comment import Label
from service.appeals import MAX_NOTE_CHARS
from service.cutoffs import MAX_BUDGET, MIN_BUDGET, Basis
from service.lists import Kind, Side
from service.retention import MAX_DAYS
from service.settings import UnsureAnswer
from service.sites import InvalidSite, parse_site

MAX_BATCH = 100
_ID = Field(min_length=1, max_length=200)


def _site(text: str) -> str:
    try:
        parse_site(text)
    except InvalidSite as error:
        raise ValueError(f"{error}; send the site's full URL") from None
    return text


def _without_nul(text: str) -> str:
    # PostgreSQL keeps none.
    return text.replace("\0", "\ufffd")


Text = Annotated[str, AfterValidator(_without_nul)]
Site = Annotated[str, AfterValidator(_site)]


class Model(BaseModel):
    """Base of all: unknown fields are refused, and no error quotes what was sent."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)


class Answer(enum.Enum):
    """What the site is to do."""

    HAM = "ham"
    SPAM = "spam"
    HOLD = "hold"


class CommentIn(Model):
    """A comment as its site got it. What is not known is left out."""

    site: Site = Field(description="The site's full URL.")
    content: Text = Field(description="The text as it was typed, markup included.")
    author: Text = Field(default="", description="The name that the commenter gave.")
    author_email: Text = Field(default="", description="Kept as a keyed hash.")
    author_url: Text = ""
    user_ip: Text = Field(default="", description="The commenter's IP address; kept as a keyed hash.")
    user_agent: Text = Field(default="", description="Not kept.")
    referrer: Text = ""
    permalink: Text = Field(default="", description="Address of the page under which the comment stands.")
    post_title: Text = Field(default="", description="Not kept.")
    post_text: Text = Field(default="", description="The beginning of the page's text; not kept.")
    tags: list[Text] = Field(default=[], max_length=200, description="The page's tags and categories.")
    comment_type: Text = Field(
        default="", description="comment, reply, trackback, pingback, contact-form ..."
    )
    site_lang: Text = Field(default="", description="The site's languages, such as: en, fr_ca.")
    honeypot: Text | None = Field(
        default=None, description="What was typed into a field that people cannot see; null if there is none."
    )
    user_role: Text = Field(
        default="", description="The commenter's roles on the site; an administrator is never spam."
    )


class CheckIn(CommentIn):
    """A comment to judge."""

    id: Annotated[str, _ID] | None = Field(
        default=None,
        description="Your name for this request, up to 200 characters; unique per key. The same request under the"
        " same name is judged and counted once.",
    )
    recheck_reason: Text = ""
    is_test: bool = Field(default=False, description="Recorded as a test; neither counted nor learnt from.")


class BatchIn(Model):
    """Comments to judge together: all are recorded, or none."""

    comments: list[CheckIn] = Field(min_length=1, max_length=MAX_BATCH)


class Reason(Model):
    """One reason behind a verdict."""

    text: str = Field(description="Fit to follow 'because'.")
    weight: float = Field(description="What it adds to the score's log-odds; positive speaks for spam.")
    field: str = Field(description="Where it was found; rule if a rule decided.")


class Verdict(Model):
    """What was decided on a comment."""

    guid: str = Field(description="The verdict's name: 32 hex digits.")
    id: str | None = Field(default=None, description="Your name for the request, in the answer to it.")
    repeated: bool = Field(
        default=False, description="Whether the request was judged before under the same name."
    )
    created_at: dt.datetime
    site: str
    answer: Answer = Field(description="What to do: publish ham, hide spam, hold what is unsure.")
    would_answer: Answer | None = Field(
        default=None, description="Set where the site's policy is to log only; answer is then always ham."
    )
    discard: bool = Field(description="Whether it is so blatant that nobody need see it.")
    decision: Literal["ham", "unsure", "spam"]
    decided_by: Literal["model", "administrator", "guaranteed-spam", "allow-list", "deny-list"]
    score: float = Field(description="The model's probability of spam, in [0, 1].")
    log_odds: float = Field(description="Of the score: bias, the weights of the reasons, and rest.")
    bias: float | None = Field(
        description="Log-odds of a comment without any reason; null in verdicts from before it was kept."
    )
    rest: float | None = Field(
        description="Sum of the weights of the reasons that are not listed; null where bias is."
    )
    model: str = Field(description="The version that gave the score.")
    is_test: bool
    reasons: list[Reason] = Field(description="Strongest first, the 20 strongest at most.")


class Verdicts(Model):
    """The verdicts of a batch, in its order."""

    verdicts: list[Verdict]


class FeedbackIn(Model):
    """What a person says of a comment: named by its verdict, or given again."""

    label: Literal["ham", "spam"]
    guid: str | None = Field(default=None, pattern="^[0-9a-f]{32}$", description="Name of the verdict.")
    comment: CommentIn | None = Field(
        default=None, description="The comment, if the verdict's name is not known."
    )
    reporter: Text = Field(default="", description="The moderator's login; kept as a keyed hash.")
    is_test: bool = Field(default=False, description="With comment only: neither counted nor learnt from.")


class FeedbackOut(Model):
    """What became of it."""

    label: Literal["ham", "spam"]
    site: str
    new: bool = Field(description="False if the same was said before.")


class PolicyIn(Model):
    """What a site wants. What is left out takes its default, whatever was there before."""

    budget_per_thousand: float | None = Field(
        default=None,
        strict=True,
        ge=MIN_BUDGET,
        le=MAX_BUDGET,
        description="Real comments of 1,000 that may be held; null: the service's own cut-offs.",
    )
    unsure: UnsureAnswer | None = Field(default=None, description="null: as the service's settings say.")
    discard: bool = Field(
        default=True, description="Whether verdicts may say that nobody need see a comment."
    )
    log_only: bool = Field(
        default=False, description="Always answer ham, and record what would have been answered."
    )
    counts_silence: bool = Field(
        default=False, description="Whether comments let through and not corrected for 14 days count as real."
    )


def _without_defaults(schema: dict[str, Any]) -> None:
    for field in schema["properties"].values():
        del field["default"]


class PolicyChange(PolicyIn):
    """What is to change of what a site wants. What is left out stays as it is; give one field at least."""

    model_config = ConfigDict(json_schema_extra=_without_defaults)


class RetentionIn(Model):
    """For how many days a site's data is kept; null leaves it to the settings, 0 keeps it until it is erased."""

    comments_days: int | None = Field(default=None, ge=0, le=MAX_DAYS, description="Checked comments.")
    feedback_days: int | None = Field(
        default=None, ge=0, le=MAX_DAYS, description="Moderators' corrections with their comments."
    )
    counts_days: int | None = Field(default=None, ge=0, le=MAX_DAYS, description="Daily counts.")


class RetentionOut(Model):
    """What a site sets, and what applies."""

    site: str
    own: RetentionIn
    days: dict[str, int | None] = Field(
        description="By class; null: until it is erased. company 0: not kept at all."
    )


class PurgeOut(Model):
    """One purge."""

    origin: Literal["command", "schedule"]
    started_at: dt.datetime
    finished_at: dt.datetime | None = Field(description="null while it runs.")
    deleted: dict[str, int] = Field(description="Rows, by class of retention.")
    error: str | None = Field(description="Why it did not come to its end.")


class Purges(Model):
    """The latest purges, newest first."""

    purges: list[PurgeOut]


class CutOffsOut(Model):
    """Lowest scores of each range; null: no score."""

    unsure_from: float | None
    spam_from: float | None
    discard_from: float | None
    basis: Basis = Field(description="The site's own comments, those of other sites, or the model's own.")
    statement: str = Field(description="How sure it is, in a sentence.")


class PolicyOut(Model):
    """A site's policy and what follows from it."""

    site: str
    policy: PolicyIn
    unsure: UnsureAnswer = Field(description="What applies.")
    cut_offs: CutOffsOut | None = Field(description="null while no model is there.")


class SiteOut(Model):
    """A site in the list."""

    site: str
    created_at: dt.datetime
    policy: PolicyIn
    n_list_entries: int


class Sites(Model):
    """The sites, by address."""

    sites: list[SiteOut]


class EntryIn(Model):
    """An entry for a site's lists; allow goes before deny."""

    side: Side
    kind: Kind
    value: str = Field(
        description="An e-mail address, a domain, an IP address or range (CIDR), or a word or phrase."
    )


class EntryOut(Model):
    """An entry as it is kept."""

    id: int
    side: Side
    kind: Kind
    value: str = Field(description="Normal form; of an e-mail address only a hint.")


class Entries(Model):
    """The entries of a site's lists, oldest first."""

    entries: list[EntryOut]


class AppealOut(Model):
    """A commenter's request for a person to look."""

    number: str
    created_at: dt.datetime
    site: str | None = Field(description="null if no site that is known was named.")
    language: str = Field(description="Of the form that was filled in.")
    by: Literal["email", "reference"] = Field(description="What there is to find the comment by.")
    message: str
    resolved_at: dt.datetime | None
    outcome: Literal["released", "kept", "no-record", "duplicate"] | None
    resolved_by: str | None
    note: str | None


class AppealsOut(Model):
    """The open appeals."""

    n_open: int
    appeals: list[AppealOut]


class AppealedComment(Model):
    """A comment that an appeal may be about."""

    verdict: Verdict
    author: str
    content: str
    author_url: str
    permalink: str
    label: Label | None = Field(description="What a person has said of it.")


class AppealDetail(Model):
    """An appeal with what it may be about, found when it is asked for."""

    appeal: AppealOut
    comments: list[AppealedComment] = Field(description="Latest first, 50 at most.")
    others: list[AppealOut] = Field(description="With the same e-mail address or reference.")


class ResolutionIn(Model):
    """What an admin decided."""

    outcome: Literal["released", "kept", "no-record", "duplicate"]
    checks: list[str] = Field(
        default=[],
        max_length=50,
        description="Names of the verdicts to release; may be left out where only one was held.",
    )
    note: Text = Field(default="", max_length=MAX_NOTE_CHARS)


class ToldOut(Model):
    """What became of telling a site of a correction."""

    site: str
    n_changed: int
    problem: str | None


class ResolutionOut(Model):
    """What was done."""

    appeal: AppealOut
    released: list[str]
    n_new: int = Field(description="Of these, called ham now for the first time.")
    told: list[ToldOut]


class FieldError(Model):
    """A field that cannot be used."""

    field: str
    message: str


class ProblemOut(BaseModel):
    """A request that was not served (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []
