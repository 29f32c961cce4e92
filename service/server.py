"""Runs the application under gunicorn, in worker processes with a few threads each."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from service.components import EXTENSION, Components
from service.settings import Settings

#: A worker that has been silent for so long is replaced.
_WORKER_TIMEOUT_S = 30
#: Longer than the pause of most reverse proxies' connection pools, so that theirs ends first.
_KEEPALIVE_S = 15


def serve(settings: Settings, factory: Callable[[], Flask]) -> None:
    """Serve until told to stop; returns by ``SystemExit``.

    Parameters
    ----------
    settings : Settings
    factory : callable
        Makes the application, once in every worker: nothing that was opened before the fork is shared.
    """
    _Server(settings, factory).run()


class _Server(BaseApplication):  # type: ignore[misc]  # the base class has no types
    def __init__(self, settings: Settings, factory: Callable[[], Flask]) -> None:
        self._settings = settings
        self._factory = factory
        super().__init__()

    def load_config(self) -> None:
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        options: dict[str, Any] = {
            "bind": f"{host}:{self._settings.port}",
            "workers": self._settings.workers,
            "worker_class": "gthread",
            "threads": self._settings.threads,
            "timeout": _WORKER_TIMEOUT_S,
            "keepalive": _KEEPALIVE_S,
            "limit_request_line": 8190,
            "preload_app": False,
            "proc_name": "replyguard",
            "loglevel": self._settings.log_level,
            "logger_class": _Log,
            # One line per request is written by the application: without addresses and query strings.
            "accesslog": None,
            "control_socket_disable": True,
            "worker_exit": _end_threads,
        }
        for name, value in options.items():
            # Older releases lack some, such as the control socket.
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        return self._factory()


def _end_threads(_server: Any, worker: Any) -> None:
    """Let a worker that ends finish what its own threads are at."""
    if isinstance(worker.wsgi, Flask):
        parts: Components = worker.wsgi.extensions[EXTENSION]
        parts.calibration.close()


class _Log(Logger):  # type: ignore[misc]  # the base class has no types
    """Hands the server's own lines to the program's log, and leaves addresses out of them."""

    def setup(self, cfg: Any) -> None:
        self.cfg = cfg
        self._access_log_enabled = False
        self.error_log.setLevel(cfg.loglevel.upper())
        self.error_log.propagate = True
        if not any(isinstance(each, _LeaveAddressOut) for each in self.error_log.filters):
            self.error_log.addFilter(_LeaveAddressOut())


class _LeaveAddressOut(logging.Filter):
    """What the server says of a request that it could not read names the sender and quotes the request."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.msg, str) and record.msg.startswith("Invalid request from ip="):
            record.msg, record.args = "a request that is not HTTP was refused", ()
        elif isinstance(record.msg, str) and record.msg.startswith("Error handling request"):
            record.msg, record.args = "a request could not be handled", ()
        return True
