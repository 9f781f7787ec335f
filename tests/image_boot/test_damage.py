"""A disk with damage: the data partition is mended before anything uses it, or the box says that it cannot be."""

import requests

from tests.image.machine import DATA
from tests.image.visitor import Visitor
from tests.image_boot import card
from tests.image_boot.inglenook import is_sound
from tests.image_boot.qemu import Board

STORE = "/stores/home/store.db"
FAULTS = (
    f"set_inode_field {STORE} links_count 7",  # more names than it has: it would never be deleted
    "freei <12>",  # an inode in use that is said to be free: another file would be put there
    "set_super_value free_blocks_count 5",
    "set_super_value state 0",  # it was in use when the power went
)
NOTHING = bytes(card.MIB)
"""In the place of the superblock, and of all that begins the file system."""


def test_a_data_partition_that_needs_a_check_is_mended_at_the_next_boot(board: Board, at_home: Visitor) -> None:
    took_s = board.switch_off()
    assert card.is_whole(card.data(board.card))
    card.damaged(card.data(board.card), *FAULTS)
    assert not card.is_whole(card.data(board.card))
    booted_s = board.switch_on()
    print(f"off after {took_s:.0f} s; with a data partition to mend, every unit was started after {booted_s:.0f} s")
    assert "FIXED" in board.journal("systemd-fsck@*") or "MODIFIED" in board.journal("systemd-fsck@*")
    assert board.run("stat", "--format=%h", f"{DATA}{STORE}") == "1"
    is_sound(board)
    assert at_home.get("/now").ok, "who had signed in still is"
    board.switch_off()
    assert card.is_whole(card.data(board.card))
    board.switch_on()


def test_a_data_partition_that_cannot_be_read_is_said_and_left_as_it_is(board: Board, at_home: Visitor) -> None:
    board.switch_off()
    began = card.exchanged(board.card, NOTHING)
    booted_s = board.switch_on(whole=False)
    print(f"without its data partition, every unit that can be was started after {booted_s:.0f} s")
    with board.network(outside=True):
        page = requests.get(board.plain, timeout=60)
    assert page.status_code == 503
    assert "The box cannot read its data" in page.text
    assert "The box cannot read its data" in board.run("cat", "/run/issue.d/inglenook.issue")
    assert board.run("ls", "-A", DATA) == ""
    board.switch_off()
    assert card.exchanged(board.card, began) == NOTHING
    board.switch_on()
    is_sound(board)
    assert at_home.get("/now").ok, "who had signed in still is"
