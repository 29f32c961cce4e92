"""The tables, as SQLAlchemy Core objects; how they come about and change is in ``migrations``."""

from __future__ import annotations

from service.schema.appeals import appeals
from service.schema.columns import MAX_ROW_ID, UTC_TEXT, UtcDateTime, metadata
from service.schema.comments import checks, company_marks, daily_counts, feedback
from service.schema.sites import (
    api_keys,
    calibrations,
    key_sites,
    list_entries,
    meta,
    site_learning,
    site_policies,
    site_weights,
    sites,
)
from service.schema.training import model_events, training_events, training_runs
from service.schema.upkeep import purges, receipts, site_retention

__all__ = [
    "MAX_ROW_ID",
    "UTC_TEXT",
    "UtcDateTime",
    "api_keys",
    "appeals",
    "calibrations",
    "checks",
    "company_marks",
    "daily_counts",
    "feedback",
    "key_sites",
    "list_entries",
    "meta",
    "metadata",
    "model_events",
    "purges",
    "receipts",
    "site_learning",
    "site_policies",
    "site_retention",
    "site_weights",
    "sites",
    "training_events",
    "training_runs",
]
