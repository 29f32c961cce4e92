"""Tells commenters what is kept of them, rendered from the tables that keep it."""

from __future__ import annotations

from flask import Blueprint, render_template

from service.schema import checks, company_marks, feedback, list_entries

privacy = Blueprint("privacy", __name__)


def kept_items(table_name: str) -> list[str]:
    """Return what one table keeps, in a commenter's words, in the order of its columns."""
    table = {each.name: each for each in (checks, company_marks, feedback, list_entries)}[table_name]
    return [column.info["notice"] for column in table.columns if "notice" in column.info]


@privacy.get("/privacy")
def notice() -> str:
    """Answer the notice that the line under the comment form links to."""
    in_checks = kept_items("checks")
    in_feedback = [item for item in kept_items("feedback") if item not in in_checks]
    return render_template(
        "privacy.html",
        in_checks=in_checks,
        in_marks=kept_items("company_marks"),
        in_feedback=in_feedback,
        in_lists=kept_items("list_entries"),
    )
