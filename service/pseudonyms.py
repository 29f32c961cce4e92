"""Replaces identities by keyed hashes, and keeps the secret that they depend on."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import os
import secrets
import stat
from collections.abc import Sequence
from pathlib import Path

SECRET_FILE = "secret"  # noqa: S105 - the name of the file, not what is in it


class SecretUnusable(Exception):
    """The secret cannot be read or made; the message names the file and the remedy."""


class Pseudonyms:
    """Keyed hashes under one secret; every purpose has a key of its own, so they cannot be joined.

    Parameters
    ----------
    secret : bytes or sequence of bytes
        At least 32 bytes; the same on every machine that shares a database. Of several, each later one was put on
        top of those before it: a hash under the first is hashed again under the second, and so on. So what was
        hashed before can be re-keyed without the value behind it, and says nothing to who has an earlier secret only.
    """

    def __init__(self, secret: bytes | Sequence[bytes]) -> None:
        self._set((secret,) if isinstance(secret, bytes) else tuple(secret))

    def _set(self, secret_chain: tuple[bytes, ...]) -> None:
        if not secret_chain or any(len(each) < 32 for each in secret_chain):
            raise ValueError("a secret has at least 32 bytes")
        # One name for both, so that another thread sees all of a change or nothing.
        self._state: tuple[tuple[bytes, ...], dict[str, tuple[bytes, ...]]] = (secret_chain, {})

    def renew(self, other: Pseudonyms) -> None:
        """Go on with the secrets of another."""
        self._set(other._state[0])

    @property
    def check(self) -> str:
        """What a database keeps to know the secret by."""
        return self.digest("secret-check", "")

    def wrap(self, purpose: str, digest: str) -> str:
        """Return what a hash under all secrets but the last one becomes under all of them."""
        return hmac.digest(self._keys(purpose)[-1], digest.encode("ascii"), hashlib.sha256).hex()

    def digest(self, purpose: str, value: str) -> str:
        """Return the keyed hash of a value as 64 hex digits.

        Parameters
        ----------
        purpose : str
            What the hash stands for: hashes of one value under two purposes are unrelated.
        value : str
        """
        first, *later = self._keys(purpose)
        digest = hmac.digest(first, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()
        for key in later:
            digest = hmac.digest(key, digest.encode("ascii"), hashlib.sha256).hex()
        return digest

    def cipher_key(self, purpose: str) -> bytes:
        """Return a key of 32 bytes, in URL-safe base64, for what has to be read again."""
        return base64.urlsafe_b64encode(self._keys(f"cipher:{purpose}")[-1])

    def _keys(self, purpose: str) -> tuple[bytes, ...]:
        chain, known = self._state
        keys = known.get(purpose)
        if keys is None:
            keys = tuple(hmac.digest(each, purpose.encode(), hashlib.sha256) for each in chain)
            known[purpose] = keys
        return keys

    def of_email(self, email: str) -> str | None:
        """Return the hash of an e-mail address, whatever its case; None if there is none."""
        folded = email.strip().casefold()
        return self.digest("email", folded) if folded else None

    def of_ip(self, ip: str) -> str | None:
        """Return the hash of an IP address, whatever its spelling; None if there is none."""
        text = ip.strip()
        if not text:
            return None
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            return self.digest("ip", text)
        mapped = getattr(address, "ipv4_mapped", None)
        return self.digest("ip", (mapped or address).compressed)

    def of_network(self, ip: str) -> str | None:
        """Return the hash of where an appeal comes from; None if that says nothing about who asks.

        One line at home has 2**64 addresses of IPv6, so of those the first 64 bits count. The hash is under a key
        of its own: it cannot be joined with those of the addresses from which people comment. A loopback
        address is that of a reverse proxy whose word is not trusted, or of the operator.
        """
        try:
            address = ipaddress.ip_address(ip.strip().partition("%")[0])
        except ValueError:
            return None
        address = getattr(address, "ipv4_mapped", None) or address
        if address.is_loopback:
            return None
        width = 64 if address.version == 6 else 32
        network = ipaddress.ip_network((address, width), strict=False)
        return self.digest("network", network.compressed)

    def of_reporter(self, login: str) -> str | None:
        """Return the hash of a moderator's login; None if there is none."""
        return self.digest("reporter", login.strip()) if login.strip() else None


def load_or_create_secret(data_dir: Path) -> tuple[bytes, ...]:
    """Return the data folder's secrets, oldest first, making one at the first start.

    Two processes that start at once get the same one: the file appears whole, by a link that fails if
    another was first.

    Raises
    ------
    SecretUnusable
        If it cannot be read, made, or is not what was written.
    """
    path = data_dir / SECRET_FILE
    try:
        if not path.exists():
            _create(path)
        lines = path.read_text(encoding="ascii").split()
        chain = tuple(bytes.fromhex(line) for line in lines)
    except OSError as error:
        raise SecretUnusable(
            f"{path}: {error.strerror}; make the data folder writable for the service's user"
        ) from error
    except ValueError:
        chain = ()
    if not chain or any(len(secret) < 32 for secret in chain):
        raise SecretUnusable(f"{path}: is not a secret of 64 hex digits; put it back from a backup")
    return chain


def write_secret(data_dir: Path, chain: Sequence[bytes]) -> None:
    """Put secrets in the place of those in the data folder; a kill leaves the old ones or the new ones.

    Raises
    ------
    OSError
        If the folder cannot be written.
    """
    path = data_dir / SECRET_FILE
    temporary = _write_beside(path, "".join(f"{secret.hex()}\n" for secret in chain))
    try:
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    _sync_folder(path)


def secret_is_private(data_dir: Path) -> bool:
    """Tell whether nobody but the owner may read the secret file."""
    return not (data_dir / SECRET_FILE).stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)


def secret_is_open(data_dir: Path) -> bool:
    """Tell whether every user of the machine may read the secret file."""
    return bool((data_dir / SECRET_FILE).stat().st_mode & stat.S_IRWXO)


def _create(path: Path) -> None:
    temporary = _write_beside(path, secrets.token_hex(32) + "\n")
    try:
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
        _sync_folder(path)
    finally:
        temporary.unlink()


def _write_beside(path: Path, text: str) -> Path:
    """Write a file that only its owner can read, under another name, and have it on disk."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        temporary.unlink()
        raise
    return temporary


def _sync_folder(path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
