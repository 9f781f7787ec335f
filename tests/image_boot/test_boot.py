"""The first boot, by a clock that says 1970: every unit, the clock, the claim, a meter's power, ports and memory."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise

import pytest
import requests

from tests.image.machine import DATA, SERVICES
from tests.image.test_boot import IDLE_KIB, ORDER, PORTS, unit
from tests.image.visitor import Visitor
from tests.image_boot import time_server
from tests.image_boot.inglenook import HOUSE, readings, telegrams
from tests.image_boot.qemu import Board, until

HOST = "10.0.2.2"  # this machine, as the box sees it
DISPLAY = f"{DATA}/display.xml"
DISPLAYED = "display/electricity.power"
MESSAGE = (
    "<msg><src>CC128-v0.11</src><dsb>00089</dsb><time>13:02:39</time><tmpr>18.7</tmpr><sensor>0</sensor>"
    "<id>01234</id><type>1</type><ch1><watts>{:05}</watts></ch1></msg>"
)
MESSAGES, BEFORE = 2000, 20  # in its recording, and of them before the clock is set
METERS = f"""{HOUSE}
[meters.display]
link = "replay"
meter = "currentcost"
replay = {{ path = "{DISPLAY}", speed = {len(MESSAGE.format(0))} }}
"""
"""Beside the meter that states its own time one that the box has to stamp, also once a second."""


def test_every_unit_is_started_and_none_failed(board: Board) -> None:
    assert json.loads(board.run("systemctl", "--failed", "--output=json")) == [], board.failed()
    for service in SERVICES:
        assert board.shown(f"{service}.service", "ActiveState", "NRestarts") == ["active", "0"]


def test_the_collector_is_ready_before_everything_else_begins(board: Board) -> None:
    ready_s = [int(board.shown(unit(name), "ActiveEnterTimestampMonotonic")[0]) / 1e6 for name in ORDER]
    said = "; ".join(f"{name} {at_s:.0f} s" for name, at_s in zip(ORDER, ready_s, strict=True))
    print(f"after the kernel began: {said}")
    assert all(before < after for before, after in pairwise(ready_s))


def test_the_first_boot_divides_the_card_and_the_kernel_is_debian_s(board: Board) -> None:
    """The system has grown to its room, and the rest is for the data."""
    source, options = board.run("findmnt", "--noheadings", "--raw", "--output=SOURCE,OPTIONS", DATA).split()
    assert source.endswith("3")
    assert {"nosuid", "nodev", "noexec", "noatime"} <= set(options.split(","))
    sizes = board.run("df", "--block-size=1M", "--output=size", "/", DATA).split()[1:]
    system_mib, data_mib = map(int, sizes)
    assert 4800 < system_mib < 5200, sizes
    assert 1700 < data_mib < 2000, sizes
    assert board.run("uname", "-m") == "aarch64"
    assert "Debian" in board.run("uname", "-v")


def test_the_code_is_on_the_boot_partition_which_any_computer_opens(board: Board) -> None:
    assert board.run("findmnt", "--noheadings", "--output=FSTYPE", "/boot/firmware") == "vfat"
    assert "This box belongs to nobody yet" in board.run("cat", "/boot/firmware/inglenook-code.txt")


def test_what_was_read_before_the_clock_was_set_has_the_right_time(board: Board) -> None:
    assert "1970-01-01" in board.run("dmesg")
    assert int(board.run("date", "+%s")) < time.time() - 86_400, "it does not know the time yet"
    board.write(DISPLAY, "".join(MESSAGE.format(number) for number in range(MESSAGES)), "inglenook-collector")
    began_s = time.time()
    board.write(f"{DATA}/inglenook.toml", METERS)
    until(lambda: telegrams(board, "display") > BEFORE, "the meters are read")
    with _time_server(board):
        board.run("chronyc", "add", "server", HOST, "iburst")
        until(lambda: _is_there(board, "/run/inglenook/clock-is-set"), "the clock is set")
    set_s = time.time()
    assert abs(int(board.run("date", "+%s")) - time.time()) < 60
    until(lambda: len(readings(board, DISPLAYED)) > BEFORE, "what was read comes into the store")
    stored = list(readings(board, DISPLAYED).items())
    assert [watts for _, watts in stored] == list(range(len(stored))), "none is missing from before that"
    assert began_s - 5 < stored[0][0] / 1000 < set_s
    assert all(before < after for (before, _), (after, _) in pairwise(stored))


def test_the_box_is_claimed_by_https_and_shows_a_meter_s_power(at_home: Visitor) -> None:
    until(lambda: at_home.get("/api/now").json().get("import_w") is not None, "the meter's power is known")
    assert 'id="no-meter" hidden' in at_home.get("/now").text
    until(lambda: at_home.get("/api/now").json()["age_s"] < 60, "it is of this minute")


def test_who_does_not_trust_the_box_is_told_so(board: Board) -> None:
    with board.network(), pytest.raises(requests.exceptions.SSLError):
        requests.get(board.secure, timeout=60)


def test_only_the_ports_of_the_list_are_open(board: Board) -> None:
    networkd = {each for each in board.open_ports() if each[1].endswith(":68")}  # in place of pi-gen's network
    assert board.open_ports() - networkd == PORTS


def test_all_services_of_a_claimed_box_take_little_memory_when_it_has_just_started(
    board: Board, at_home: Visitor
) -> None:
    board.run("systemctl", "restart", *(f"{service}.service" for service in SERVICES))
    assert at_home.get("/now").ok
    taken = board.idle_pss_kib()
    print(f"PSS of all services, idle: {sum(taken.values()) / 1024:.0f} MB")
    assert sum(taken.values()) < IDLE_KIB, taken


@contextmanager
def _time_server(board: Board) -> Iterator[None]:
    """At the house's loopback address, which is what the box reaches by HOST."""
    with ExitStack() as held:
        with board.network():
            listening = held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            listening.bind(("127.0.0.1", time_server.PORT))
        held.enter_context(time_server.serving(listening))
        yield


def _is_there(board: Board, path: str) -> bool:
    return board.run("sh", "-c", 'test -e "$1" && echo well || echo not', "sh", path) == "well"
