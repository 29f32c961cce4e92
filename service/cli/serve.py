"""``replyguard serve``: start the service, with a first key where there is none."""

from __future__ import annotations

import os
import shlex
import sys

import click
from flask import Flask

from service.app import create_app, warm_up
from service.cli.run import prepared, read_settings
from service.server import serve as run_server
from service.settings import Settings
from service.startup import remember_notice


@click.command()
def serve() -> None:
    """Start the service; make what it needs and a first API key if there is none."""
    settings = read_settings()
    made = prepared(settings, first_key=True).first_key
    if made is not None:
        click.echo(_welcome(settings, made.text))
    remember_notice(settings)
    companion = (
        [sys.executable, "-m", "service", "worker", "--parent", str(os.getpid())]
        if settings.run_worker
        else None
    )
    run_server(settings, lambda: _application(settings), companion=companion)


def _application(settings: Settings) -> Flask:
    app = create_app(settings)
    warm_up(app)
    return app


def _welcome(settings: Settings, key: str) -> str:
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared only
    shown = f"[{host}]" if ":" in host else host
    fields = {
        "api_key": key,
        "blog": "https://blog.example.org",
        "user_ip": "192.0.2.1",
        "comment_author": "Maud",
        "comment_content": "Thank you, the part about winter tyres saved my Saturday.",
    }
    data = " ".join(f"--data-urlencode {shlex.quote(f'{name}={value}')}" for name, value in fields.items())
    return (
        f"\nYour first API key, shown this once: {key}\n\n"
        f"Try it:\n  curl -si http://{shown}:{settings.port}/1.1/comment-check {data}\n\n"
        "Next: give the key to your site's Akismet client and point the client here (docs/api-akismet.md).\n"
        "More keys: replyguard keys create --site https://your.site --label 'its name'\n"
    )
