"""Runs ``replyguard`` as a shell would, each time in a process of its own, forked from one that has imported it.

A start costs some hundredths of a second instead of most of one. What the child has is its own: streams,
environment, settings, log. Run as a program, this module is the process that forks.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from service.cli.main import COMMANDS, main

ROOT = Path(__file__).parents[1]
TIMEOUT_S = 120.0
#: What commands import only when they need it, and so would import in every child.
PRELOADED = (
    "joblib",
    "huey",
    "scipy.linalg",
    "scipy.sparse",
    "scipy.special",
    "tldextract",
    "training.datasets",
)


class Commands:
    """The process that forks.

    Parameters
    ----------
    folder : Path
        For the streams of the commands.
    """

    def __init__(self, folder: Path) -> None:
        self._streams = [folder / name for name in ("stdin", "stdout", "stderr")]
        self._server = subprocess.Popen(
            [sys.executable, "-m", "tests.commands"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *arguments: object, settings: Mapping[str, str], stdin: bytes = b""
    ) -> subprocess.CompletedProcess[str]:
        """Run one command to its end.

        Parameters
        ----------
        *arguments : object
            What a shell would write behind ``replyguard``.
        settings : mapping of str to str
            Variables of the environment; no other REPLYGUARD_ variable is there.
        stdin : bytes
        """
        self._streams[0].write_bytes(stdin)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("REPLYGUARD_")}
        asked = {
            "arguments": [str(argument) for argument in arguments],
            "environ": inherited | dict(settings),
            "streams": [str(path) for path in self._streams],
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        alarm = threading.Timer(TIMEOUT_S, self._server.kill)
        alarm.start()
        print(json.dumps(asked), file=self._server.stdin, flush=True)
        answer = self._server.stdout.readline()
        alarm.cancel()
        assert answer, f"{asked['arguments']} took more than {TIMEOUT_S:.0f} s, or its parent died"
        told, complained = (path.read_text() for path in self._streams[1:])
        return subprocess.CompletedProcess(asked["arguments"], int(answer), told, complained)

    def close(self) -> None:
        """End the process."""
        self._server.communicate(timeout=10)


def serve() -> None:
    for where, _ in COMMANDS.values():
        import_module(f"service.cli.{where.partition(':')[0]}")
    for name in PRELOADED:
        import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            os._exit(_be_the_command(json.loads(line)))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _be_the_command(asked: dict[str, Any]) -> int:
    for number, path in enumerate(asked["streams"]):
        opened = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(opened, number)
        os.close(opened)
    # The parent's may have read ahead.
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)))
    os.environ.clear()
    os.environ.update(asked["environ"])
    sys.argv = ["replyguard", *asked["arguments"]]
    code = 0
    try:
        main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    return code


if __name__ == "__main__":
    serve()
