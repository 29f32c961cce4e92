"""When two addresses are one site: turns what a client sends as ``blog`` into one normal form."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

import idna

MAX_ADDRESS_CHARS = 500
_DEFAULT_PORTS = (80, 443)


class InvalidSite(ValueError):
    """The text is not a web address; the message says so without quoting it."""


@dataclass(frozen=True, slots=True)
class SiteAddress:
    """One site.

    Attributes
    ----------
    address : str
        Normal form, ``host[:port][/path]``: two spellings of one site have the same.
    display : str
        As first sent, without user name, password, query and fragment.
    """

    address: str
    display: str


def parse_site(blog: str) -> SiteAddress:
    """Bring a site's address into normal form.

    Scheme, case of the host, ``www.``, a default port (80 or 443, whatever the scheme says), a final
    slash, user name, query and fragment make no difference; path and any other port do. International
    names count in their ASCII form.

    Raises
    ------
    InvalidSite
        If there is no host in it, or it is longer than 500 characters.
    """
    text = blog.strip()
    if "//" not in text.split("?", 1)[0]:
        text = f"//{text}"
    try:
        parts = urlsplit(text)
        port = parts.port
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        raise InvalidSite("it is not a web address") from None
    if not host or any(character.isspace() or not character.isprintable() for character in host):
        raise InvalidSite("it is not a web address")
    host = _ascii_host(host)
    path = "".join(c for c in parts.path if c.isprintable()).rstrip("/")
    suffix = "" if port is None or port in _DEFAULT_PORTS else f":{port}"
    address = f"{host.removeprefix('www.') or host}{suffix}{path}"
    if len(address) > MAX_ADDRESS_CHARS:
        raise InvalidSite(f"it is longer than {MAX_ADDRESS_CHARS} characters")
    scheme = f"{parts.scheme}://" if parts.scheme else ""
    return SiteAddress(address=address, display=f"{scheme}{host}{suffix}{path}")


def _ascii_host(host: str) -> str:
    """Return the host in lower case and ASCII; a literal IPv6 address in brackets."""
    if ":" in host:
        try:
            return f"[{ipaddress.IPv6Address(host.partition('%')[0]).compressed}]"
        except ValueError:
            raise InvalidSite("it is not a web address") from None
    host = host.lower()
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        # Names that the registry would refuse still tell two sites apart.
        return host
