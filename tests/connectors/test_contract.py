"""Every connector that is found, held to the contract, and those over HTTP to every way in which a server fails."""

from collections.abc import Callable, Iterator

import pytest

from appliance import connectors
from appliance.errors import UserError
from tests.contracts import connectors as contract
from tests.web_server import TROUBLES, Answered, Server, serving


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(lambda asked: Answered(b"?", 500)) as made:
        yield made


@pytest.mark.parametrize("rule", contract.OF_A_CONNECTOR, ids=lambda rule: rule.__name__)
@pytest.mark.parametrize("name", connectors.names())
def test_every_connector(name: str, rule: Callable[[str], None]) -> None:
    rule(name)


@pytest.mark.parametrize("trouble", TROUBLES)
@pytest.mark.parametrize("name", contract.OVER_HTTP)
def test_every_trouble(name: str, trouble: str, server: Server) -> None:
    contract.fails_as_the_server_does(name, trouble, server)


def test_an_unknown_connector_is_told_with_those_that_exist() -> None:
    with pytest.raises(UserError, match="webdav"):
        connectors.named("no such service")
