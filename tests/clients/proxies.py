"""Runs the reverse-proxy examples of docs/examples as they stand, with only ports and paths put in place."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import trustme

from tests.clients.front import free_port
from tests.clients.service_process import ROOT
from tests.clients.toolbox import NotInstalledError

EXAMPLES = ROOT / "docs" / "examples"

APACHE_MODULES = ["mpm_event", "authn_core", "authz_core", "proxy", "proxy_http", "headers", "macro"]
APACHE_MODULES += ["socache_shmcb", "ssl", "unique_id"]


@dataclass(frozen=True)
class Proxy:
    """A running reverse proxy."""

    port: int
    tls_port: int
    authority: Path
    folder: Path


def put_in_place(text: str, places: dict[str, str]) -> str:
    """Replace what an operator replaces; a place that is gone means that test and example drifted apart."""
    for example, ours in places.items():
        assert example in text, f"the example no longer says {example!r}"
        text = text.replace(example, ours)
    return text


def _nginx(folder: Path, upstream: int, port: int, tls_port: int) -> tuple[str, ...]:
    everywhere = {"/etc/ssl/replyguard/": f"{folder}/", "/var/log/nginx/": f"{folder}/"}
    config = put_in_place(
        (EXAMPLES / "nginx.conf").read_text(),
        everywhere
        | {
            "127.0.0.1:8080": f"127.0.0.1:{upstream}",
            "listen 80 ": f"listen 127.0.0.1:{port} ",
            "listen 443 ": f"listen 127.0.0.1:{tls_port} ",
        },
    )
    config += put_in_place(
        (EXAMPLES / "nginx-hang-up.conf").read_text(),
        everywhere
        | {"listen 80;": f"listen 127.0.0.1:{port};", "listen 443 ": f"listen 127.0.0.1:{tls_port} "},
    )
    temporary = "".join(
        f"{kind}_temp_path {folder}/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "main.conf").write_text(
        f"daemon off;\nworker_processes 2;\npid {folder}/nginx.pid;\nerror_log {folder}/main.log;\n"
        f"events {{}}\nhttp {{\n{temporary}{config}}}\n"
    )
    return ("nginx", "-p", str(folder), "-e", f"{folder}/main.log", "-c", str(folder / "main.conf"))


def _caddy(folder: Path, upstream: int, port: int, tls_port: int) -> tuple[str, ...]:
    config = put_in_place(
        (EXAMPLES / "Caddyfile").read_text(),
        {
            "127.0.0.1:8080": f"127.0.0.1:{upstream}",
            "http:// {": f"http://:{port} {{",
            "https:// {": f"https://:{tls_port} {{",
            "/etc/ssl/replyguard/": f"{folder}/",
        },
    )
    (folder / "Caddyfile").write_text(config)
    return ("caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile"))


def _apache(folder: Path, upstream: int, port: int, tls_port: int) -> tuple[str, ...]:
    config = put_in_place(
        (EXAMPLES / "apache.conf").read_text(),
        {
            "127.0.0.1:8080": f"127.0.0.1:{upstream}",
            "*:80>": f"127.0.0.1:{port}>",
            "*:443>": f"127.0.0.1:{tls_port}>",
            "/etc/ssl/replyguard/": f"{folder}/",
            "/var/log/apache2/": f"{folder}/",
        },
    )
    modules = "".join(
        f"LoadModule {name}_module /usr/lib/apache2/modules/mod_{name}.so\n" for name in APACHE_MODULES
    )
    frame = (
        f"ServerRoot {folder}\nServerName localhost\nDefaultRuntimeDir {folder}\n"
        f"PidFile {folder}/apache.pid\nErrorLog {folder}/main.log\n"
        f"Listen 127.0.0.1:{port}\nListen 127.0.0.1:{tls_port}\n"
    )
    (folder / "main.conf").write_text(frame + modules + config)
    return ("apache2", "-D", "FOREGROUND", "-f", str(folder / "main.conf"))


PROXIES: dict[str, tuple[str, Callable[[Path, int, int, int], tuple[str, ...]]]] = {
    "nginx": ("nginx-light", _nginx),
    "caddy": ("caddy", _caddy),
    "apache2": ("apache2", _apache),
}


@contextmanager
def running_proxy(program: str, folder: Path, upstream: int) -> Iterator[Proxy]:
    """Run one of ``PROXIES`` in front of a port until the block ends.

    Raises
    ------
    NotInstalledError
        If the program is not on this machine.
    """
    package, prepare = PROXIES[program]
    if shutil.which(program) is None and not Path("/usr/sbin", program).exists():
        raise NotInstalledError(f"no `{program}`: install Debian's {package}")
    authority = trustme.CA()
    certificate = authority.issue_cert("spam.example.org", "*.spam.example.org")
    authority.cert_pem.write_to_path(str(folder / "authority.pem"))
    certificate.private_key_pem.write_to_path(str(folder / "privkey.pem"))
    for part in certificate.cert_chain_pems:
        part.write_to_path(str(folder / "fullchain.pem"), append=True)
    port, tls_port = free_port(), free_port()
    command = prepare(folder, upstream, port, tls_port)
    with (folder / "output.log").open("wb") as output:
        process = subprocess.Popen(
            command,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={"PATH": "/usr/sbin:/usr/bin:/bin", "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        )
        try:
            _wait_for(port, process, folder / "output.log")
            yield Proxy(port, tls_port, folder / "authority.pem", folder)
        finally:
            process.terminate()
            process.wait(timeout=20)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            ended = process.poll() is not None or time.monotonic() > deadline
            assert not ended, log.read_text()
            time.sleep(0.05)
