"""The spool: what was appended comes back, whatever became of the file's end, and nobody but the store reads it."""

import errno
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.ingest import spool
from appliance.ingest.spool import SegmentReader, Spool

KEY = X25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw()
FRAMES = [b"first telegram", b"second, a little longer telegram", b"third", b"x" * 300, b"last"]


def _written(folder: Path, payloads: list[bytes], segment_bytes: int = 65_536) -> None:
    writer = Spool(folder, PUBLIC, segment_bytes)
    for payload in payloads:
        writer.append(payload)
    writer.close()


def _read(path: Path, key: X25519PrivateKey = KEY) -> list[bytes]:
    reader = SegmentReader(path, key)
    try:
        return list(reader.new())
    finally:
        reader.close()


def _all(folder: Path) -> list[bytes]:
    return [payload for path in spool.segments(folder) for payload in _read(path)]


@settings(max_examples=30, deadline=None)
@given(payloads=st.lists(st.binary(max_size=3000), min_size=1, max_size=20))
def test_frames_come_back_in_order(tmp_path_factory: pytest.TempPathFactory, payloads: list[bytes]) -> None:
    folder = tmp_path_factory.mktemp("spool")
    _written(folder, payloads)
    assert _all(folder) == payloads


def test_a_finished_segment_takes_no_more_room_than_it_needs(tmp_path: Path) -> None:
    _written(tmp_path, [b"x"], segment_bytes=1 << 20)
    [path] = spool.segments(tmp_path)
    assert path.stat().st_size < 200


def test_a_segment_in_use_has_all_its_room_already(tmp_path: Path) -> None:
    writer = Spool(tmp_path, PUBLIC, 65_536)
    writer.append(b"x")
    [path] = spool.segments(tmp_path)
    assert path.stat().st_size == 65_536
    assert path.stat().st_blocks * 512 >= 65_536
    writer.close()


@pytest.fixture
def whole(tmp_path: Path) -> bytes:
    """A segment's bytes, with a little of the room that was not used yet."""
    writer = Spool(tmp_path / "made", PUBLIC, 4096)
    for payload in FRAMES:
        writer.append(payload)
    [path] = spool.segments(tmp_path / "made")
    content = path.read_bytes()
    writer.close()
    return content[: path.stat().st_size + 40]


def _frame_ends(content: bytes) -> list[int]:
    ends, at = [], 60
    for _ in FRAMES:
        at += 8 + int.from_bytes(content[at : at + 4], "little")
        ends.append(at)
    return ends


def test_a_segment_cut_at_any_byte_gives_exactly_the_frames_before(tmp_path: Path, whole: bytes) -> None:
    path, ends = tmp_path / "cut.spool", _frame_ends(whole)
    for end in range(60, len(whole)):
        path.write_bytes(whole[:end])
        assert _read(path) == FRAMES[: sum(each <= end for each in ends)], end


def test_a_segment_torn_at_any_byte_gives_exactly_the_frames_before(tmp_path: Path, whole: bytes) -> None:
    path, ends = tmp_path / "torn.spool", _frame_ends(whole)
    for place in range(60, ends[-1]):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x5A]) + whole[place + 1 :])
        assert _read(path) == FRAMES[: sum(each <= place for each in ends)], place


def test_zeros_after_any_byte_give_exactly_the_frames_before(tmp_path: Path, whole: bytes) -> None:
    path, ends = tmp_path / "zeros.spool", _frame_ends(whole)
    for place in range(60, ends[-1], 3):
        if not any(whole[place : ends[-1]]):
            continue
        path.write_bytes(whole[:place] + bytes(len(whole) - place))
        found = _read(path)
        assert found == FRAMES[: len(found)]
        assert sum(each <= place for each in ends) <= len(found) <= sum(each <= place + 1 for each in ends)


def test_a_damaged_header_is_no_segment_at_any_byte(tmp_path: Path, whole: bytes) -> None:
    path = tmp_path / "damaged.spool"
    for place in range(60):
        for content in (whole[:place], whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]):
            path.write_bytes(content)
            with pytest.raises(ValueError, match="segment"):
                SegmentReader(path, KEY)


def test_another_store_s_key_opens_nothing_and_is_told_from_an_empty_segment(tmp_path: Path) -> None:
    _written(tmp_path, FRAMES)
    [path] = spool.segments(tmp_path)
    with pytest.raises(ValueError, match="another store's key"):
        _read(path, X25519PrivateKey.generate())


