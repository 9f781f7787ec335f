"""What was fetched: read again and again, from any place, and never on a disk in clear."""

import io
import tempfile
import zipfile
from pathlib import Path

import pytest

from appliance.scratch import Scratch

DATA = bytes(range(256)) * 1000


@pytest.mark.parametrize("in_memory", [0, 1000, 1 << 20])
def test_it_is_read_as_it_was_written(in_memory: int) -> None:
    with Scratch("a.bin", in_memory) as content:
        for at in range(0, len(DATA), 777):
            content.write(DATA[at : at + 777])
        assert content.is_on_disk == (in_memory < len(DATA))
        assert content.size == len(DATA)
        assert b"".join(content.pieces()) == DATA == b"".join(content.pieces())
        file = content.opened()
        for at, length in ((0, 5), (16, 16), (17, 300), (len(DATA) - 3, 10), (5, 0), (99_991, 70_000)):
            file.seek(at)
            assert file.read(length) == DATA[at : at + length]
        file.seek(-4, 2)
        assert file.read() == DATA[-4:]


def test_an_archive_is_read_where_it_lies() -> None:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as made:
        made.writestr("inside.txt", "hello")
    with Scratch("a.zip", 0) as content:
        content.write(archive.getvalue())
        with zipfile.ZipFile(content.opened()) as found:
            assert found.read("inside.txt") == b"hello"


def test_nothing_of_it_is_on_the_disk_in_clear(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "TemporaryFile", lambda: (tmp_path / "seen").open("w+b"))
    with Scratch("bank.ofx", 10) as content:
        content.write(b"<OFX>secret" * 100)
        assert content.head(5) == b"<OFX>"
        seen = (tmp_path / "seen").read_bytes()
    assert len(seen) in (0, 1100)
    assert b"secret" not in seen
