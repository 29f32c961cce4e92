"""What docs/site.md tells sites to do works as it is printed."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.clients.conftest import ALICE
from tests.clients.front import Front
from tests.clients.proxies import put_in_place
from tests.clients.roster import CLIENTS
from tests.clients.service_process import ROOT

PAGE = (ROOT / "docs" / "site.md").read_text(encoding="utf-8")

pytestmark = pytest.mark.clients


def test_the_python_example_reaches_us(front: Front) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE, flags=re.DOTALL)
    program = put_in_place(
        example,
        {
            'scheme="https", host="spam.example.org"': f'scheme="http", host="127.0.0.1", port={front.port}',
            "0123456789ab": ALICE,
        },
    )
    program += (
        "\nassert client.verify_key()\n"
        "said = client.comment_check(user_ip='192.0.2.8', comment_author='akismet-guaranteed-spam')\n"
        "assert said == akismet.CheckResponse.SPAM, said\n"
        "client._http_client.close()\n"
    )
    before = len(front.exchanges)
    done = subprocess.run(
        (sys.executable, "-W", "error", "-c", program), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert [each.host for each in front.exchanges[before:]] == ["spam.example.org"] * 2


def test_every_client_that_is_tested_stands_on_the_page() -> None:
    packages = {client.name.split(",")[0].split(" ", 1)[1] for client in CLIENTS}
    packages -= {"ruby-akismet", "libnet-akismet-perl", "golang-github-adtac-go-akismet-dev"}
    packages |= {"Debian `ruby-akismet`", "Net::Akismet", "adtac/go-akismet"}
    assert [name for name in sorted(packages) if name not in PAGE] == []
