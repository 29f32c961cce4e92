"""Tells a site's WordPress that a comment turned out to be something else, if its admin agreed to that.

The address comes from the site's client, and whoever holds a key can name any. So nothing is sent unless the
host is the site's own, the admin has switched it on, and the address behind the host is a public one, or a private
one where the admin says that the site is there. The address that was looked at is the one that is connected to.
"""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3
from cryptography.fernet import Fernet, InvalidToken

from model.comment import Label
from service.pseudonyms import Pseudonyms
from service.sites import InvalidSite, SiteAddress, parse_site
from service.stores.checks import StoredCheck
from service.stores.policies import PolicyStore, WebhookMode

_TIMEOUT = urllib3.Timeout(connect=3.0, read=10.0)
_MAX_ANSWER_BYTES = 65_536
Resolve = Callable[[str, int], list[str]]


class NotTold(Exception):
    """The site was not told; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class WebhookResult:
    """What became of telling one site.

    Attributes
    ----------
    site : str
    n_comments, n_changed : int
        Told of, and changed by the site.
    problem : str
        Why it was not told, "" if it was.
    """

    site: str
    n_comments: int
    n_changed: int
    problem: str = ""


class KeyVault:
    """Keeps the one clear text that has to be read again: the key that a site expects from us."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._cipher = Fernet(pseudonyms.cipher_key("webhook-key"))

    def seal(self, text: str) -> str:
        """Encrypt a text under the secret."""
        return self._cipher.encrypt(text.encode()).decode("ascii")

    def open(self, sealed: str) -> str:
        """Decrypt what ``seal`` gave.

        Raises
        ------
        NotTold
            If it was encrypted under another secret.
        """
        try:
            return self._cipher.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise NotTold(
                "the key was kept under another secret; set it again with `replyguard policy webhook`"
            ) from None


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses behind a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Webhooks:
    """Sends corrections to the callbacks that came with the checks."""

    def __init__(
        self,
        store: PolicyStore,
        vault: KeyVault,
        *,
        resolve: Resolve = resolve,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._store = store
        self._vault = vault
        self._resolve = resolve
        self._tls = tls

    def tell(self, corrected: Iterable[StoredCheck], label: Label = Label.SPAM) -> list[WebhookResult]:
        """Tell the sites that want it that these comments are spam, or ham, after all; others are left out."""
        by_callback: dict[tuple[SiteAddress, str], list[StoredCheck]] = {}
        for check in corrected:
            by_callback.setdefault((check.site, check.values["callback"]), []).append(check)
        results = []
        for (site, callback), checks in by_callback.items():
            mode, sealed = self._store.webhook(site)
            if mode is WebhookMode.OFF or not callback or sealed is None:
                continue
            try:
                n_changed = self._send(site, callback, mode, self._vault.open(sealed), checks, label)
                results.append(WebhookResult(site.address, len(checks), n_changed))
            except NotTold as error:
                results.append(WebhookResult(site.address, len(checks), 0, str(error)))
        return results

    def _send(
        self,
        site: SiteAddress,
        callback: str,
        mode: WebhookMode,
        key: str,
        checks: list[StoredCheck],
        label: Label,
    ) -> int:
        _check_host(site, callback)
        parts = urlsplit(callback)
        is_tls = parts.scheme == "https"
        host, port = parts.hostname or "", parts.port or (443 if is_tls else 80)
        address = self._address(host, port, mode)
        path = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
        content = {
            "key": key,
            "endpoint": "comment-check",
            "comments": [
                {"guid": check.guid, "result": "true" if label is Label.SPAM else "false"} for check in checks
            ],
        }
        headers = {
            "Host": parts.netloc,
            "Content-Type": "application/json",
            "X-Akismet-Webhook": "1",
            "User-Agent": "Replyguard",
        }
        pool: urllib3.HTTPConnectionPool
        if is_tls:
            pool = urllib3.HTTPSConnectionPool(
                address,
                port,
                ssl_context=self._tls or ssl.create_default_context(),
                server_hostname=host,
                assert_hostname=host,
            )
        else:
            pool = urllib3.HTTPConnectionPool(address, port)
        with pool:
            try:
                response = pool.urlopen(
                    "POST",
                    path,
                    body=json.dumps(content),
                    headers=headers,
                    redirect=False,
                    retries=False,
                    timeout=_TIMEOUT,
                    preload_content=False,
                )
                body = response.read(_MAX_ANSWER_BYTES)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise NotTold(f"the site did not answer ({type(error).__name__})") from None
        if response.status != 200:
            raise NotTold(f"the site answered with status {response.status}; redirects are not followed")
        return _count_changed(body)

    def _address(self, host: str, port: int, mode: WebhookMode) -> str:
        """Return the address to connect to, after a look at all of them."""
        try:
            found = self._resolve(host, port)
        except OSError:
            raise NotTold("the host name of its callback cannot be resolved") from None
        for text in found:
            if not _is_allowed(text, mode):
                raise NotTold(
                    "its host stands for an address that is not public; if the site is there, say so:"
                    " replyguard policy webhook SITE --private"
                )
        if not found:
            raise NotTold("the host name of its callback has no address")
        return found[0]


def _check_host(site: SiteAddress, callback: str) -> None:
    try:
        own = parse_site(callback).address.partition("/")[0]
        parts = urlsplit(callback)
    except (InvalidSite, ValueError):
        raise NotTold("its callback is no web address") from None
    if parts.scheme not in ("http", "https") or parts.username or parts.password:
        raise NotTold("its callback is no plain http or https address")
    if own != site.address.partition("/")[0]:
        raise NotTold("its callback is on another host than the site")


def _is_allowed(text: str, mode: WebhookMode) -> bool:
    address = ipaddress.ip_address(text.partition("%")[0])
    address = getattr(address, "ipv4_mapped", None) or address
    if address.is_global and not address.is_multicast:
        return True
    # Link-local addresses are where clouds hand out their machines' credentials.
    is_odd = address.is_link_local or address.is_multicast or address.is_unspecified
    return mode is WebhookMode.PRIVATE and not is_odd and (address.is_private or address.is_loopback)


def _count_changed(body: bytes) -> int:
    try:
        answer: Any = json.loads(body)
        return sum(each.get("status") == "success" for each in answer["comments"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise NotTold("the site's answer is none of an Akismet plugin from 5.5 on") from None
