"""Brings a file from the web whole, checked and resumable, or says in one line why not.

What has arrived stays beside the target as NAME.part with what is needed to go on later; the target itself
appears only after its checksum was right and it was made durable.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import ipaddress
import json
import os
import re
import time
from collections.abc import Callable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import IO, Any, Protocol
from urllib.parse import SplitResult, urljoin, urlsplit

import requests

from model import __version__

#: Seconds to wait for a connection, and for the next bytes.
TIMEOUT_S = (10.0, 60.0)
#: Times that a file is asked for before giving up.
N_ATTEMPTS = 6
#: Longest pause between two attempts, in seconds, even if the server asks for more.
MAX_PAUSE_S = 60.0
_MAX_REDIRECTS = 5
# What is lost of a transfer that breaks off.
_CHUNK_BYTES = 1 << 13
_RANGE = re.compile(r"bytes (\d+)-\d+/(?:\d+|\*)")
_HEADERS = {
    "User-Agent": f"replyguard/{__version__} (corpora fetch)",
    # A compressed transfer could not be resumed by byte.
    "Accept-Encoding": "identity",
}


class FetchError(Exception):
    """A file could not be brought; the message says why and what to do."""


class _TryAgain(Exception):
    """Something that may pass.

    Parameters
    ----------
    cause : str
    after_s : float, optional
        How long the server asks to wait.
    """

    def __init__(self, cause: str, after_s: float | None = None) -> None:
        super().__init__(cause)
        self.after_s = after_s


class Progress(Protocol):
    """Told of what has arrived: bytes so far, and bytes in all if that is known."""

    def __call__(self, n_bytes: int, n_total: int | None) -> None: ...


def fetch(
    url: str,
    target: Path,
    *,
    sha256: str = "",
    max_bytes: int,
    progress: Progress = lambda n_bytes, n_total: None,
    sleep: Callable[[float], None] = time.sleep,
) -> str:
    """Bring one file.

    A target that is there already with the right checksum is not asked for again.

    Parameters
    ----------
    url : str
        https; http only of this very machine.
    target : Path
        Its folder must exist.
    sha256 : str
        What the file must be, in hex; "" if that is not known.
    max_bytes : int
        What is larger is refused.
    progress : Progress
    sleep : callable
        Waits, in seconds.

    Returns
    -------
    str
        The file's SHA-256 in hex.

    Raises
    ------
    FetchError
    """
    if target.is_file():
        known = _sha256(target)
        if not sha256 or known == sha256:
            return known
    part = _Part(target, url)
    with requests.Session() as session, _storage(target):
        if sha256 and part.size() and _sha256(part.path) == sha256:
            part.become(target)
            return sha256
        for attempt in range(1, N_ATTEMPTS + 1):
            try:
                resumed = _receive(session, url, part, sha256, max_bytes, progress)
                return _checked(part, target, sha256)
            except _WrongSum as error:
                # Two halves of two versions fit no checksum: once more from the start tells that apart.
                if not resumed or attempt == N_ATTEMPTS:
                    raise FetchError(str(error)) from error
            except _TryAgain as error:
                if attempt == N_ATTEMPTS:
                    raise FetchError(
                        f"{url}: {error}, {N_ATTEMPTS} times; run the command again to go on"
                        f" ({part.size():,} bytes are kept), or put the file at {target} yourself"
                    ) from error
                pause = 2.0 ** (attempt - 1) if error.after_s is None else error.after_s
                sleep(min(pause, MAX_PAUSE_S))
    raise AssertionError("every attempt returns, raises or is followed by another")


class _WrongSum(Exception):
    """The whole file is there and is not what it must be."""


class _Part:
    """What has arrived of a file, and which version of it that is part of."""

    def __init__(self, target: Path, url: str) -> None:
        self.path = target.with_name(f"{target.name}.part")
        self._note = target.with_name(f"{target.name}.part.json")
        self._url = url

    def size(self) -> int:
        """Return how many bytes there are."""
        with contextlib.suppress(FileNotFoundError):
            return self.path.stat().st_size
        return 0

    def version(self) -> str | None:
        """Return the entity tag or date of what there is, "" if unknown; None if there is nothing to go on from."""
        with contextlib.suppress(OSError, ValueError):
            note = json.loads(self._note.read_text(encoding="utf-8"))
            if isinstance(note, dict) and note.get("url") == self._url and self.size():
                version = note.get("version")
                return version if isinstance(version, str) else None
        return None

    def begin(self, version: str) -> None:
        """Drop what there is and note which version comes."""
        self.path.write_bytes(b"")
        self._note.write_text(json.dumps({"url": self._url, "version": version}), encoding="utf-8")

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def become(self, target: Path) -> None:
        """Put the file in its place; after a loss of power it is there whole or not at all."""
        os.replace(self.path, target)
        self._note.unlink(missing_ok=True)
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _receive(
    session: requests.Session, url: str, part: _Part, sha256: str, max_bytes: int, progress: Progress
) -> bool:
    """Ask for the file or the rest of it and write what comes; tell whether it was the rest."""
    version = part.version()
    headers = dict(_HEADERS)
    if version:
        headers |= {"Range": f"bytes={part.size()}-", "If-Range": version}
    elif version is not None and sha256:  # whether both halves are of one version, the checksum will tell
        headers |= {"Range": f"bytes={part.size()}-"}
    with _asked(session, url, headers) as response:
        _refuse_or_retry(response, url, part)
        at = part.size()
        resumed = response.status_code == HTTPStatus.PARTIAL_CONTENT
        if resumed:
            told = _RANGE.match(response.headers.get("Content-Range", ""))
            if told is None or int(told[1]) != at:
                part.drop()
                raise _TryAgain("the server sent another part of the file than was asked for")
        else:
            part.begin(_version_of(response))
            at = 0
        total = _total(response, at)
        if total is not None and total > max_bytes:
            raise FetchError(
                f"{url}: {total:,} bytes are more than the {max_bytes:,} that this file may have"
            )
        with part.path.open("ab") as file:
            _write(response, file, url, at, total, max_bytes, progress)
    return resumed


def _write(
    response: requests.Response,
    file: IO[bytes],
    url: str,
    at: int,
    total: int | None,
    max_bytes: int,
    progress: Progress,
) -> None:
    """Write what arrives, and make it durable however it ends."""
    progress(at, total)
    chunks = response.iter_content(_CHUNK_BYTES)
    try:
        while chunk := _next(chunks):
            at += len(chunk)
            if at > max_bytes:
                raise FetchError(f"{url}: more than the {max_bytes:,} bytes that this file may have came")
            file.write(chunk)
            progress(at, total)
    finally:
        file.flush()
        os.fsync(file.fileno())
    if total is not None and at != total:
        raise _TryAgain(f"the connection ended after {at:,} of {total:,} bytes")


def _next(chunks: Iterator[bytes]) -> bytes:
    """Return the next bytes, b"" at the end; only the network's errors become "try again"."""
    try:
        return next(chunks, b"")
    except (requests.RequestException, OSError) as error:
        raise _TryAgain(f"the connection broke off ({type(error).__name__})") from error


