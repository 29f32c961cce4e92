"""Entry for any WSGI server: ``service.wsgi:application``, set up by the environment.

Run ``replyguard migrate`` before; ``replyguard serve`` would do so by itself.
"""

from __future__ import annotations

import os
import sys

from service.app import create_app
from service.logs import configure_logging
from service.settings import SettingsError, load_settings

try:
    _settings = load_settings(os.environ)
except SettingsError as error:
    sys.stderr.write("".join(f"replyguard: {problem}\n" for problem in error.problems))
    sys.exit(2)
configure_logging(log_format=_settings.log_format, level=_settings.log_level)
application = create_app(_settings)
