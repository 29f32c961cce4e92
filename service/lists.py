"""What a site always lets through and what it always takes for spam: entries, their normal form, and matching."""

from __future__ import annotations

import enum
import ipaddress
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import idna

from model import links, text
from model.comment import Comment
from model.document import AUTHOR, BODY, LINK, URL, Document, prepare
from model.layout import lay_out
from service.pseudonyms import Pseudonyms

MAX_VALUE_CHARS = 200
_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}")
_LINK_MARK = chr(text.LINK_MARK)


class Side(enum.Enum):
    """What an entry does."""

    ALLOW = "allow"
    DENY = "deny"


class Kind(enum.Enum):
    """What an entry looks at."""

    EMAIL = "email"
    DOMAIN = "domain"
    IP = "ip"
    WORD = "word"


class InvalidEntry(ValueError):
    """The value is none of its kind; the message says what is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a site's lists.

    Attributes
    ----------
    id : int
        0 until it is kept.
    side : Side
    kind : Kind
    value : str
        Normal form: a keyed hash, a domain, a network, or folded words between single spaces.
    hint : str
        For an e-mail address, what tells it from others; else "".
    """

    id: int
    side: Side
    kind: Kind
    value: str
    hint: str = ""

    @property
    def shown(self) -> str:
        """The value as far as it may be shown to the site's admin."""
        return self.hint or self.value

    @property
    def reason(self) -> str:
        """The entry as a reason behind a verdict; names no address of a person."""
        listed = f"on the site's {self.side.value} list"
        if self.kind is Kind.EMAIL:
            return f"e-mail address {listed} (entry {self.id})"
        if self.kind is Kind.IP:
            return f"IP address {listed} (entry {self.id})"
        if self.kind is Kind.DOMAIN:
            return f"domain {self.value} {listed}"
        return f'{"words" if " " in self.value else "word"} "{self.value}" {listed}'


def make_entry(side: Side, kind: Kind, value: str, pseudonyms: Pseudonyms) -> Entry:
    """Bring what somebody typed into an entry's normal form.

    Parameters
    ----------
    side : Side
    kind : Kind
    value : str
        An e-mail address; a domain or an address under it; an IP address or range (CIDR); a word or phrase.
    pseudonyms : Pseudonyms

    Raises
    ------
    InvalidEntry
        If the value is none of its kind.
    """
    value = value.strip()
    if not value or len(value) > MAX_VALUE_CHARS:
        raise InvalidEntry(f"give 1 to {MAX_VALUE_CHARS} characters")
    if kind is Kind.EMAIL:
        name, at, domain = value.rpartition("@")
        digest = pseudonyms.of_email(value)
        if not (name and at and _DOMAIN.fullmatch(_ascii(domain))) or any(map(str.isspace, value)):
            raise InvalidEntry("is no e-mail address: write name@domain")
        assert digest is not None
        return Entry(0, side, kind, digest, f"{name[0]}...@{domain.lower()}")
    if kind is Kind.DOMAIN:
        host = _ascii(links.parse(value).host)
        if not _DOMAIN.fullmatch(host):
            raise InvalidEntry("is no domain: write it as example.org")
        return Entry(0, side, kind, host)
    if kind is Kind.IP:
        return Entry(0, side, kind, str(_network(value)))
    words = list(_words(prepare(Comment(body=value))))
    if _LINK_MARK in words:
        raise InvalidEntry("is an address: use the kind domain")
    if not words:
        raise InvalidEntry("has no letter and no digit: give a word or a phrase")
    return Entry(0, side, kind, " ".join(words))


