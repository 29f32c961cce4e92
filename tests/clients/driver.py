"""A running client: tasks go in, what it made of the answer comes out."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.clients.front import Exchange, Front
from tests.clients.roster import Client
from tests.clients.toolbox import DRIVERS, Tool


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a client told its application, and the requests it made to get there."""

    said: str
    why: str
    exchanges: tuple[Exchange, ...]

    @property
    def last(self) -> Exchange:
        return self.exchanges[-1]


class Driver:
    """One client in a process of its own, with nothing but the environment telling it where to go."""

    def __init__(self, client: Client, tool: Tool, front: Front) -> None:
        self.client = client
        self._front = front
        ports = {"port": front.port, "tls_port": front.tls_port}
        script = () if client.driver.endswith(".go") else (str(DRIVERS / client.driver),)
        self._process = subprocess.Popen(
            (*tool.command, *script),
            env={
                "PATH": os.environ["PATH"],
                "HOME": os.environ.get("HOME", "/"),
                "LANG": "C.UTF-8",
                **front.environment(),
                **tool.environment,
                **{name: value.format(**ports) for name, value in client.places.items()},
            },
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The end of its input is the end of every driver.
        self._process.communicate(timeout=20)

    def do(self, what: str, *, key: str, blog: str, comment: dict[str, Any] | None = None) -> Outcome:
        """Hand over one task and wait for the outcome."""
        before = len(self._front.exchanges)
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(json.dumps({"do": what, "key": key, "blog": blog, "comment": comment or {}}) + "\n")
        stdin.flush()
        line = stdout.readline()
        assert line, f"{self.client.name} ended with status {self._process.wait(timeout=20)}"
        answer = json.loads(line)
        return Outcome(answer["said"], answer.get("why", ""), tuple(self._front.exchanges[before:]))
