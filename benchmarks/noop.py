"""The measure of all things HTTP: a Flask endpoint that reads its body and answers, and does nothing else."""

from __future__ import annotations

import uuid

from flask import Flask, Response, request

app = Flask(__name__)


@app.post("/1.1/comment-check")
def comment_check() -> Response:
    # Reading is part of answering: a server that is left with an unread body must close the connection.
    request.get_data(cache=False)
    return Response("false", headers={"X-akismet-guid": uuid.uuid4().hex}, content_type="text/plain")
