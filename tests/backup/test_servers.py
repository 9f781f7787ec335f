"""Backups to servers: what speaks restic's REST protocol, and what speaks S3."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from appliance import backup
from appliance.backup import targets
from appliance.backup.drill import drill
from appliance.backup.restic import PROGRAM
from appliance.backup.restoring import restore
from appliance.config import Config
from appliance.errors import UserError
from appliance.store.database import HOME
from tests.backup.house import ADA, BEN, NOW, House
from tests.rest_server import PASSWORD, USER, RestServer, rest_server
from tests.s3_server import KEY_ID, SECRET, S3Server, s3_server

pytestmark = pytest.mark.skipif(
    shutil.which(PROGRAM) is None, reason="restic is not installed; as root: apt-get install restic"
)

ATTIC = "attic"
Server = RestServer | S3Server
Begin = Callable[[], AbstractContextManager[Server]]
SERVERS: dict[str, tuple[Begin, str, str]] = {"rest": (rest_server, USER, PASSWORD), "s3": (s3_server, KEY_ID, SECRET)}


@pytest.fixture(params=SERVERS)
def attic(request: pytest.FixtureRequest) -> Iterator[tuple[Server, str, str]]:
    """A server, with who it lets in and by what."""
    begin, user, password = SERVERS[request.param]
    with begin() as server:
        yield server, user, password


def test_a_server_keeps_it_and_gives_it_back(house: House, attic: tuple[Server, str, str], tmp_path: Path) -> None:
    server, user, password = attic
    with pytest.raises(UserError, match="does not let the box in"):
        backup.add(house.config, ATTIC, server.address, "nobody", "wrong")
    backup.add(house.config, ATTIC, server.address, user, password)
    backup.back_up(house.config, ATTIC, NOW)
    assert drill(house.config, ATTIC, NOW).stores == 3
    assert not any(b"Home Farm" in kept for kept in server.files.values())
    assert restore(Config(tmp_path / "new"), server.address, user, password, house.words[HOME]) == [ADA, BEN]


def test_a_bit_that_flips_on_a_server_is_found(house: House, attic: tuple[Server, str, str], tmp_path: Path) -> None:
    server, user, password = attic
    backup.add(house.config, ATTIC, server.address, user, password)
    backup.back_up(house.config, ATTIC, NOW)
    largest = max((path for path in server.files if "/data/" in path), key=lambda path: len(server.files[path]))
    whole = server.files[largest]
    server.files[largest] = whole[:100] + bytes([whole[100] ^ 1]) + whole[101:]
    with pytest.raises(UserError, match="it is damaged"):
        drill(house.config, ATTIC, NOW)
    assert "damaged" in targets.named(house.config, ATTIC).drill_problem
    with pytest.raises(UserError, match=r"it is damaged.*Take another of your backups"):
        restore(Config(tmp_path / "new"), server.address, user, password, house.words[HOME])
