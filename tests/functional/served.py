"""Serves the application with a made-up model; a program for the tests of the real server.

Without a word it is a model made of one word list; ``toy`` is a real one, fitted on a made-up corpus, which can
be taught. Its folder is the second word, so that all workers share one file.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flask import Flask

from model import artifact
from service.app import create_app
from service.champion import Scorer
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
        scorer: Scorer = artifact.load(Path(sys.argv[2])) if sys.argv[1:2] == ["toy"] else KeywordScore()
        return create_app(settings, scorer=scorer)

    serve(settings, application)


if __name__ == "__main__":
    main()
