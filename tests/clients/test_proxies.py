"""Behind the reverse proxies of docs/examples no key is lost, none of our headers, and no comment."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import urlencode

import pytest

from tests.clients.conftest import ALICE
from tests.clients.front import free_port
from tests.clients.proxies import PROXIES, Proxy, running_proxy
from tests.clients.service_process import Service
from tests.clients.toolbox import NotInstalledError

pytestmark = pytest.mark.clients

FORM = {
    "blog": "https://alice.example",
    "user_ip": "192.0.2.4",
    "comment_author": "akismet-guaranteed-spam",
    "comment_content": "Thank you for the recipe, mine came out rather flat.",
}


@dataclass(frozen=True)
class Answer:
    status: int
    guids: list[str]
    headers: dict[str, str]
    body: str


def post(proxy: Proxy, *, host: str, tls: bool = False, form: dict[str, str] = FORM) -> Answer:
    """Post a check to a proxy under a host name that no name server knows."""
    raw = socket.create_connection(("127.0.0.1", proxy.tls_port if tls else proxy.port), timeout=20)
    if tls:
        raw = ssl.create_default_context(cafile=str(proxy.authority)).wrap_socket(raw, server_hostname=host)
    connection = http.client.HTTPConnection(host)
    connection.sock = raw
    try:
        # A proxy may answer, and hang up, before it has read the whole of a body that is too large.
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.request(
                "POST",
                "/1.1/comment-check",
                urlencode(form),
                {"Host": host, "Content-Type": "application/x-www-form-urlencoded"},
            )
        answer = connection.getresponse()
        try:
            body = answer.read()
        except http.client.IncompleteRead as cut_off:
            body = cut_off.partial
        return Answer(
            answer.status,
            answer.headers.get_all("X-akismet-guid", []),
            {name.lower(): value for name, value in answer.getheaders()},
            body.decode(),
        )
    finally:
        connection.close()


def unavailable(error: NotInstalledError) -> NoReturn:
    if os.environ.get("CLIENTS_MUST_RUN"):
        pytest.fail(str(error), pytrace=False)
    pytest.skip(str(error))


def started(program: str, folder: pytest.TempPathFactory, upstream: int) -> Iterator[Proxy]:
    try:
        with running_proxy(program, folder.mktemp(program), upstream) as proxy:
            yield proxy
    except NotInstalledError as error:
        unavailable(error)


@pytest.fixture(scope="module", params=PROXIES)
def proxy(
    request: pytest.FixtureRequest, service: Service, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    yield from started(request.param, tmp_path_factory, service.port)


@pytest.fixture(scope="module", params=PROXIES)
def proxy_without_service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    """Nothing listens behind this one, as after a crash."""
    yield from started(request.param, tmp_path_factory, free_port())


@pytest.mark.parametrize("tls", [False, True], ids=["plain HTTP", "TLS"])
def test_the_key_in_the_host_name_arrives(proxy: Proxy, tls: bool) -> None:
    answer = post(proxy, host=f"{ALICE}.spam.example.org", tls=tls)
    assert (answer.status, answer.body) == (200, "true"), answer
    assert len(answer.guids) == 1
    assert answer.headers["x-replyguard-score"]


def test_a_key_in_the_form_works_under_any_host_name(proxy: Proxy) -> None:
    answer = post(proxy, host="rest.akismet.com", form=FORM | {"api_key": ALICE})
    assert (answer.status, answer.body) == (200, "true"), answer


def test_a_refusal_of_the_service_passes_through_as_it_is(proxy: Proxy) -> None:
    answer = post(proxy, host="c0ffeec0ffee.spam.example.org")
    assert (answer.status, answer.body) == (200, "invalid")
    assert answer.headers["x-akismet-debug-help"]
    assert len(answer.guids) == 1


def test_an_outage_is_neither_true_nor_false_and_has_a_guid_of_its_own(proxy_without_service: Proxy) -> None:
    answers = [post(proxy_without_service, host=f"{ALICE}.spam.example.org") for _ in range(20)]
    for answer in answers:
        assert answer.status in {502, 503}
        assert answer.body == "unavailable"
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.headers["x-akismet-error"]
        assert len(answer.guids) == 1
    assert len({answer.guids[0] for answer in answers}) == len(answers)


def test_a_body_beyond_the_limit_is_neither_true_nor_false_and_has_a_guid(proxy: Proxy) -> None:
    big = FORM | {"comment_content": "x" * (9 * 1024 * 1024 + 50_000)}
    answers = [post(proxy, host=f"{ALICE}.spam.example.org", form=big) for _ in range(2)]
    for answer in answers:
        # Caddy may see the broken transfer before its own limit.
        assert answer.status in {413, 502}, answer
        assert answer.body not in {"true", "false"}
        assert len(answer.guids) == 1
    assert answers[0].guids != answers[1].guids


def test_neither_addresses_nor_keys_reach_the_proxys_log(proxy: Proxy) -> None:
    post(proxy, host=f"{ALICE}.spam.example.org")
    logged = "".join(path.read_text() for path in proxy.folder.glob("*.log"))
    assert ALICE not in logged
    assert FORM["user_ip"] not in logged


def test_the_hang_up_address_gives_verdicts_and_closes_on_everything_that_is_none(
    service: Service, tmp_path_factory: pytest.TempPathFactory
) -> None:
    host = f"{ALICE}.hang-up.spam.example.org"
    try:
        with running_proxy("nginx", tmp_path_factory.mktemp("up"), service.port) as up:
            assert post(up, host=host).body == "true"
        with running_proxy("nginx", tmp_path_factory.mktemp("down"), free_port()) as down:
            with pytest.raises(http.client.RemoteDisconnected):
                post(down, host=host)
            # The ordinary name beside it still answers.
            assert post(down, host=f"{ALICE}.spam.example.org").body == "unavailable"
    except NotInstalledError as error:
        unavailable(error)


@pytest.mark.parametrize("sent", ["half a head", "half a body"])
def test_clients_that_fall_silent_keep_nobody_from_an_answer(
    sent: str, service: Service, tmp_path_factory: pytest.TempPathFactory
) -> None:
    head = b"POST /1.1/comment-check HTTP/1.1\r\nHost: spam.example.org\r\n"
    if sent == "half a body":
        head += b"Content-Length: 1000\r\n\r\nblog="
    try:
        with running_proxy("nginx", tmp_path_factory.mktemp("silent"), service.port) as nginx:
            with ExitStack() as held:
                for _ in range(64):
                    silent = held.enter_context(
                        socket.create_connection(("127.0.0.1", nginx.port), timeout=5)
                    )
                    silent.sendall(head)
                answers = [post(nginx, host=f"{ALICE}.spam.example.org") for _ in range(8)]
            assert {answer.body for answer in answers} == {"true"}
    except NotInstalledError as error:
        unavailable(error)
