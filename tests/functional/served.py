"""Serves the application with a model made of one word list; a program for the tests of the real server."""

from __future__ import annotations

import os
import sys

from flask import Flask

from service.app import create_app
from service.logs import configure_logging
from service.server import serve
from service.settings import load_settings
from service.startup import prepare
from tests.fakes import KeywordScore


def main() -> None:
    settings = load_settings(os.environ)
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    made = prepare(settings, first_key=True).first_key
    sys.stdout.write(f"first key: {made.text if made else 'none'}\n")
    sys.stdout.flush()

    def application() -> Flask:
        return create_app(settings, scorer=KeywordScore())

    serve(settings, application)


if __name__ == "__main__":
    main()
