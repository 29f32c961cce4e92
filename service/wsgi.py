"""Entry for any WSGI server: ``service.wsgi:application``, set up by the environment."""

from __future__ import annotations

import os

from service.app import create_app
from service.logs import configure_logging
from service.settings import load_settings

_settings = load_settings(os.environ)
configure_logging(log_format=_settings.log_format, level=_settings.log_level)
application = create_app(_settings)
