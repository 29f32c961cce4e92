"""Replaces identities by keyed hashes, and keeps the secret that they depend on."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import os
import secrets
import stat
from pathlib import Path

SECRET_FILE = "secret"  # noqa: S105 - the name of the file, not what is in it


class SecretUnusable(Exception):
    """The secret cannot be read or made; the message names the file and the remedy."""


class Pseudonyms:
    """Keyed hashes under one secret; every purpose has a key of its own, so they cannot be joined.

    Parameters
    ----------
    secret : bytes
        At least 32 bytes; the same on every machine that shares a database.
    """

    def __init__(self, secret: bytes) -> None:
        if len(secret) < 32:
            raise ValueError("a secret has at least 32 bytes")
        self._secret = secret
        self._keys: dict[str, bytes] = {}

    def digest(self, purpose: str, value: str) -> str:
        """Return the keyed hash of a value as 64 hex digits.

        Parameters
        ----------
        purpose : str
            What the hash stands for: hashes of one value under two purposes are unrelated.
        value : str
        """
        key = self._key(purpose)
        return hmac.digest(key, value.encode("utf-8", "surrogatepass"), hashlib.sha256).hex()

    def cipher_key(self, purpose: str) -> bytes:
        """Return a key of 32 bytes, in URL-safe base64, for what has to be read again."""
        return base64.urlsafe_b64encode(self._key(f"cipher:{purpose}"))

    def _key(self, purpose: str) -> bytes:
        key = self._keys.get(purpose)
        if key is None:
            key = hmac.digest(self._secret, purpose.encode(), hashlib.sha256)
            self._keys[purpose] = key
        return key

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


def load_or_create_secret(data_dir: Path) -> bytes:
    """Return the data folder's secret, making it at the first start.

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
        secret = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except OSError as error:
        raise SecretUnusable(
            f"{path}: {error.strerror}; make the data folder writable for the service's user"
        ) from error
    except ValueError:
        secret = b""
    if len(secret) < 32:
        raise SecretUnusable(f"{path}: is not a secret of 64 hex digits; put it back from a backup")
    return secret


def secret_is_private(data_dir: Path) -> bool:
    """Tell whether nobody but the owner may read the secret file."""
    return not (data_dir / SECRET_FILE).stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)


def _create(path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(32) + "\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(temporary, path)
        except FileExistsError:
            return
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        temporary.unlink()
