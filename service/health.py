"""For those who run the service: is it alive, is it ready; and a page for who looks at the root."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, render_template

from model import __version__
from service.components import components

health = Blueprint("health", __name__)


@health.get("/healthz")
def healthz() -> Response:
    """Answer that the process lives; looks at nothing else."""
    return jsonify(status="alive")


@health.get("/readyz")
def readyz() -> tuple[Response, int]:
    """Answer whether comments can be judged and recorded now; 503 and the reasons if not."""
    state = components().readiness.state()
    body = jsonify(ready=state.ready, reasons=state.reasons, warnings=state.warnings, model=state.model)
    return body, 200 if state.ready else 503


@health.get("/")
def front() -> str:
    """Say what this is."""
    return render_template("front.html", version=__version__)
