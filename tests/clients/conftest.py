"""One real service, one front and one process per client, for the whole run."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from tests.clients.driver import Driver
from tests.clients.front import Front, running_front
from tests.clients.roster import Client
from tests.clients.service_process import Service, running_service
from tests.clients.toolbox import MAKERS, NotInstalledError, Tool

ALICE = "a11ce0a11ce0"
"""A key that serves any site."""
BOB = "b0bb0bb0bb0b"
"""A key tied to BOBS_SITE."""
BOBS_SITE = "https://bob.example"
CHARLIE = "c0ffeec0ffee"
"""A key that nobody gave out."""


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    folder = tmp_path_factory.mktemp("service") / "data"
    folder.mkdir()
    with running_service(folder, {ALICE: None, BOB: BOBS_SITE}) as running:
        yield running


@pytest.fixture(scope="session")
def front(service: Service, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with running_front(("127.0.0.1", service.port), tmp_path_factory.mktemp("front")) as running:
        yield running
        assert running.strays == [], "a client called a host that is not ours"


@pytest.fixture(scope="session")
def drive(front: Front, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Client], Driver]]:
    """Start a client on first use; skip, or with CLIENTS_MUST_RUN fail, where it is not installed."""
    tools: dict[str, Tool | NotInstalledError] = {}
    drivers: dict[str, Driver] = {}

    def tool_for(needs: str) -> Tool | NotInstalledError:
        if needs not in tools:
            try:
                tools[needs] = MAKERS[needs](tmp_path_factory.mktemp(needs))
            except NotInstalledError as error:
                tools[needs] = error
        return tools[needs]

    with ExitStack() as running:

        def start(client: Client) -> Driver:
            tool = tool_for(client.needs)
            if isinstance(tool, NotInstalledError):
                reason = f"{client.name}: {tool}"
                if os.environ.get("CLIENTS_MUST_RUN"):
                    pytest.fail(reason, pytrace=False)
                pytest.skip(reason)
            if client.name not in drivers:
                drivers[client.name] = running.enter_context(Driver(client, tool, front))
            return drivers[client.name]

        yield start
