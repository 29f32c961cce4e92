"""The service itself, its keys and its sites, and what is set for or learnt from a site."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from service.declaration.stored import held
from service.schema.columns import UtcDateTime, metadata

meta = Table(
    "meta",
    metadata,
    Column("name", String(40), primary_key=True),
    Column("value", Text, nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("digest", String(64), nullable=False, unique=True),
    Column("hint", String(4), nullable=False),
    Column("label", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("revoked_at", UtcDateTime),
    # site or admin
    Column("scope", String(10), nullable=False, server_default="site"),
)

sites = Table(
    "sites",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("address", Text, nullable=False, unique=True),
    Column("display", Text, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

key_sites = Table(
    "key_sites",
    metadata,
    Column("key_id", ForeignKey("api_keys.id"), primary_key=True),
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
)

site_policies = Table(
    "site_policies",
    metadata,
    Column("site_id", ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True),
    # What is NULL is left to the settings and the model.
    Column("budget_per_thousand", Float),
    Column("unsure", String(10)),
    Column("discard", Boolean, nullable=False),
    Column("log_only", Boolean, nullable=False),
    Column("counts_silence", Boolean, nullable=False),
    # Whether the site is told of corrections: off, public, private (its addresses may be of a private network).
    Column("webhook", String(10), nullable=False, server_default="off"),
    # The key that the site expects, encrypted under the secret.
    Column("webhook_key", Text),
    Column("changed_at", UtcDateTime, nullable=False),
    CheckConstraint("unsure IN ('publish', 'hold', 'spam')", name="unsure"),
)

list_entries = Table(
    "list_entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("site_id", ForeignKey("sites.id", ondelete="CASCADE"), nullable=False),
    Column(
        "side",
        String(5),
        nullable=False,
        info=held("list_entries.side"),
    ),
    Column(
        "kind",
        String(10),
        nullable=False,
        info=held("list_entries.kind"),
    ),
    Column(
        "value",
        Text,
        nullable=False,
        info=held("list_entries.value"),
    ),
    Column(
        "hint",
        Text,
        nullable=False,
        info=held("list_entries.hint"),
    ),
    Column("created_at", UtcDateTime, nullable=False, info=held("list_entries.created_at")),
    CheckConstraint("side IN ('allow', 'deny')", name="side"),
    CheckConstraint("kind IN ('email', 'domain', 'ip', 'word')", name="kind"),
    UniqueConstraint("site_id", "kind", "value"),
)

# What the budget of a site means as cut-offs; can be computed again from `checks` and `feedback` at any time.
calibrations = Table(
    "calibrations",
    metadata,
    Column("site_id", ForeignKey("sites.id", ondelete="CASCADE"), primary_key=True),
    Column("model_version", Text, nullable=False),
    Column("computed_at", UtcDateTime, nullable=False),
    Column("content", JSON, nullable=False, info=held("calibrations.content")),
)

# One row per site that was ever taught: what a verdict there rests on beside the model.
site_learning = Table(
    "site_learning",
    metadata,
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
    # Rises with everything that changes what the site has learnt.
    Column("version", Integer, nullable=False),
    # Numbers of checks that were let through and that new labels must not carry away.
    Column("anchors", JSON, nullable=False, server_default="[]"),
)

# Worked out from the feedback and kept so that not every worker has to; may be deleted at any time.
site_weights = Table(
    "site_weights",
    metadata,
    Column("site_id", ForeignKey("sites.id"), primary_key=True),
    Column("model_version", String(100), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("weights", LargeBinary, nullable=False, info=held("site_weights.weights")),
)
