"""The clients that are driven: what each of them can say, where it is told our address, what it must have."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field


class Can(enum.Enum):
    """What not every client can do; a test asks only those who can."""

    VERIFY = "ask whether a key is valid"
    ROLE = "say who wrote the comment (user_role)"
    IS_TEST = "mark a call as a test (is_test)"
    TEST_DISCARD = "ask for the discard advice on a test call (test_discard)"
    DISCARD = "tell discard from spam"
    OMIT_IP = "send a check without the visitor's address"
    OMIT_BLOG = "send a check without the site's address"
    HEAR_SUBMIT = "notice that a submission was refused"
    USAGE = "ask for usage-limit and key-sites"


@dataclass(frozen=True)
class Client:
    """One client that somebody else wrote.

    Attributes
    ----------
    name : str
        Package and how it is reached.
    driver : str
        File name in ``drivers/``.
    needs : str
        A key of ``toolbox.MAKERS``: what must be installed for it.
    can : frozenset of Can
    refusal : str
        What it makes of an answer that is neither ``true`` nor ``false``: ``error``, or ``ham`` for clients
        that publish whatever is not ``true``.
    https : bool
        True if its calls are to arrive over TLS.
    places : dict
        More variables for its process; ``{port}`` and ``{tls_port}`` become the front's.
    """

    name: str
    driver: str
    needs: str
    can: frozenset[Can]
    refusal: str = "error"
    https: bool = True
    places: dict[str, str] = field(default_factory=dict)


PYTHON_CAN = frozenset(Can) - {Can.TEST_DISCARD, Can.OMIT_BLOG}

CLIENTS = [
    Client("PyPI akismet, SyncClient", "drive_akismet_sync.py", "python", PYTHON_CAN),
    Client("PyPI akismet, AsyncClient", "drive_akismet_async.py", "python", PYTHON_CAN),
    Client(
        "PyPI python-akismet",
        "drive_python_akismet.py",
        "python-akismet",
        frozenset({Can.ROLE, Can.IS_TEST, Can.DISCARD, Can.OMIT_IP, Can.HEAR_SUBMIT}),
    ),
    Client(
        "PyPI akismet-async",
        "drive_akismet_async_2022.py",
        "akismet-async",
        frozenset({Can.VERIFY, Can.IS_TEST, Can.DISCARD, Can.HEAR_SUBMIT}),
    ),
    Client(
        "PyPI pykismet3",
        "drive_pykismet3.py",
        "pykismet3",
        frozenset({Can.IS_TEST, Can.OMIT_IP, Can.HEAR_SUBMIT}),
        https=False,
    ),
    Client(
        "npm akismet-api, plain HTTP",
        "drive_akismet_api.mjs",
        "node",
        frozenset({Can.VERIFY, Can.ROLE, Can.IS_TEST, Can.OMIT_IP, Can.OMIT_BLOG}),
        https=False,
        places={"SERVICE_HOST": "spam.example:{port}", "SERVICE_PROTOCOL": "http"},
    ),
    Client(
        "npm akismet-api, TLS",
        "drive_akismet_api.mjs",
        "node",
        frozenset({Can.VERIFY, Can.ROLE, Can.IS_TEST, Can.OMIT_IP, Can.OMIT_BLOG}),
        places={"SERVICE_HOST": "spam.example:{tls_port}", "SERVICE_PROTOCOL": "https"},
    ),
    Client(
        "npm akismet",
        "drive_node_akismet.mjs",
        "node",
        frozenset({Can.VERIFY, Can.ROLE, Can.IS_TEST, Can.OMIT_IP, Can.OMIT_BLOG}),
        refusal="ham",
        https=False,
    ),
    Client(
        "npm @cedx/akismet",
        "drive_cedx.mjs",
        "node",
        frozenset({Can.VERIFY, Can.ROLE, Can.IS_TEST, Can.DISCARD, Can.OMIT_IP, Can.HEAR_SUBMIT}),
        https=False,
        places={"SERVICE_URL": "http://127.0.0.1:{port}/"},
    ),
    Client(
        "Debian ruby-akismet",
        "drive_ruby.rb",
        "ruby",
        frozenset(Can) - {Can.USAGE},
    ),
    Client(
        "Debian libnet-akismet-perl",
        "drive_perl.pl",
        "perl",
        frozenset({Can.VERIFY}),
        https=False,
    ),
    Client(
        "Debian libnet-akismet-perl, SERVICE_HOST",
        "drive_perl.pl",
        "perl",
        frozenset({Can.VERIFY}),
        https=False,
        places={"SERVICE_HOST": "spam.example"},
    ),
    Client(
        "Debian golang-github-adtac-go-akismet-dev",
        "drive_go.go",
        "go",
        frozenset({Can.ROLE, Can.OMIT_IP, Can.OMIT_BLOG}),
    ),
]


def who_can(*abilities: Can) -> list[Client]:
    """Return the clients that have all these abilities."""
    return [client for client in CLIENTS if client.can.issuperset(abilities)]
