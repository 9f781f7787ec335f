"""The 1-wire link on a folder as the kernel's: several sensors, one that does not answer, the older file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.errors import SourceError, UserError
from appliance.links import w1
from appliance.messages import Lines, Message
from tests.contracts.links import SensorRig

FIRST = "28-00000623003b"


@pytest.fixture
def rig(tmp_path: Path) -> SensorRig:
    return SensorRig(tmp_path)


@pytest.fixture
def link(rig: SensorRig) -> Iterator[w1.Link]:
    link = w1.Link(rig.options)
    yield link
    link.close()


def _heard(link: w1.Link, count: int) -> list[Message]:
    lines, messages = Lines(), list[Message]()
    while len(messages) < count:
        messages += lines.feed(link.read(5))
    return messages


def test_asks_one_sensor_after_the_other_and_one_that_comes_later_too(rig: SensorRig, link: w1.Link) -> None:
    link.open()
    assert [message.topic for message in _heard(link, 2)] == [FIRST, FIRST]
    rig.plug_in("28-031655c9d5ff")
    (rig.folder / "w1_bus_master1").mkdir()
    assert [message.topic for message in _heard(link, 4)][-2:] in (
        [FIRST, "28-031655c9d5ff"],
        ["28-031655c9d5ff", FIRST],
    )


def test_a_sensor_that_does_not_answer_is_a_message_without_text(rig: SensorRig, link: w1.Link) -> None:
    (rig.folder / FIRST / "w1_slave").unlink()
    (rig.folder / FIRST / "w1_slave").mkdir()  # reading it fails, as the kernel's file does for a sensor that is gone
    link.open()
    assert _heard(link, 1) == [Message(FIRST, "")]


def test_reads_the_file_of_thousandths_where_there_is_no_other(rig: SensorRig, link: w1.Link) -> None:
    (rig.folder / FIRST / "w1_slave").rename(rig.folder / FIRST / "temperature")
    (rig.folder / FIRST / "temperature").write_text("23125\n")
    link.open()
    assert _heard(link, 1) == [Message(FIRST, "23125\n")]


def test_waits_for_its_time(rig: SensorRig) -> None:
    link = w1.Link(w1.Options(folder=str(rig.folder), interval_s=3600))
    link.open()
    assert link.read(0)
    assert link.read(0) == b""


def test_says_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="dtoverlay=w1-gpio") as absent:
        w1.Link(w1.Options(folder=str(tmp_path / "none"))).open()
    with pytest.raises(SourceError, match="no sensor 28-") as alone:
        w1.Link(w1.Options(folder=str(tmp_path))).open()
    assert not absent.value.permanent
    assert not alone.value.permanent


def test_reads_its_options_from_text() -> None:
    assert w1.Options.from_text("") == w1.Options()
    assert w1.Options.from_text("10-*,30") == w1.Options(pattern="10-*", interval_s=30)
    with pytest.raises(UserError) as raised:
        w1.Options(folder="", pattern="../*", interval_s=0)
    assert len(raised.value.problems) == 3
