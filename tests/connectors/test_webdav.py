"""Files on a real nginx: one by its address, and a folder by WebDAV."""

import os
import time
from datetime import date
from pathlib import Path

import pytest

from appliance.connectors import Kept, webdav
from appliance.errors import SourceError, UserError
from appliance.store.database import Store
from appliance.web import Web
from tests.connectors import feeding
from tests.dav_servers import PASSWORD, USER, Files
from tests.statements import Row, ofx
from tests.web_server import Answered, Asked, serving

DAY = 86_400


def fetched(address: str, kept: Kept | None = None, **said: str) -> tuple[list[tuple[str, bytes]], Kept]:
    options = webdav.Options(address, **{"user": USER, "password": PASSWORD, **said})
    return feeding.taken(webdav.fetch(options, kept or {}, Web()))


def put(path: Path, data: bytes, age_days: int = 1) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    at = time.time() - age_days * DAY
    os.utime(path, (at, at))


def statement(day: int) -> bytes:
    return ofx([Row(date(2026, 3, day), f"-{day}.00", f"Mill {day}")])


# ---- a folder ----


def test_what_is_new_or_changed_comes_once_and_the_oldest_first(files: Files) -> None:
    folder = f"{files.address}/dav/"
    put(files.folder / "b.csv", b"b", age_days=2)
    put(files.folder / "deep" / "\N{GREEK SMALL LETTER ALPHA} 100%.csv", b"a", age_days=3)
    found, kept = fetched(folder)
    assert found == [("deep/\N{GREEK SMALL LETTER ALPHA} 100%.csv", b"a"), ("b.csv", b"b")]
    assert fetched(folder, kept)[0] == []
    put(files.folder / "b.csv", b"longer", age_days=1)
    found, kept = fetched(folder, kept)
    assert found == [("b.csv", b"longer")]
    put(files.folder / "b.csv", b"longer", age_days=0)
    assert fetched(folder, kept)[0] == [], "it was touched, and says the same"


def test_only_what_is_wanted_and_whole_comes(files: Files) -> None:
    for name in ("good.csv", "photo.jpg", "coming.csv.part", ".hidden.csv", ".trash/old.csv", "deep/other.csv"):
        put(files.folder / name, b"x")
    assert [name for name, _ in fetched(f"{files.address}/dav/", pattern="*.csv", below="no")[0]] == ["good.csv"]
    found = [name for name, _ in fetched(f"{files.address}/dav/deep/", pattern="*.csv")[0]]
    assert found == ["other.csv"]


def test_what_is_gone_there_stays_here_and_is_said(files: Files, store: Store) -> None:
    for day in (1, 2):
        put(files.folder / f"{day}.ofx", statement(day), age_days=10 - day)
    feed = feeding.add(store, "webdav", {"address": f"{files.address}/dav/", "user": USER, "password": PASSWORD})
    first = feeding.done(store, feed)
    assert (first.files, first.stored) == (2, 2)
    (files.folder / "1.ofx").unlink()
    put(files.folder / "3.ofx", statement(3))
    second = feeding.done(store, feed)
    assert (second.files, second.stored, second.duplicate) == (1, 1, 0)
    assert second.message == "1 files are gone there, and stay here."
    assert feeding.titles(store) == ["Mill 1", "Mill 2", "Mill 3"]
    assert feeding.done(store, feed).files == 0


def test_what_came_before_a_cut_does_not_come_again(files: Files) -> None:
    put(files.folder / "a.csv", b"a", age_days=2)
    put(files.folder / "b.csv", b"b", age_days=1)
    options = webdav.Options(f"{files.address}/dav/", USER, PASSWORD)
    first = next(webdav.fetch(options, {}, Web()))
    assert [name for name, _ in fetched(f"{files.address}/dav/", first.kept)[0]] == ["b.csv"]


def test_a_wrong_password_is_final_and_never_shown(files: Files) -> None:
    with pytest.raises(SourceError, match="refused the password") as raised:
        fetched(f"{files.address}/dav/", password="another one")
    assert raised.value.permanent
    assert "another one" not in str(raised.value)