def test_frames_are_unreadable_and_unlike_each_other(tmp_path: Path) -> None:
    _written(tmp_path, [b"Quince and Medlar"] * 2)
    [path] = spool.segments(tmp_path)
    content = path.read_bytes()
    assert b"Quince" not in content
    length = 8 + int.from_bytes(content[60:64], "little")
    assert content[68 : 60 + length] not in content[60 + length :]


def test_a_full_segment_is_followed_by_another(tmp_path: Path) -> None:
    payloads = [os.urandom(900) for _ in range(20)]
    _written(tmp_path, payloads, segment_bytes=4096)
    assert len(spool.segments(tmp_path)) > 3
    assert _all(tmp_path) == payloads


def test_a_frame_larger_than_a_segment_gets_one_of_its_size(tmp_path: Path) -> None:
    payloads = [b"small", os.urandom(50_000), b"small"]
    _written(tmp_path, payloads, segment_bytes=4096)
    assert _all(tmp_path) == payloads


def test_a_restart_begins_a_segment_of_its_own(tmp_path: Path) -> None:
    for payload in FRAMES:
        _written(tmp_path, [payload])
    assert [path.stem for path in spool.segments(tmp_path)] == [f"{number:010}" for number in range(1, 6)]
    assert _all(tmp_path) == FRAMES


def test_two_writers_never_share_a_segment(tmp_path: Path) -> None:
    writers = [Spool(tmp_path, PUBLIC, 4096) for _ in range(2)]
    for number in range(4):
        writers[number % 2].append(b"%d" % number)
    for writer in writers:
        writer.close()
    assert sorted(_all(tmp_path)) == [b"0", b"1", b"2", b"3"]


def test_a_reader_goes_on_where_it_stopped_while_the_writer_writes(tmp_path: Path) -> None:
    writer = Spool(tmp_path, PUBLIC, 4096)
    writer.append(FRAMES[0])
    reader = SegmentReader(spool.segments(tmp_path)[0], KEY)
    assert list(reader.new()) == FRAMES[:1]
    assert list(reader.new()) == []
    for payload in FRAMES[1:3]:
        writer.append(payload)
    assert list(reader.new()) == FRAMES[1:3]
    assert not reader.is_finished()
    writer.close()
    assert reader.is_finished()
    assert list(reader.new()) == []
    reader.close()


# ---- a disk that takes no more ----


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """How many bytes the disk still takes; what is over is refused as the kernel does it, in the middle of a write."""
    left, write = {"bytes": 1 << 30}, os.pwrite

    def pwrite(descriptor: int, content: bytes, offset: int) -> int:
        taken = min(left["bytes"], len(content))
        if not taken:
            raise OSError(errno.ENOSPC, "No space left on device")
        left["bytes"] -= taken
        return write(descriptor, content[:taken], offset)

    monkeypatch.setattr(os, "pwrite", pwrite)
    return left


@pytest.mark.parametrize("room", [0, 1, 30, 70])
def test_frames_that_a_full_disk_refuses_wait_and_are_written_later(
    tmp_path: Path, disk: dict[str, int], room: int
) -> None:
    writer = Spool(tmp_path, PUBLIC, 4096)
    writer.append(FRAMES[0])
    disk["bytes"] = room
    for payload in FRAMES[1:]:
        writer.append(payload)
    with pytest.raises(OSError, match="No space"):
        writer.flush()
    disk["bytes"] = 1 << 30
    writer.flush()
    writer.close()
    assert _all(tmp_path) == FRAMES


def test_a_disk_full_from_the_start_leaves_no_segment_and_loses_no_frame(tmp_path: Path, disk: dict[str, int]) -> None:
    writer = Spool(tmp_path, PUBLIC, 65_536)
    disk["bytes"] = 5000
    writer.append(FRAMES[0])
    assert list(tmp_path.iterdir()) == []
    disk["bytes"] = 1 << 30
    writer.append(FRAMES[1])
    writer.close()
    assert _all(tmp_path) == FRAMES[:2]


def test_of_more_frames_than_may_wait_the_newest_stay_and_the_others_are_counted(
    tmp_path: Path, disk: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "WAITING_FRAMES", 3)
    writer = Spool(tmp_path, PUBLIC, 4096)
    disk["bytes"] = 0
    for payload in FRAMES:
        writer.append(payload)
    disk["bytes"] = 1 << 30
    writer.close()
    assert _all(tmp_path) == FRAMES[2:]
    assert writer.dropped == 2
