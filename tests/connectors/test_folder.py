"""A watched folder: what is new in it is brought once, and what is half written is left for later."""

import os
import time
from pathlib import Path

import pytest

from appliance.connectors import Fetched, folder
from appliance.errors import SourceError, UserError
from appliance.web import Web


def fetched(path: Path, kept: dict[str, object] | None = None, pattern: str = "*") -> list[Fetched]:
    return list(folder.fetch(folder.Options(str(path), pattern), kept or {}, Web()))


def put(path: Path, data: bytes = b"x", age_s: float = 60) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    at = time.time() - age_s
    os.utime(path, (at, at))
    return path


def names(found: list[Fetched]) -> list[str]:
    return [each.content.name for each in found if each.content]


def test_what_is_new_or_changed_comes_once_and_the_oldest_first(tmp_path: Path) -> None:
    put(tmp_path / "b.csv", age_s=100)
    put(tmp_path / "deep" / "a.csv", age_s=200)
    first = fetched(tmp_path)
    assert names(first) == ["deep/a.csv", "b.csv"]
    kept = dict(first[-1].kept)
    assert fetched(tmp_path, kept) == []
    put(tmp_path / "b.csv", b"longer")
    assert names(fetched(tmp_path, kept)) == ["b.csv"]


def test_what_was_brought_before_a_cut_does_not_come_again(tmp_path: Path) -> None:
    put(tmp_path / "a.csv", age_s=200)
    put(tmp_path / "b.csv", age_s=100)
    first = next(iter(folder.fetch(folder.Options(str(tmp_path)), {}, Web())))
    assert names(fetched(tmp_path, dict(first.kept))) == ["b.csv"]


def test_half_written_hidden_linked_and_other_files_are_left(tmp_path: Path) -> None:
    secret = put(tmp_path / "elsewhere" / "secret.csv")
    watched = tmp_path / "watched"
    for name in (".hidden.csv", "coming.csv.part", "photo.jpg", ".trash/old.csv"):
        put(watched / name)
    put(watched / "fresh.csv", age_s=0)
    (watched / "link.csv").symlink_to(secret)
    (watched / "linked").symlink_to(secret.parent)
    put(watched / "good.csv")
    assert names(fetched(watched, pattern="*.csv")) == ["good.csv"]


def test_a_folder_that_is_not_there_may_come_back(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="plug the stick in") as raised:
        fetched(tmp_path / "stick")
    assert not raised.value.permanent


@pytest.mark.parametrize(("path", "pattern"), [("bank", "*"), ("/bank", "../*"), ("/bank", "")])
def test_what_makes_no_sense_is_refused(path: str, pattern: str) -> None:
    with pytest.raises(UserError):
        folder.Options(path, pattern)
