"""The no-op endpoint that also makes one row durable: the least that any recording service must pay."""

from __future__ import annotations

import os
import sqlite3
import threading
import uuid

from flask import Flask, Response, request

app = Flask(__name__)
_own = threading.local()


def _connection() -> sqlite3.Connection:
    """Return this thread's connection, opened as the service opens its own: WAL, durable on commit."""
    connection: sqlite3.Connection | None = getattr(_own, "connection", None)
    if connection is None:
        connection = sqlite3.connect(os.environ["BENCHMARK_DATABASE"], isolation_level=None, timeout=30)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("CREATE TABLE IF NOT EXISTS bodies (guid TEXT PRIMARY KEY, body BLOB)")
        _own.connection = connection
    return connection


@app.post("/1.1/comment-check")
def comment_check() -> Response:
    guid = uuid.uuid4().hex
    body = request.get_data(cache=False)
    _connection().execute("INSERT INTO bodies VALUES (?, ?)", (guid, body))
    return Response("false", headers={"X-akismet-guid": guid}, content_type="text/plain")
