"""The endpoints about keys and their use: everything but the comments themselves."""

from __future__ import annotations

import csv
import io
import re

from flask import Blueprint, Response

from service.akismet import answers
from service.akismet.authentication import authenticate, key_text, site_if_given
from service.akismet.fields import flag
from service.akismet.form import Form
from service.akismet.refusal import Refused
from service.akismet.views import request_form, request_host
from service.components import components
from service.sites import SiteAddress
from service.statistics import Order, Report
from service.stores.counts import SiteCounts
from service.stores.keys import Key

account = Blueprint("akismet_account", __name__)

_DEFAULT_SPAN = "6-months"
_MAX_SITES = 10_000


def _caller(form: Form, *fields: str) -> tuple[Key, SiteAddress | None]:
    key = authenticate(form, request_host(), components().keys, fields=fields or ("key", "api_key"))
    return key, site_if_given(form, key)


@account.get("/1.1/test")
def connectivity() -> Response:
    return answers.plain("connected")


@account.post("/1.1/verify-key")
def verify_key() -> Response:
    # ``key`` is the key asked about; WordPress adds the one it already has as ``api_key``.
    _caller(request_form())
    return answers.plain("valid")


@account.post("/1.1/deactivate")
def deactivate() -> Response:
    # The plugin takes its leave; the key and what was recorded stay, since it may come back.
    _caller(request_form())
    return answers.plain("deactivated")


@account.post("/1.1/token")
def token() -> Response:
    key, _ = _caller(request_form(), "api_key", "key")
    return answers.plain(components().keys.token(key))


@account.post("/1.1/get-subscription")
def get_subscription() -> Response:
    key, _ = _caller(request_form())
    return answers.as_json(
        {
            "account_id": key.id,
            "account_type": "self-hosted",
            "account_name": key.label or "Replyguard",
            "status": "active",
            "next_billing_date": False,
            "limit_reached": False,
        }
    )


@account.post("/1.1/get-stats")
def get_stats() -> Response:
    form = request_form()
    key, site = _caller(form)
    return answers.as_json(_stats(form, key, site))


@account.post("/1.2/get-key-stats")
def get_key_stats() -> Response:
    form = request_form()
    key, _ = _caller(form)
    return answers.as_json(_stats(form, key, None))


@account.route("/1.2/usage-limit", methods=["GET", "POST"])
def usage_limit() -> Response:
    form = request_form()
    key, _ = _caller(form, "api_key", "key")
    usage: dict[str, object] = {
        "limit": "none",
        "usage": components().statistics.calls_this_month(key),
        "percentage": "0.00",
        "throttled": False,
    }
    if flag(form, "extended"):
        usage |= {"notice_level": 0, "upgrade": False}
    return answers.as_json(usage)


@account.route("/1.2/key-sites", methods=["GET", "POST"])
def key_sites() -> Response:
    form = request_form()
    # Without a site: the list is of the whole key, and no client sends one.
    fields = ("api_key", "key")
    key = authenticate(form, request_host(), components().keys, fields=fields)
    form_of_answer = form.text("format").strip().lower() or "json"
    if form_of_answer not in ("json", "csv"):
        raise Refused("Invalid field format: send json or csv")
    limit, offset = _number(form, "limit", 500), _number(form, "offset", 0)
    try:
        order = Order(form.text("order").strip().lower() or Order.TOTAL.value)
    except ValueError:
        raise Refused(f"Invalid field order: send {', '.join(each.value for each in Order)}") from None
    asked_month = form.text("month").strip()
    try:
        month = components().statistics.month(asked_month)
        page = components().statistics.sites(
            key, month, containing=form.text("filter").strip(), order=order, limit=limit, offset=offset
        )
    except ValueError as error:
        raise Refused(f"Invalid field month: {error}") from None
    if form_of_answer == "json":
        rows = [_site_row(entry, key) for entry in page.sites]
        return answers.as_json({month: rows, "limit": limit, "offset": offset, "total": page.total})
    shown = key_text(form, request_host(), fields=fields)
    title = (
        f"Active sites for {shown} during {month} (limit:{limit}, offset: {offset}, total: {page.total})\n"
    )
    return Response(title + _csv([_site_row(entry, key) for entry in page.sites]), content_type="text/csv")


@account.get("/1.2/compatible-plugins")
def compatible_plugins() -> Response:
    return answers.as_json([])


def _stats(form: Form, key: Key, site: SiteAddress | None) -> dict[str, object]:
    try:
        report = components().statistics.report(key, form.text("from").strip() or _DEFAULT_SPAN, site=site)
    except ValueError as error:
        raise Refused(f"Invalid field from: {error}") from None
    return _render_report(report)


def _render_report(report: Report) -> dict[str, object]:
    return {
        "spam": report.total.spam,
        "ham": report.total.ham,
        "missed_spam": report.total.missed_spam,
        "false_positives": report.total.false_positives,
        "accuracy": f"{report.accuracy:.2f}",
        "time_saved": report.time_saved_s,
        "breakdown": {
            period.name: {
                "spam": period.counts.spam,
                "ham": period.counts.ham,
                "missed_spam": period.counts.missed_spam,
                "false_positives": period.counts.false_positives,
                "blogs": period.n_sites,
                "da": period.first_day.isoformat(),
            }
            for period in report.periods
        },
    }


def _site_row(entry: SiteCounts, key: Key) -> dict[str, object]:
    return {
        "site": entry.address,
        "api_calls": str(entry.counts.calls),
        "spam": str(entry.counts.spam),
        "ham": str(entry.counts.ham),
        "missed_spam": str(entry.counts.missed_spam),
        "false_positives": str(entry.counts.false_positives),
        # A key that was tied to sites later no longer serves the others.
        "is_revoked": bool(key.sites) and entry.address not in key.sites,
    }


def _csv(rows: list[dict[str, object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        ["Site", "Total API Calls", "Spam", "Ham", "Missed Spam", "False Positives", "Is Revoked"]
    )
    for row in rows:
        writer.writerow([str(value).lower() if isinstance(value, bool) else value for value in row.values()])
    return text.getvalue()


def _number(form: Form, name: str, default: int) -> int:
    text = form.text(name).strip()
    if not text:
        return default
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) > _MAX_SITES:
        raise Refused(f"Invalid field {name}: send a number from 0 to {_MAX_SITES}")
    return int(text)
