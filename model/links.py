"""Finds addresses in plain text and takes them apart."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from urllib.parse import unquote

import tldextract

# The list of public suffixes that the package brings; nothing is fetched and nothing cached on disk.
_SUFFIXES = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=False)

_SCHEME = re.compile(r"^\s*(?:h[tx]{2}ps?|ftp)?\s*:?//+", re.IGNORECASE)
# Bare names count only under these: "node.js" and "main.py" are not addresses, though .js and .py read alike.
_BARE_SUFFIXES = (
    "com|net|org|info|biz|ru|su|ua|cn|top|xyz|online|site|club|shop|store|live|vip|link|click|icu|fun|win|bid|"
    "loan|pro|space|website|tech|app|dev|io|co|me|tv|cc|ws|de|fr|nl|pl|es|it|br|uk|eu|us|ca|au|in|id|jp|kr|ly|gl|to|gg|bet"
)
_URL = re.compile(
    r"(?:h[tx]{2}ps?://|ftp://|www\d?\.)[^\s<>\"'\[\]{}|\\^`]+"
    rf"|(?<![\w@.\-/])(?:[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?\.)+(?:{_BARE_SUFFIXES})(?![\w-]|\.\w)(?:/[^\s<>\"'\[\]{{}}|\\^`]*)?",
    re.IGNORECASE,
)
_TRAILING = ".,;:!?)*_~…»”’"
_MAYBE = re.compile(r"://|www|\.[a-z]{2}", re.IGNORECASE)

SHORTENERS = frozenset(
    "bit.ly goo.gl tinyurl.com t.co is.gd ow.ly buff.ly cutt.ly rebrand.ly t.ly rb.gy shorturl.at tiny.cc bl.ink "
    "adf.ly soo.gd s.id v.gd qr.ae clck.ru vk.cc u.to bitly.com lnkd.in shorte.st bc.vc j.mp x.co dlvr.it".split()
)

KNOWN = frozenset(
    "github.com gitlab.com bitbucket.org sourceforge.net stackoverflow.com stackexchange.com serverfault.com "
    "superuser.com wikipedia.org wikimedia.org wiktionary.org mozilla.org mozilla.com apache.org python.org php.net "
    "ruby-lang.org rubyonrails.org rust-lang.org golang.org go.dev nodejs.org readthedocs.io "
    "readthedocs.org ubuntu.com redhat.com fedoraproject.org archlinux.org kernel.org gnu.org fsf.org "
    "w3.org ietf.org iana.org icann.org ieee.org acm.org arxiv.org doi.org nature.com sciencemag.org nih.gov nasa.gov "
    "microsoft.com msdn.com technet.com windows.com azure.com office.com visualstudio.com apple.com google.com "
    "android.com chromium.org youtube.com youtu.be vimeo.com flickr.com imgur.com twitter.com x.com facebook.com "
    "linkedin.com instagram.com reddit.com ycombinator.com slashdot.org medium.com wordpress.org wordpress.com "
    "blogger.com tumblr.com livejournal.com dev.to hashnode.com jsfiddle.net codepen.io pastebin.com gist.github.com "
    "archive.org amazon.com ebay.com imdb.com goodreads.com spotify.com soundcloud.com bandcamp.com last.fm xkcd.com "
    "nytimes.com washingtonpost.com theguardian.com guardian.co.uk bbc.co.uk bbc.com cnn.com reuters.com apnews.com "
    "economist.com wsj.com ft.com bloomberg.com forbes.com time.com npr.org pbs.org wired.com arstechnica.com "
    "theverge.com techcrunch.com zdnet.com cnet.com engadget.com gizmodo.com lifehacker.com mashable.com "
    "spiegel.de zeit.de faz.net heise.de golem.de sueddeutsche.de tagesschau.de lemonde.fr lefigaro.fr elpais.com "
    "elmundo.es corriere.it repubblica.it nrc.nl volkskrant.nl publico.pt folha.uol.com.br globo.com uol.com.br "
    "habr.com lenta.ru baidu.com zhihu.com douban.com csdn.net cnblogs.com juejin.cn gitee.com bilibili.com "
    "oracle.com java.com mysql.com postgresql.org sqlite.org mongodb.com redis.io nginx.org nginx.com docker.com "
    "kubernetes.io ibm.com intel.com amd.com nvidia.com arm.com cisco.com dell.com hp.com lenovo.com samsung.com "
    "sony.com nokia.com adobe.com jetbrains.com eclipse.org jquery.com reactjs.org vuejs.org angular.io "
    "cloudflare.com digitalocean.com heroku.com netlify.com vercel.com creativecommons.org eff.org torproject.org "
    "openstreetmap.org who.int un.org europa.eu gov.uk usa.gov whitehouse.gov congress.gov cdc.gov fda.gov irs.gov "
    "paypal.com stripe.com ted.com coursera.org edx.org khanacademy.org mit.edu stanford.edu berkeley.edu "
    "harvard.edu cmu.edu cornell.edu ox.ac.uk cam.ac.uk slideshare.net speakerdeck.com meetup.com kickstarter.com "
    "patreon.com gravatar.com disqus.com askubuntu.com mathoverflow.net codeproject.com codeplex.com infoq.com "
    "martinfowler.com joelonsoftware.com codinghorror.com smashingmagazine.com alistapart.com css-tricks.com "
    "hanselman.com daringfireball.net openssl.org letsencrypt.org kde.org gnome.org launchpad.net "
    "freedesktop.org".split()
)
"""Registered domains that many readers of blogs link to and that sell nothing there; learnt from, not trusted."""


@dataclass(frozen=True, slots=True)
class Link:
    """One address.

    Attributes
    ----------
    text : str
        The address as written, without trailing punctuation.
    start, end : int
        Where it stands in the text it was found in, half-open.
    """

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Address:
    """An address taken apart; every part in lower case, "" if it has none.

    Attributes
    ----------
    host : str
        Without ``www.``, port and credentials.
    domain : str
        The registered domain (``shop.example.co.uk`` -> ``example.co.uk``), or the host if it has none.
    name : str
        The domain's own word (``example``).
    suffix : str
        The public suffix (``co.uk``).
    rest : str
        Path, query and fragment, percent-decoded.
    """

    host: str
    domain: str
    name: str
    suffix: str
    rest: str


def find(text: str, *, at_most: int) -> list[Link]:
    """Return the addresses that stand in a plain text, in their order, the first ``at_most`` of them.

    With a scheme, with ``www.``, or bare under a common suffix; ``hxxp`` counts as ``http``.
    """
    if not _MAYBE.search(text):
        return []
    found = []
    for match in _URL.finditer(text):
        address = match.group().rstrip(_TRAILING)
        if address:
            found.append(Link(address, match.start(), match.start() + len(address)))
            if len(found) == at_most:
                break
    return found


@functools.lru_cache(maxsize=4096)
def registered(host: str) -> tuple[str, str, str]:
    """Return a host's registered domain, its own word and its public suffix."""
    parts = _SUFFIXES(host)
    if parts.domain and parts.suffix:
        return f"{parts.domain}.{parts.suffix}", parts.domain, parts.suffix
    return host, parts.domain or host, parts.suffix


def parse(address: str) -> Address:
    """Take an address apart; what is no address at all comes back with its first word as host.

    ``urllib.parse.urlsplit`` raises on brackets and passes white space: here nothing raises.
    """
    bare = _SCHEME.sub("", address.strip(), count=1)
    cut = next((i for i, char in enumerate(bare) if char in "/?#\\ \t\n"), len(bare))
    authority, rest = bare[:cut].lower(), bare[cut:]
    host = authority.rpartition("@")[2].partition(":")[0].strip(".")[:253]
    if host.startswith("www."):
        host = host[4:]
    domain, name, suffix = registered(host) if "." in host else (host, host, "")
    return Address(
        host, domain, name, suffix, unquote(rest, errors="replace").lower() if "%" in rest else rest.lower()
    )
