"""The replay of a file: as fast as possible or at a pace, and what cannot be replayed."""

from pathlib import Path

import pytest

from appliance.errors import SourceError, UserError
from appliance.links import EndedError, replay
from tests.contracts.links import PATIENCE_S, heard


def _file(folder: Path, data: bytes) -> replay.Options:
    path = folder / "a,file:with signs.txt"
    path.write_bytes(data)
    return replay.Options.from_text(str(path))


def test_gives_the_whole_file_and_ends(tmp_path: Path) -> None:
    data = bytes(range(256)) * 1000
    link = replay.Link(_file(tmp_path, data))
    link.open()
    assert heard(link, len(data) + 1) == data
    with pytest.raises(EndedError):
        link.read(0)
    link.close()


def test_keeps_a_pace(tmp_path: Path) -> None:
    link = replay.Link(replay.Options(_file(tmp_path, b"x" * 40).path, speed=100))
    link.open()
    assert link.read(PATIENCE_S) == b"x" * 10
    assert link.read(0) == b""  # the next ones are due later
    assert link.read(PATIENCE_S) == b"x" * 10
    link.close()


@pytest.mark.parametrize("name", ["absent", "."])
def test_what_cannot_be_read_is_permanent(tmp_path: Path, name: str) -> None:
    with pytest.raises(SourceError) as raised:
        replay.Link(replay.Options(str(tmp_path / name))).open()
    assert raised.value.permanent


def test_says_every_problem_of_a_configuration() -> None:
    with pytest.raises(UserError) as raised:
        replay.Options(path="", speed=-1)
    assert len(raised.value.problems) == 2