class SiteLists:
    """The entries of one site, ready to be matched.

    Words are compared after folding, as the model reads them (case, accents, look-alike and spaced-out letters
    undone), in the text and the author's name, and only as whole words: "ass" does not hit "class". A domain
    hits itself and what is under it, in the author's address and the first 40 links.

    Parameters
    ----------
    entries : iterable of Entry
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        # Allow goes first: an exception to a broad denial is how people write such lists, and a real comment
        # lost costs more than a spam let through (docs/decisions/0003-policies.md).
        self._sides = [_Matcher(side, entries := tuple(entries)) for side in (Side.ALLOW, Side.DENY)]
        self._sides = [matcher for matcher in self._sides if matcher]

    def __bool__(self) -> bool:
        return bool(self._sides)

    def match(self, comment: Comment, *, ip: str, pseudonyms: Pseudonyms) -> Entry | None:
        """Return the entry that decides on a comment, None if there is none; allow goes before deny."""
        if not self._sides:
            return None
        traits = _Traits(comment, ip, pseudonyms)
        for matcher in self._sides:
            found = matcher.match(traits)
            if found is not None:
                return found
        return None


class _Traits:
    """What entries look at in one comment, found out when first asked for."""

    def __init__(self, comment: Comment, ip: str, pseudonyms: Pseudonyms) -> None:
        self._comment = comment
        self._pseudonyms = pseudonyms
        self._ip = ip
        self._found: Document | None = None
        self._words: list[str] | None = None

    @property
    def _document(self) -> Document:
        # Both words and links come from it, and making it is what takes the time.
        if self._found is None:
            comment = self._comment
            self._found = prepare(Comment(body=comment.body, author=comment.author, url=comment.url))
        return self._found

    @property
    def email(self) -> str | None:
        return self._pseudonyms.of_email(self._comment.email)

    @property
    def address(self) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
        try:
            address = ipaddress.ip_address(self._ip.strip())
        except ValueError:
            return None
        return getattr(address, "ipv4_mapped", None) or address

    @property
    def words(self) -> list[str]:
        if self._words is None:
            self._words = list(_words(self._document))
        return self._words

    @property
    def hosts(self) -> Iterator[str]:
        for segment in self._document.segments:
            if segment.field in (URL, LINK):
                yield _ascii(links.parse(segment.label).host)


class _Matcher:
    """The entries of one side."""

    def __init__(self, side: Side, entries: Iterable[Entry]) -> None:
        by_kind: dict[Kind, list[Entry]] = {kind: [] for kind in Kind}
        for entry in entries:
            if entry.side is side:
                by_kind[entry.kind].append(entry)
        self._emails = {entry.value: entry for entry in by_kind[Kind.EMAIL]}
        self._domains = {entry.value: entry for entry in by_kind[Kind.DOMAIN]}
        # By version and prefix length: a look-up for each length in use, however many ranges there are.
        self._networks: dict[tuple[int, int], dict[int, Entry]] = {}
        for entry in by_kind[Kind.IP]:
            network = ipaddress.ip_network(entry.value)
            shift = network.max_prefixlen - network.prefixlen
            place = int(network.network_address) >> shift
            self._networks.setdefault((network.version, shift), {})[place] = entry
        self._phrases: dict[str, list[tuple[list[str], Entry]]] = {}
        for entry in by_kind[Kind.WORD]:
            words = entry.value.split(" ")
            self._phrases.setdefault(words[0], []).append((words, entry))

    def __bool__(self) -> bool:
        return bool(self._emails or self._domains or self._networks or self._phrases)

    def match(self, traits: _Traits) -> Entry | None:
        if self._emails and (email := traits.email) is not None and email in self._emails:
            return self._emails[email]
        return self._match_address(traits) or self._match_words(traits) or self._match_hosts(traits)

    def _match_address(self, traits: _Traits) -> Entry | None:
        if not self._networks or (address := traits.address) is None:
            return None
        number = int(address)
        for (version, shift), networks in self._networks.items():
            if version == address.version and number >> shift in networks:
                return networks[number >> shift]
        return None

    def _match_words(self, traits: _Traits) -> Entry | None:
        if not self._phrases:
            return None
        words = traits.words
        for place, word in enumerate(words):
            for phrase, entry in self._phrases.get(word, ()):
                if words[place : place + len(phrase)] == phrase:
                    return entry
        return None

    def _match_hosts(self, traits: _Traits) -> Entry | None:
        if not self._domains:
            return None
        for host in traits.hosts:
            while host:
                if host in self._domains:
                    return self._domains[host]
                host = host.partition(".")[2]
        return None


def _words(document: Document) -> Iterator[str]:
    """Yield the folded words of a comment's text, then those of its author's name."""
    told = [segment for segment in document.segments if segment.field in (BODY, AUTHOR)]
    layout = lay_out([Document(told, [])])
    codes = text.to_text(layout.codes)
    fields = layout.fields[layout.segment_of[layout.starts]].tolist()
    previous = BODY
    for start, end, field in zip(layout.starts.tolist(), layout.ends.tolist(), fields, strict=True):
        if field != previous:
            # No phrase begins in the text and ends in the name.
            yield "\n"
            previous = field
        yield codes[start:end]


def _ascii(host: str) -> str:
    host = host.strip().lower()
    if host.isascii():
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError:
        return host


def _network(value: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise InvalidEntry(
            "is no IP address and no range: write 192.0.2.7, 192.0.2.0/24 or 2001:db8::/32"
        ) from None
    mapped = getattr(network.network_address, "ipv4_mapped", None)
    if mapped is not None and network.prefixlen >= 96:
        return ipaddress.ip_network((mapped, network.prefixlen - 96), strict=False)
    return network
