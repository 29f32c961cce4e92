"""A stand-in for the service that can misbehave on purpose, and remembers what it was sent."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

KEY = "0123456789ab"
# as the service writes them: no character beyond ASCII, a doubled backslash
REASONS = "<b>cheap</b> \\\\ caf\\u00e9 +2.1; shop.test/?a=%41 +0.7; \\u200b \\U0001f48a -0.3"


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    fields: dict[str, str]


class Stub:
    """Serve on a free port of loopback.

    `mode` chooses what comment-check gets: "judge" (spam if the author's name contains "spammer"), "unsure",
    a verdict whose GUID got lost or doubled, or one of the failures that `Stub.FAILURES` names. In the mode
    "stranger" every call is answered by something that is no spam filter.
    """

    FAILURES = (
        "html-502",
        "html-200",
        "empty",
        "hold-without-verdict",
        "invalid",
        "redirect",
        "false-with-500",
        "blank-after-false",
        "cut-off",
        "hang-up",
    )

    def __init__(self) -> None:
        self.mode = "judge"
        self.received: list[Received] = []
        #: What is kept of people, by e-mail address.
        self.people: dict[str, list[dict[str, object]]] = {}
        stub = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: object) -> None:
                pass

            def do_GET(self) -> None:
                self.answer({})

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length).decode("utf-8", "replace")
                if self.path.startswith("/v1/"):
                    self.answer(json.loads(body))
                    return
                self.answer({name: v[0] for name, v in parse_qs(body, keep_blank_values=True).items()})

            def answer(self, fields: dict[str, str]) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                stub.received.append(Received(self.path, headers, fields))
                if stub.mode == "stranger":
                    self.send("<html>Welcome to nginx!</html>", status=404)
                elif self.path.startswith("/v1/privacy/"):
                    self.privacy(fields)
                elif self.path.endswith("/comment-check"):
                    self.check(fields)
                elif self.path.endswith("/verify-key"):
                    self.send("valid" if fields.get("key") == KEY else "invalid")
                elif self.path.endswith("/get-subscription"):
                    self.send(
                        '{"account_id":1,"account_type":"self-hosted","account_name":"Replyguard",'
                        '"status":"active","next_billing_date":false,"limit_reached":false}'
                    )
                elif self.path.endswith("/get-stats"):
                    self.send(
                        '{"spam":1,"ham":1,"missed_spam":0,"false_positives":0,"accuracy":"100",'
                        '"time_saved":1,"breakdown":{}}'
                    )
                elif self.path.endswith("/deactivate"):
                    self.send("deactivated")
                elif self.path.endswith("/test"):
                    self.send("connected")
                else:
                    self.send("Thanks for making the web a better place.")

            def privacy(self, fields: dict[str, str]) -> None:
                if self.headers.get("Authorization") != f"Bearer {KEY}":
                    self.send('{"detail":"the API key is unknown or revoked"}', status=401)
                elif self.path.endswith("/export"):
                    rows = stub.people.get(fields["email"], [])
                    meaning = {"body": "the text of the comment", "email_hash": "the e-mail address"}
                    tables = {"checks": {"meaning": meaning, "rows": rows}} if rows else {}
                    self.send(json.dumps({"exported_at": "2026-01-01", "receipt": "ab", "tables": tables}))
                else:
                    gone = len(stub.people.pop(fields["email"], []))
                    counts = {"checks": gone} if gone else {}
                    self.send(json.dumps({"receipt": "cd", "counts": counts, "retraining": None}))

            def check(self, fields: dict[str, str]) -> None:
                is_spam = "spammer" in fields.get("comment_author", "")
                scored = {
                    "X-Replyguard-Score": "0.987654" if is_spam else "0.012345",
                    "X-Replyguard-Verdict": "spam" if is_spam else "ham",
                    "X-Replyguard-Model": "stub-1",
                    "X-Replyguard-Reasons": REASONS,
                }
                guid = {"X-akismet-guid": uuid.uuid4().hex}
                body = "true" if is_spam else "false"
                mode = stub.mode
                if mode == "judge":
                    self.send(body, headers={**scored, **guid})
                elif mode == "no-guid":
                    self.send(body, headers=scored)
                elif mode == "two-guids":
                    self.send(body, headers={**scored, **guid, "x-akismet-guid": "from-a-proxy"})
                elif mode == "unsure":
                    unsure = {**scored, "X-Replyguard-Score": "0.5", "X-Replyguard-Verdict": "unsure"}
                    self.send("hold", headers={**unsure, **guid, "X-akismet-error": "a person decides"})
                elif mode == "hold-without-verdict":
                    self.send("hold", headers=guid)
                elif mode == "html-502":
                    self.send("<html><b>Bad gateway</b></html>", status=502)
                elif mode == "html-200":
                    self.send("<html><b>Please log in</b></html>")
                elif mode == "empty":
                    self.send("", headers=guid)
                elif mode == "invalid":
                    self.send("invalid", headers={**guid, "X-akismet-debug-help": "No such <i>key</i>"})
                elif mode == "redirect":
                    self.send("", status=302, headers={"Location": "/1.1/test"})
                elif mode == "false-with-500":
                    self.send("false", status=500, headers=guid)
                elif mode == "blank-after-false":
                    self.send("false\n", headers=guid)
                elif mode == "cut-off":
                    self.send("fals", headers=guid)
                elif mode == "hang-up":
                    self.close_connection = True
                else:
                    raise ValueError(f"no mode {mode!r}")

            def send(self, body: str, *, status: int = 200, headers: dict[str, str] | None = None) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "text/plain")
                self.send_header("Content-Length", str(len(body.encode())))
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body.encode())

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def calls(self, name: str) -> list[Received]:
        """What arrived for one call, such as "comment-check"."""
        return [request for request in self.received if request.path.endswith("/" + name)]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
