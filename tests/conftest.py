"""What several tests stand on. A missing program fails its tests in CI and as root, and skips them elsewhere."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from xdist.scheduler import LoadFileScheduling

from appliance.config import Config
from appliance.store.database import Store, open_store
from tests import postgresql
from tests.blank import Blank, drop_stores

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.dav_servers import Files, Radicale
    from tests.dovecot import Dovecot


class _ByFile(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """Of several processes that share a run, one has a whole file, and one all that the booted appliance is asked."""

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return "image" if file.startswith("tests/image/") else file


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> _ByFile:
    return _ByFile(config, log)


@pytest.fixture(scope="session")
def postgresql_programs() -> Path:
    """The folder of PostgreSQL's programs."""
    return postgresql.programs() or _missing(postgresql.INSTALL)


@pytest.fixture(scope="session")
def postgresql_url(postgresql_programs: Path) -> Iterator[str]:
    """The SQLAlchemy URL of an empty throw-away PostgreSQL, one for the whole run; use a schema of your own in it."""
    with postgresql.cluster(postgresql_programs) as url:
        yield url


@pytest.fixture(scope="session")
def guarded_postgresql_url(postgresql_programs: Path) -> Iterator[str]:
    """The URL of another one, which asks the role of a store for its password; see `postgresql.GUARDED`."""
    with postgresql.cluster(postgresql_programs, postgresql.GUARDED) as url:
        yield url


@pytest.fixture(params=["sqlcipher", "postgresql"])
def database_url(request: pytest.FixtureRequest) -> Iterator[str | None]:
    """What a test's `[database] url` is: None for encrypted files, and an empty PostgreSQL. A test runs on both."""
    if request.param == "sqlcipher":
        yield None
        return
    url: str = request.getfixturevalue("postgresql_url")
    yield url
    drop_stores(url)


@pytest.fixture
def config(tmp_path: Path, database_url: str | None) -> Config:
    """The configuration of a box that has no store yet."""
    return Config(data=tmp_path / "box", database_url=database_url)


@pytest.fixture(scope="session")
def blanks() -> dict[str | None, Blank]:
    """A blank store of each database, made when it is first needed."""
    return {}


@pytest.fixture
def store(config: Config, blanks: dict[str | None, Blank], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """The home store of a box, in which nothing is."""
    url = config.database_url
    if url not in blanks:
        blanks[url] = Blank(tmp_path_factory.mktemp("blank"), url)
    blanks[url].lend(config.data)
    with open_store(config) as opened:
        yield opened
    blanks[url].take_back()


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """A running browser, one for the whole run. From its first use on, tests in this process cannot `asyncio.run`."""
    from tests import chromium  # loaded only where a test uses it: it takes longer than most tests

    if not chromium.PROGRAM.exists():
        _missing(chromium.INSTALL)
    with chromium.browser() as browser:
        yield browser


@pytest.fixture
def files(tmp_path: Path) -> Iterator["Files"]:
    """A running nginx that serves a folder by WebDAV."""
    from tests import dav_servers

    program = dav_servers.nginx() or _missing(dav_servers.INSTALL_NGINX)
    (tmp_path / "nginx").mkdir()
    with dav_servers.serving_files(program, tmp_path / "nginx") as serving:
        yield serving


@pytest.fixture
def radicale(tmp_path: Path) -> Iterator["Radicale"]:
    """A running Radicale, without a collection."""
    from tests import dav_servers

    program = dav_servers.radicale() or _missing(dav_servers.INSTALL_RADICALE)
    (tmp_path / "radicale").mkdir()
    with dav_servers.serving_collections(program, tmp_path / "radicale") as serving:
        yield serving


@pytest.fixture
def mail_server() -> Iterator["Dovecot"]:
    """A running Dovecot with an empty mailbox."""
    from tests import dovecot

    with dovecot.serving(dovecot.program() or _missing(dovecot.INSTALL)) as serving:
        yield serving


def _missing(what_to_install: str) -> NoReturn:
    if os.environ.get("CI") or os.geteuid() == 0:
        pytest.fail(what_to_install)
    pytest.skip(what_to_install)