@contextlib.contextmanager
def _asked(session: requests.Session, url: str, headers: dict[str, str]) -> Iterator[requests.Response]:
    """Send a request and follow its redirects, but only to where a file may come from."""
    here = url
    _check_address(here, None)
    for _ in range(_MAX_REDIRECTS + 1):
        try:
            response = session.get(
                here, headers=headers, stream=True, timeout=TIMEOUT_S, allow_redirects=False
            )
        except (requests.exceptions.SSLError, requests.exceptions.InvalidURL) as error:
            raise FetchError(
                f"{here}: {_first_words(error)}; check the certificates of this machine"
            ) from error
        except requests.RequestException as error:
            host = urlsplit(here).hostname
            raise _TryAgain(
                f"{host} does not answer ({type(error).__name__}): check network and proxy"
            ) from error
        if not response.is_redirect:
            with response:
                yield response
            return
        with response:
            there = urljoin(here, response.headers["Location"])
        _check_address(there, here)
        here = there
    raise FetchError(f"{url}: more than {_MAX_REDIRECTS} redirects")


def _check_address(url: str, source: str | None) -> None:
    """Refuse what is not https, but for this very machine and redirects within it."""
    there = urlsplit(url)
    if there.scheme == "https" and there.hostname:
        return
    same = source is None or urlsplit(source)[:2] == there[:2]
    if there.scheme == "http" and same and _is_this_machine(there):
        return
    if source is None:
        raise FetchError(f"{url}: only https addresses are fetched")
    raise FetchError(f"{source}: it redirects to {url}, and only https addresses are followed")


def _is_this_machine(address: SplitResult) -> bool:
    if address.hostname == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.hostname or "").is_loopback
    except ValueError:
        return False


def _refuse_or_retry(response: requests.Response, url: str, part: _Part) -> None:
    """Raise unless the answer is a file or the rest of one."""
    status = response.status_code
    if status in (HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT):
        return
    if status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        part.drop()
        raise _TryAgain("the server has no such part of the file any more", after_s=0.0)
    told = f"{status} {response.reason or ''}".strip()
    if status in (408, 425, 429) or status >= 500:
        raise _TryAgain(f"the server answered {told}", _asked_pause(response))
    if status in (404, 410):
        raise FetchError(f"{url}: {told}: the file has moved; a newer release may know where to")
    raise FetchError(f"{url}: the server answered {told}")


def _asked_pause(response: requests.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isascii() and value.isdigit() and len(value) < 7 else None


def _version_of(response: requests.Response) -> str:
    """Return what tells this version of the file from another, "" if the server does not say."""
    tag = response.headers.get("ETag", "")
    # A weak tag promises the same meaning, not the same bytes.
    return tag if tag and not tag.startswith("W/") else response.headers.get("Last-Modified", "")


def _total(response: requests.Response, at: int) -> int | None:
    length = response.headers.get("Content-Length", "")
    return at + int(length) if length.isascii() and length.isdigit() and len(length) < 16 else None


def _checked(part: _Part, target: Path, sha256: str) -> str:
    """Compare the whole file's checksum, and put the file in its place."""
    found = _sha256(part.path)
    if sha256 and found != sha256:
        part.drop()
        raise _WrongSum(
            f"{target.name}: wrong checksum: it must be {sha256} and is {found}; the file was dropped."
            " Either the publisher changed it or somebody on the way did: do not use it unseen"
        )
    part.become(target)
    return found


@contextlib.contextmanager
def _storage(target: Path) -> Iterator[None]:
    """Name the remedy if the disk is full or the folder cannot be written to."""
    try:
        yield
    except OSError as error:
        remedy = (
            "free some space and run the command again; what has arrived is kept"
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
            else "check the folder and its permissions"
        )
        raise FetchError(f"{target}: {error.strerror or type(error).__name__}; {remedy}") from error


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_words(error: Any) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
