"""What every command does first: read the settings, set up the log, make ready."""

from __future__ import annotations

import os

from service.cli.stop import StopCommand
from service.logs import configure_logging
from service.migrating import SchemaUnknown
from service.pseudonyms import SecretUnusable
from service.settings import Settings, SettingsError, load_settings
from service.startup import Prepared, StartRefused, prepare


def read_settings() -> Settings:
    """Read the settings and set up the log, or stop naming what is wrong."""
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        raise StopCommand(*error.problems, exit_code=2) from error
    configure_logging(log_format=settings.log_format, level=settings.log_level)
    return settings


def prepared(settings: Settings, *, first_key: bool) -> Prepared:
    """Make data folder, schema, model and, if wanted, a first key; or stop saying why not."""
    try:
        return prepare(settings, first_key=first_key)
    except (StartRefused, SecretUnusable, SchemaUnknown) as error:
        raise StopCommand(str(error)) from error
