"""rspamd's Bayes classifier as a peer: its own daemon and Redis, started for one fit in a folder of their own."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import socket
import subprocess
import tempfile
import time
import weakref
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from model.comment import LabeledComment
from training import corpus
from training.peers import PeerFailedError, PeerUnavailableError, Places
from training.peers_mail import as_mail

_START_S = 60.0
_REQUEST_S = 30.0
# 208: known already, which a text that stands twice is.
_LEARNT = frozenset({200, 204, 208})
# Bayes alone, as the package sets it up but for two thresholds: by default it keeps silent on texts of fewer than
# eleven tokens, which many comments are, and until it has learnt 200 of both labels.
_SETTINGS = """
options {{
  filters = ""; pidfile = "{folder}/rspamd.pid"; hs_cache_dir = "{patterns}"; dns {{ nameserver = ["127.0.0.1"]; }}
  url_tld = "${{SHAREDIR}}/effective_tld_names.dat";
}}
logging {{ type = "file"; filename = "{folder}/rspamd.log"; level = "error"; }}
worker "controller" {{ bind_socket = "127.0.0.1:{port}"; count = 1; secure_ip = "127.0.0.1"; }}
redis {{ servers = "{folder}/redis.sock"; }}
classifier "bayes" {{
  tokenizer {{ name = "osb"; }}
  new_schema = true; backend = "redis"; servers = "{folder}/redis.sock"; min_tokens = 1; min_learns = 1;
  statfile {{ symbol = "BAYES_HAM"; spam = false; }}
  statfile {{ symbol = "BAYES_SPAM"; spam = true; }}
}}
metric {{
  name = "default";
  actions {{ reject = 1000; }}
  symbol "BAYES_SPAM" {{ weight = 10; }}
  symbol "BAYES_HAM" {{ weight = -10; }}
}}
"""


class Rspamd:
    """rspamd's Bayes; takes no weights.

    Parameters
    ----------
    comments : sequence of LabeledComment

    Raises
    ------
    PeerUnavailableError
        If rspamd or the Redis server that it keeps its words in is not installed.
    """

    def __init__(self, comments: Sequence[LabeledComment]) -> None:
        missing = [name for name in ("rspamd", "redis-server") if shutil.which(name) is None]
        if missing:
            raise PeerUnavailableError(
                f"no program {' and '.join(missing)}: install the Debian package of that name"
            )
        # The first line separates messages in a mailbox; a single message has none.
        self._mails = [as_mail(row).split(b"\n", 1)[1] for row in comments]
        self._is_spam = corpus.labels(comments)
        # Its own compiled patterns, which no fit changes and which take half a minute to make.
        self._patterns = tempfile.mkdtemp(prefix="rspamd-patterns-")
        weakref.finalize(self, shutil.rmtree, self._patterns, ignore_errors=True)

    def scores(
        self, fitted: Places, weights: NDArray[np.float64], judged: Places
    ) -> Mapping[str, NDArray[np.float64]]:
        """Learn from an empty start, in mixed order, and score; words and daemons are gone afterwards."""
        with _running(self._patterns) as connection:
            for place in np.random.default_rng(0).permutation(fitted).tolist():
                path = "/learnspam" if self._is_spam[place] else "/learnham"
                status, _ = _post(connection, path, self._mails[place])
                if status not in _LEARNT:
                    raise PeerFailedError(f"rspamd answered {status} to {path}")
            found = []
            for place in judged.tolist():
                status, answer = _post(connection, "/checkv2", self._mails[place])
                if status != 200:
                    raise PeerFailedError(f"rspamd answered {status} to /checkv2")
                found.append(float(json.loads(answer)["score"]))
        return {"rspamd": np.array(found, dtype=np.float64)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _post(connection: http.client.HTTPConnection, path: str, body: bytes) -> tuple[int, bytes]:
    try:
        connection.request("POST", path, body)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise PeerFailedError(f"rspamd did not answer {path}: {type(error).__name__}") from error


@contextlib.contextmanager
def _running(patterns: str) -> Iterator[http.client.HTTPConnection]:
    """Start Redis and rspamd, give a connection, and end both."""
    with tempfile.TemporaryDirectory(prefix="rspamd-") as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        settings = folder / "rspamd.conf"
        port = _free_port()
        settings.write_text(_SETTINGS.format(folder=folder, port=port, patterns=patterns), encoding="utf-8")
        stack.enter_context(
            _child(
                "redis-server",
                "--port",
                "0",
                "--unixsocket",
                f"{folder}/redis.sock",
                "--save",
                "",
                "--dir",
                name,
            )
        )
        variables = [
            f"--var={key}={folder}" for key in ("DBDIR", "RUNDIR", "LOGDIR", "CONFDIR", "LOCAL_CONFDIR")
        ]
        # -i: it will not run as root otherwise, which containers do.
        stack.enter_context(_child("rspamd", "-f", "-i", "-c", str(settings), *variables))
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_REQUEST_S)
        stack.callback(connection.close)
        until = time.monotonic() + _START_S
        while True:
            try:
                if _post(connection, "/ping", b"")[0] == 200:
                    break
            except PeerFailedError:
                connection.close()
            if time.monotonic() > until:
                raise PeerFailedError(f"rspamd did not start within {_START_S:g} s")
            time.sleep(0.2)
        yield connection


@contextlib.contextmanager
def _child(*command: str) -> Iterator[None]:
    """Run a program until the end of the block; what it prints may quote a message."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