def test_a_folder_that_may_not_be_read_is_said_and_the_others_are_read() -> None:
    def answer(asked: Asked) -> Answered:
        if asked.path == "/shut/":
            return Answered(status=403)
        if asked.method == "GET":
            return Answered(asked.path.encode())
        hrefs = ("/", "/shut/", "http://elsewhere.example/x.csv", "/a.csv") if asked.path == "/" else (asked.path,)
        return Answered(multistatus(*hrefs), 207)

    with serving(answer) as server:
        found = list(webdav.fetch(webdav.Options(f"{server.address}/"), {}, Web()))
        assert [each.content.name for each in found if each.content] == ["a.csv"]
        assert [each.remark for each in found if each.remark] == ["1 folders may not be read, such as shut."]


def multistatus(*hrefs: str) -> bytes:
    found = (
        f"<D:response><D:href>{href}</D:href><D:propstat><D:prop><D:getetag>1</D:getetag><D:resourcetype>"
        f"{'<D:collection/>' if href.endswith('/') else ''}</D:resourcetype></D:prop>"
        "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
        for href in hrefs
        if href.startswith("/")
    )
    return f'<D:multistatus xmlns:D="DAV:">{"".join(found)}</D:multistatus>'.encode()


@pytest.mark.parametrize("body", [b"<a>", b"", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"\xff" * 100])
def test_an_answer_that_is_no_xml_is_said(body: bytes) -> None:
    with (
        serving(lambda asked: Answered(body, 207)) as server,
        pytest.raises(SourceError, match="cannot be read") as raised,
    ):
        list(webdav.fetch(webdav.Options(f"{server.address}/"), {}, Web()))
    assert not raised.value.permanent


def test_folders_without_end_are_not_walked_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webdav, "MOST_FOLDERS", 20)
    with (
        serving(lambda asked: Answered(multistatus(asked.path, f"{asked.path}deeper/"), 207)) as server,
        pytest.raises(SourceError, match="name a folder below it") as raised,
    ):
        list(webdav.fetch(webdav.Options(f"{server.address}/"), {}, Web()))
    assert raised.value.permanent
    assert len(server.asked) < 25


# ---- one file ----


def test_a_file_comes_when_it_has_changed(files: Files) -> None:
    address = f"{files.address}/open/bank%20of%20mine.csv"
    put(files.folder / "bank of mine.csv", b"one", age_days=2)
    found, kept = fetched(address)
    assert found == [("bank of mine.csv", b"one")]
    assert fetched(address, kept)[0] == []
    put(files.folder / "bank of mine.csv", b"two", age_days=1)
    assert fetched(address, kept)[0] == [("bank of mine.csv", b"two")]


def test_a_page_that_is_made_anew_each_time_comes_when_it_says_something_else() -> None:
    bodies = [b"one", b"one", b"two"]
    with serving(lambda asked: Answered(bodies.pop(0), headers={"ETag": f'"{len(bodies)}"'})) as server:
        found, kept = fetched(f"{server.address}/made")
        assert found == [("made", b"one")]
        found, kept = fetched(f"{server.address}/made", kept)
        assert found == []
        assert fetched(f"{server.address}/made", kept)[0] == [("made", b"two")]
        assert [asked.headers.get("if-none-match") for asked in server.asked] == [None, '"2"', '"1"']


def test_a_folder_that_is_taken_for_a_file_is_told(files: Files) -> None:
    (files.folder / "bank").mkdir()
    with pytest.raises(SourceError, match="end its address with /"):
        fetched(f"{files.address}/dav/bank")


def test_a_file_that_is_not_there_is_final(files: Files) -> None:
    with pytest.raises(SourceError, match="nothing at that address") as raised:
        fetched(f"{files.address}/open/missing.csv")
    assert raised.value.permanent


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"address": "not an address"}, "no address of a server"),
        ({"address": "ftp://files.example/"}, "no address of a server"),
        ({"address": "https://ann:pass@files.example/"}, "leave the name and the password out"),
        ({"address": "https://files.example/", "user": "ann:pass"}, "has no colon"),
        ({"address": "https://files.example/", "pattern": "../*"}, "such as"),
        ({"address": "https://files.example/", "below": "perhaps"}, "yes or no"),
        ({"address": "https://files.example/", "certificate": "x"}, "BEGIN CERTIFICATE"),
    ],
)
def test_what_makes_no_sense_is_refused(said: dict[str, str], words: str) -> None:
    with pytest.raises(UserError, match=words) as raised:
        webdav.Options(**said)
    assert "pass@" not in str(raised.value)
