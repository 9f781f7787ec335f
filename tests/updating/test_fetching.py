"""A release is fetched from the address that the configuration names, over HTTPS, and from nowhere by default."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.config import Config, load
from appliance.errors import SourceError, UserError
from appliance.updating.at_hand import fetch, look
from appliance.web import Web
from tests import disks
from tests.updating.box import Box
from tests.web_server import Answered, Asked, Server, identity, serving

LARGE_BYTES, DISK_BYTES = 2_000_000, 32 << 20


@pytest.fixture
def own(tmp_path: Path) -> tuple[Path, str]:
    """A server's key and certificate, and what is to be trusted for it."""
    return identity(tmp_path)


@pytest.fixture
def server(box: Box, own: tuple[Path, str]) -> Iterator[Server]:
    """Serves what lies in the box's `served` folder."""

    def answer(asked: Asked) -> Answered:
        file = box.folder / "served" / Path(asked.path).name
        return Answered(file.read_bytes()) if file.exists() else Answered(status=404)

    with serving(answer, own[0]) as found:
        yield found


@pytest.fixture
def web(own: tuple[Path, str]) -> Web:
    return Web(own[1])


@pytest.fixture
def configured(box: Box, server: Server) -> Config:
    (box.data / "inglenook.toml").write_text(f'[update]\nurl = "{server.address}/releases/"\n')
    return load(box.data)


def test_a_newer_release_is_fetched_once_and_is_then_at_hand(
    box: Box, configured: Config, server: Server, web: Web
) -> None:
    box.made("0.2.0", into=box.folder / "served")
    for _ in range(2):
        found = fetch(configured, box.places, web)
        assert found
        assert found.release.version == "0.2.0"
    assert [Path(each.path).suffix for each in server.asked] == [".release", ".tar", ".release"]
    assert look(configured, box.places)[0] == found


def test_what_is_not_newer_is_not_fetched_and_what_was_fetched_of_it_goes(
    box: Box, configured: Config, server: Server, web: Web
) -> None:
    box.made("0.2.0", into=box.folder / "served")
    fetch(configured, box.places, web)
    box.made("0.1.0", into=box.folder / "served")
    assert fetch(configured, box.places, web) is None
    assert [path.name for path in (configured.data / "updates").iterdir()] == []
    assert look(configured, box.places) == (None, [])


def test_a_release_that_arrives_damaged_is_not_kept_and_that_is_said_until_it_is_mended(
    box: Box, configured: Config, server: Server, web: Web
) -> None:
    file = box.made("0.2.0", into=box.folder / "served")
    whole = file.read_bytes()
    file.write_bytes(whole[:600] + b"x" + whole[601:])
    with pytest.raises(SourceError, match="not what was signed"):
        fetch(configured, box.places, web)
    found, problems = look(configured, box.places)
    assert found is None
    assert "the last look for updates: the release that was fetched is not what was signed" in problems[0]
    file.write_bytes(whole)
    fetch(configured, box.places, web)
    found, problems = look(configured, box.places)
    assert found
    assert problems == []


def test_what_is_kept_for_the_meters_is_not_filled_by_a_release(
    box: Box, configured: Config, server: Server, web: Web
) -> None:
    box.made("0.2.0", into=box.folder / "served", files={"large": "x" * LARGE_BYTES})
    (box.data / "updates").mkdir()
    with disks.mounted(box.data / "updates", DISK_BYTES) as folder:
        disks.leave_free(folder, LARGE_BYTES + (1 << 20))
        with pytest.raises(
            UserError, match=r"fetching the update takes 2 MB .* 1 MB are left beside what is kept free"
        ):
            fetch(configured, box.places, web)
        assert [Path(each.path).suffix for each in server.asked] == [".release"]
        assert "fetching the update takes" in look(configured, box.places)[1][0]
        disks.make_room(folder)
        assert fetch(configured, box.places, web)


def test_what_a_stranger_serves_is_not_fetched(box: Box, configured: Config, server: Server, web: Web) -> None:
    box.made("0.2.0", box.make_key("stranger"), into=box.folder / "served")
    with pytest.raises(UserError, match="nobody whom this box trusts"):
        fetch(configured, box.places, web)
    assert [Path(each.path).suffix for each in server.asked] == [".release"]


def test_where_nobody_answers_the_host_is_said(box: Box, configured: Config, server: Server, web: Web) -> None:
    server.trouble = "hangs up"
    with pytest.raises(SourceError, match=r"127\.0\.0\.1"):
        fetch(configured, box.places, web)


def test_by_default_nobody_is_asked_and_the_way_on_is_said(box: Box, config: Config, web: Web) -> None:
    with pytest.raises(UserError, match="no address is named from which updates come"):
        fetch(config, box.places, web)


def test_an_address_that_somebody_could_change_on_the_way_is_not_taken(box: Box) -> None:
    (box.data / "inglenook.toml").write_text('[update]\nurl = "http://updates.example.org"\n')
    with pytest.raises(UserError, match="begins with https://"):
        load(box.data)
