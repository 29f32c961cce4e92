"""One WordPress per edition found, and the stand-in service behind it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.wordpress.servers import Database
from tests.wordpress.site import Site, akismet_version
from tests.wordpress.stub import KEY, Stub

NEEDED = {"php": "php-cli", "mariadbd": "mariadb-server", "mariadb-install-db": "mariadb-server"}
INSTALLED = Path("/usr/share/wordpress")
# tests/wordpress/fetch-editions.sh fills such a folder with newer ones
EDITIONS = "REPLYGUARD_WORDPRESS_EDITIONS"


def missing_packages() -> str:
    """Debian packages that would have to be installed, or an empty string."""
    missing = {package for program, package in NEEDED.items() if shutil.which(program) is None}
    if not (INSTALLED / "wp-load.php").exists():
        missing.add("wordpress")
    return " ".join(sorted(missing))


def cores() -> list[Path]:
    """The installed WordPress and those in the editions folder."""
    found = [INSTALLED]
    if folder := os.environ.get(EDITIONS):
        found += sorted(Path(folder).glob("*/usr/share/wordpress"))
    return [core for core in found if (core / "wp-content/plugins/akismet/akismet.php").exists()]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "core" in metafunc.fixturenames:
        found = cores()
        ids = [f"akismet-{akismet_version(core)}" for core in found]
        # without WordPress there is one case, which says so when it is skipped
        metafunc.parametrize("core", found or [INSTALLED], ids=ids or ["no-wordpress"], scope="session")


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    if missing := missing_packages():
        reason = f"a real WordPress needs the Debian packages {missing}"
        if os.environ.get("CLIENTS_MUST_RUN"):
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    database = Database(tmp_path_factory.mktemp("database"))
    yield database
    database.close()


@pytest.fixture(scope="session")
def blog(core: Path, database: Database, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A WordPress with Akismet active and our plugin not yet set up."""
    site = Site(tmp_path_factory.mktemp("wordpress"), core, database)
    site.activate_akismet()
    yield site
    complaints = site.complaints()
    site.close()
    assert complaints == []


@pytest.fixture
def stub() -> Iterator[Stub]:
    stub = Stub()
    yield stub
    stub.close()


@pytest.fixture
def site(blog: Site, stub: Stub) -> Site:
    """The WordPress with its two settings pointing at the stand-in."""
    blog.forget_settings(url=stub.url, key=KEY)
    return blog
