"""What several tests stand on. A missing program fails its tests in CI and as root, and skips them elsewhere."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

import pytest

from tests import postgresql

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The SQLAlchemy URL of an empty throw-away PostgreSQL, one for the whole run; use a schema of your own in it."""
    programs = postgresql.programs()
    if programs is None:
        _missing(postgresql.INSTALL)
    with postgresql.cluster(programs) as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Iterator["Browser"]:
    """A running browser, one for the whole run. From its first use on, tests in this process cannot `asyncio.run`."""
    from tests import chromium  # loaded only where a test uses it: it takes longer than most tests

    if not chromium.PROGRAM.exists():
        _missing(chromium.INSTALL)
    with chromium.browser() as browser:
        yield browser


def _missing(what_to_install: str) -> NoReturn:
    if os.environ.get("CI") or os.geteuid() == 0:
        pytest.fail(what_to_install)
    pytest.skip(what_to_install)
