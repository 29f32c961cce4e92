"""Requests of the size and shape that a WordPress site sends; every text in them is made up."""

from __future__ import annotations

import random
from urllib.parse import urlencode

KEY = "be9c4a11be9c"
BLOG = "https://bench.example"

_SUBJECTS = "the oven,my neighbour,this recipe,the second photo,our dog,a colleague,the old bridge,that train"
_VERBS = "reminded me of,did not quite fit,looked better than,cost about as much as,came long after,explains"
_OBJECTS = "a summer in Porto,the manual,what you wrote in May,two sacks of flour,the rain,my first bicycle"
_PITCHES = "cheap watches,casino bonus,payday loans,replica bags,diet pills,seo backlinks"


def _sentence(rng: random.Random) -> str:
    subject, verb, target = (rng.choice(part.split(",")) for part in (_SUBJECTS, _VERBS, _OBJECTS))
    return f"{subject.capitalize()} {verb} {target}."


def _form(rng: random.Random) -> dict[str, str]:
    content = " ".join(_sentence(rng) for _ in range(rng.choice((2, 4, 6, 8, 12))))
    author = rng.choice(("Nora", "Ilie", "Sanna", "Tomás", "Wendy", "Ole"))
    url = ""
    if rng.random() < 0.4:
        pitch = rng.choice(_PITCHES.split(","))
        url = f"http://{pitch.replace(' ', '-')}-{rng.randrange(999)}.example/"
        content += f' Best {pitch} here: <a href="{url}">{pitch}</a> {url}'
        author = f"Best {pitch}"
    agent = f"Mozilla/5.0 (X11; Linux x86_64; rv:{rng.randrange(100, 145)}.0) Gecko/20100101 Firefox/140.0"
    fields = {
        "blog": BLOG,
        "blog_lang": "en_US",
        "blog_charset": "UTF-8",
        "permalink": f"{BLOG}/2026/post-{rng.randrange(50)}/",
        "user_ip": f"192.0.2.{rng.randrange(1, 255)}",
        "user_agent": agent,
        "referrer": f"{BLOG}/",
        "comment_post_ID": str(rng.randrange(9999)),
        "comment_author": author,
        "comment_author_email": f"{author.split()[0].lower()}{rng.randrange(999)}@mail.example",
        "comment_author_url": url,
        "comment_content": content,
        "comment_type": "comment",
        "comment_parent": "0",
        "user_ID": "0",
        "user_role": "",
        "akismet_comment_nonce": "passed",
        "comment_date_gmt": "2026-05-04 10:11:12",
    }
    for name in ("author", "email", "url", "comment", "submit", "comment_post_ID", "ak_js", "ak_hp_textarea"):
        fields[f"POST_{name}"] = content if name == "comment" else str(rng.randrange(10**9))
    for name in ("HOST", "ACCEPT", "ACCEPT_LANGUAGE", "ACCEPT_ENCODING", "ORIGIN", "CONNECTION", "REFERER"):
        fields[f"HTTP_{name}"] = f"value of {name.lower()} as a browser sends it"
    for name in ("REMOTE_ADDR", "REQUEST_URI", "SCRIPT_FILENAME", "SERVER_SOFTWARE", "SERVER_PROTOCOL"):
        fields[name] = f"value of {name.lower()}"
    return fields


def payloads(n_requests: int, *, keep_alive: bool, seed: int = 7) -> list[bytes]:
    """Return whole requests to comment-check, each with a comment of its own.

    Parameters
    ----------
    keep_alive : bool
        False adds ``Connection: close``.
    """
    rng = random.Random(seed)
    made = []
    for _ in range(n_requests):
        body = urlencode(_form(rng) | {"api_key": KEY}).encode()
        head = (
            "POST /1.1/comment-check HTTP/1.1\r\nHost: rest.akismet.com\r\n"
            "User-Agent: WordPress/6.8 | Akismet/5.7\r\n"
            "Content-Type: application/x-www-form-urlencoded; charset=UTF-8\r\n"
            f"Content-Length: {len(body)}\r\nConnection: {'keep-alive' if keep_alive else 'close'}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made
