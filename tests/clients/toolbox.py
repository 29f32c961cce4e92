"""Makes the clients ready: PyPI's and npm's go into a temporary folder, Debian's are looked for."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

DRIVERS = Path(__file__).parent / "drivers"


class NotInstalledError(Exception):
    """What a client needs is not on this machine; the message says how to get it."""


@dataclass(frozen=True)
class Tool:
    """How the drivers of one language are started."""

    command: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


def _run(*command: str, environment: dict[str, str] | None = None, attempts: int = 1, timeout_s: int) -> str:
    """Run a command to its end and return its output; NotInstalledError if it fails ``attempts`` times."""
    for remaining in reversed(range(attempts)):
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, text=True, timeout=timeout_s, check=False
            )
        except subprocess.TimeoutExpired as error:
            complaint = f"no end after {error.timeout:.0f} s"
        else:
            if done.returncode == 0:
                return done.stdout
            complaint = done.stderr.strip()[-400:]
        if not remaining:
            raise NotInstalledError(f"`{' '.join(command[:4])} ...` failed: {complaint}")
    raise AssertionError("unreachable")


def _program(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise NotInstalledError(f"no `{name}`: install Debian's {package}")
    return found


def _own_python(_folder: Path) -> Tool:
    return Tool((sys.executable,))


def _python_with(*requirements: str) -> Callable[[Path], Tool]:
    """Three packages import as ``akismet``: each but the first gets a folder of its own."""

    def make(folder: Path) -> Tool:
        pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        _run(*pip, "--target", str(folder), *requirements, attempts=2, timeout_s=180)
        return Tool((sys.executable,), {"PYTHONPATH": str(folder)})

    return make


def _node(folder: Path) -> Tool:
    node = _program("node", "nodejs")
    shutil.copy(DRIVERS / "package.json", folder)
    npm = (_program("npm", "npm"), "install", "--prefix", str(folder))
    _run(*npm, "--no-package-lock", "--no-audit", "--no-fund", "--silent", attempts=2, timeout_s=180)
    # 2.x of npm's akismet sits on a library that uses parts of Node marked as old
    return Tool((node, "--no-deprecation"), {"NODE_PACKAGES": str(folder)})


def _ruby(_folder: Path) -> Tool:
    ruby = _program("ruby", "ruby-akismet")
    try:
        _run(ruby, "-e", "require 'akismet'", timeout_s=30)
    except NotInstalledError as error:
        raise NotInstalledError("no Ruby library `akismet`: install Debian's ruby-akismet") from error
    return Tool((ruby,))


def _perl(_folder: Path) -> Tool:
    perl = _program("perl", "perl")
    try:
        _run(perl, "-MNet::Akismet", "-MJSON::PP", "-e", "1", timeout_s=30)
    except NotInstalledError as error:
        raise NotInstalledError(
            "no Perl module Net::Akismet: install Debian's libnet-akismet-perl"
        ) from error
    return Tool((perl,))


def _go(folder: Path) -> Tool:
    go = _program("go", "golang-go and golang-github-adtac-go-akismet-dev")
    sources = Path("/usr/share/gocode")
    if not (sources / "src/github.com/adtac/go-akismet").is_dir():
        raise NotInstalledError("no Go package: install Debian's golang-github-adtac-go-akismet-dev")
    program = folder / "drive_go"
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GOPATH": str(sources),
        "GO111MODULE": "off",
        # no C compiler is needed for it
        "CGO_ENABLED": "0",
        "GOCACHE": str(folder / "cache"),
    }
    _run(
        go, "build", "-o", str(program), str(DRIVERS / "drive_go.go"), environment=environment, timeout_s=240
    )
    return Tool((str(program),))


MAKERS: dict[str, Callable[[Path], Tool]] = {
    "python": _own_python,
    "python-akismet": _python_with("python-akismet==0.4.3", "requests"),
    "akismet-async": _python_with("akismet-async==0.0.1"),
    "pykismet3": _python_with("pykismet3==0.1.1", "requests"),
    "node": _node,
    "ruby": _ruby,
    "perl": _perl,
    "go": _go,
}
