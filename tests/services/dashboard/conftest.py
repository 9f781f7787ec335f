"""A dashboard that somebody claimed, and browsers in front of it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import config, people
from appliance.people import Household
from services.dashboard.access import SESSION_COOKIE
from services.dashboard.app import make_app
from services.dashboard.box import box

NAME, PASSWORD = "Ada", "a hearth of words"
TOKEN = re.compile(r'name="form-token" content="([0-9a-f]{64})"')


@pytest.fixture
def new_app(tmp_path: Path) -> Iterator[Flask]:
    """The dashboard of a box that nobody has claimed."""
    app = make_app(config.load(tmp_path))
    yield app
    box(app).stores.close()


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    """The dashboard of a household of one, in which nothing was imported yet."""
    app = make_app(config.load(tmp_path_factory.mktemp("box")))
    found = box(app)
    people.claim(found.config, found.stores.home, Household("Home Farm", "Europe/Amsterdam", "EUR"), NAME, PASSWORD)
    yield app
    found.stores.close()


@pytest.fixture
def stranger(app: Flask) -> FlaskClient:
    """A browser in which nobody signed in."""
    return app.test_client()


@pytest.fixture
def ada(app: Flask) -> FlaskClient:
    """A browser in which the first person is signed in."""
    token = people.sign_in(box(app).stores.home, NAME, PASSWORD)
    assert token
    client = app.test_client()
    client.set_cookie(SESSION_COOKIE, token)
    return client


@pytest.fixture
def token_of() -> Callable[[FlaskClient, str], str]:
    """The token that a page's forms carry."""

    def read(client: FlaskClient, path: str = "/now") -> str:
        found = TOKEN.search(client.get(path).text)
        assert found
        return found[1]

    return read
