"""Calendars and address books of a real Radicale, and of servers that can do less than it, or more."""

import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from appliance.connectors import Kept, _collections, caldav, carddav
from appliance.errors import SourceError, UserError
from appliance.store import timeline
from appliance.store.database import Store
from appliance.store.timeline import Query
from appliance.web import Web
from tests.connectors import feeding
from tests.dav_servers import PASSWORD, USER, Radicale
from tests.web_server import Answered, Asked, Server, serving


def event(day: int, title: str = "") -> str:
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//a phone//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{day}@phone\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:202603{day:02}T100000Z\r\n"
        f"SUMMARY:{title or f'Event {day}'}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def card(name: str, phone: str = "+44 20 7946 0018", photo: str = "") -> str:
    return (
        f"BEGIN:VCARD\r\nVERSION:3.0\r\nUID:{name}\r\nFN:{name}\r\nN:{name};;;;\r\nTEL:{phone}\r\n{photo}END:VCARD\r\n"
    )


def said(radicale: Radicale, **more: str) -> dict[str, str]:
    return {"address": radicale.address, "user": USER, "password": PASSWORD, **more}


def events(radicale: Radicale, kept: Kept | None = None, **more: str) -> tuple[list[tuple[str, bytes]], Kept]:
    return feeding.taken(caldav.fetch(caldav.Options(**said(radicale, **more)), kept or {}, Web()))


def uids(found: list[tuple[str, bytes]]) -> list[str]:
    return sorted(re.findall(r"UID:(\w+)", b"".join(data for _, data in found).decode()))


# ---- Radicale, into a store ----


def test_calendars_come_home_and_later_only_what_changed(radicale: Radicale, store: Store) -> None:
    radicale.make("home", "Home, sweet home", is_calendar=True)
    radicale.make("work", "Work", is_calendar=True)
    radicale.make("people", "People", is_calendar=False)
    for day in (1, 2, 3):
        radicale.put("home", f"{day}.ics", event(day))
    radicale.put("work", "4.ics", event(4))
    feed = feeding.add(store, "caldav", said(radicale))
    first = feeding.done(store, feed)
    assert (first.files, first.stored) == (2, 4), "one file a calendar"
    assert feeding.titles(store) == ["Event 1", "Event 2", "Event 3", "Event 4"]
    with store.read() as connection:
        [found] = [each for each in timeline.matching(connection, Query()) if each.title == "Event 1"]
    assert found.fields["calendar"] == "Home, sweet home"
    assert feeding.sources(store) == {f"Home, sweet home of {USER} at 127.0.0.1", f"Work of {USER} at 127.0.0.1"}
    assert feeding.done(store, feed).files == 0

    radicale.put("home", "2.ics", event(2, "Event 2 moved upstairs"))
    radicale.put("home", "5.ics", event(5))
    radicale.remove("home", "3.ics")
    second = feeding.done(store, feed)
    assert (second.files, second.read, second.stored + second.duplicate) == (1, 2, 2)
    assert second.message == "1 of Home, sweet home are gone there, and stay here."
    assert feeding.titles(store) == ["Event 1", "Event 2 moved upstairs", "Event 3", "Event 4", "Event 5"]
    assert feeding.done(store, feed).files == 0


def test_contacts_come_home_with_their_photos_and_letters(radicale: Radicale, store: Store) -> None:
    radicale.make("people", "People", is_calendar=False)
    photo = "PHOTO;ENCODING=b;TYPE=JPEG:" + "\r\n ".join(["QUJD" * 18] * 2_000) + "\r\n"
    radicale.put("people", "a.vcf", card("Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}", photo=photo))
    radicale.put("people", "b.vcf", card("Bo"))
    feed = feeding.add(store, "carddav", said(radicale))
    assert feeding.done(store, feed).stored == 2
    assert feeding.titles(store) == ["Bo", "Zo\N{LATIN SMALL LETTER E WITH DIAERESIS}"]
    radicale.put("people", "b.vcf", card("Bo", "+44 20 7946 0999"))
    assert feeding.done(store, feed).files == 1
    with store.read() as connection:
        [found] = [each for each in timeline.matching(connection, Query()) if each.title == "Bo"]
    assert "0999" in str(found.fields), "the number that is right now"


def test_only_the_chosen_ones_are_fetched_and_a_wrong_name_is_told(radicale: Radicale) -> None:
    radicale.make("home", "Home", is_calendar=True)
    radicale.make("work", "Work", is_calendar=True)
    radicale.put("home", "1.ics", event(1))
    radicale.put("work", "2.ics", event(2))
    assert uids(events(radicale, chosen="\nwork\n")[0]) == ["2"]
    with pytest.raises(SourceError, match="no holidays there; there are: Home, Work") as raised:
        events(radicale, chosen="Holidays")
    assert raised.value.permanent


@pytest.mark.parametrize("path", ["", "/", f"/{USER}/", f"/{USER}/home/", f"/{USER}"])
def test_any_address_of_the_server_leads_to_them(radicale: Radicale, path: str) -> None:
    radicale.make("home", "Home", is_calendar=True)
    radicale.put("home", "1.ics", event(1))
    assert uids(events(radicale, address=radicale.address + path)[0]) == ["1"]


def test_one_user_without_calendars_is_told(radicale: Radicale) -> None:
    with pytest.raises(SourceError, match="has no calendar at that address") as raised:
        events(radicale)
    assert raised.value.permanent
    with pytest.raises(SourceError, match="refused the password"):
        events(radicale, password="wrong")


def test_many_come_in_few_files_and_a_cut_costs_none(radicale: Radicale, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_collections, "FILE_ITEMS", 3)
    monkeypatch.setattr(_collections, "ASKED_AT_ONCE", 2)
    radicale.make("home", "Home", is_calendar=True)
    for day in range(1, 9):
        radicale.put("home", f"{day}.ics", event(day))
    options = caldav.Options(**said(radicale))
    running = caldav.fetch(options, {}, Web())
    first = next(running)
    second = next(running)
    assert first.content
    assert second.content
    brought = [(each.content.name, each.content.head(1 << 20)) for each in (first, second) if each.content]
    rest, kept = events(radicale, second.kept)
    assert uids(brought + rest) == [str(day) for day in range(1, 9)]
    assert len(rest) == 1
    again, _ = events(radicale, first.kept)
    assert uids(brought[:1] + again) == [str(day) for day in range(1, 9)], "what is kept is not changed afterwards"
    assert events(radicale, kept)[0] == []


def test_a_forgotten_token_costs_nothing(radicale: Radicale) -> None:
    radicale.make("home", "Home", is_calendar=True)
    radicale.put("home", "1.ics", event(1))
    _, kept = events(radicale)
    [(url, state)] = kept["collections"].items()
    old = {"collections": {url: {**state, "token": "http://radicale.org/ns/sync/" + "0" * 64, "mark": "old"}}}
    radicale.put("home", "2.ics", event(2))
    assert uids(events(radicale, old)[0]) == ["2"]


def test_a_calendar_that_gets_another_name_stays_the_same_source(radicale: Radicale) -> None:
    radicale.make("home", "Home", is_calendar=True)
    radicale.put("home", "1.ics", event(1))
    _, kept = events(radicale)
    [(url, state)] = kept["collections"].items()
    before = {"collections": {url: {**state, "source": "Was called so", "mark": ""}}}
    radicale.put("home", "2.ics", event(2))
    found = list(caldav.fetch(caldav.Options(**said(radicale)), before, Web()))
    assert [each.source for each in found if each.content] == ["Was called so"]


# ---- other servers ----


class Plain:
    """A server that keeps no account of changes and gives no item but by its address, as some do."""

    def __init__(self, items: Mapping[str, str], **can: Any) -> None:
        self.items, self.can = dict(items), {"multiget": False, "sync": False, "ctag": False, **can}
        self.broken: Callable[[Asked], Answered | None] = lambda asked: None

    def __call__(self, asked: Asked) -> Answered:
        if broken := self.broken(asked):
            return broken
        if asked.method == "GET":
            name = asked.path.rpartition("/")[2]
            return Answered(self.items[name].encode()) if name in self.items else Answered(status=404)
        if asked.method == "REPORT":
            return self._report(asked.body.decode())
        if asked.path != "/cal/":
            return Answered(status=404)
        here = _response("/cal/", "<D:resourcetype><D:collection/><C:calendar/></D:resourcetype>")
        listed = [
            _response(f"/cal/{name}", f"<D:getetag>{hash(text)}</D:getetag>") for name, text in self.items.items()
        ]
        return _multistatus(here, *(listed if asked.headers["depth"] == "1" else []))

    def _report(self, body: str) -> Answered:
        if "multiget" not in body or not self.can["multiget"]:
            return Answered(status=501)
        wanted = re.findall(r"<D:href>/cal/([^<]+)</D:href>", body)
        given = (
            _response(f"/cal/{name}", f"<C:calendar-data><![CDATA[{self.items[name]}]]></C:calendar-data>")
            for name in wanted
            if name in self.items
        )
        return _multistatus(*given)


def _response(href: str, properties: str) -> str:
    return (
        f"<D:response><D:href>{href}</D:href><D:propstat><D:prop>{properties}</D:prop>"
        "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    )


def _multistatus(*responses: str) -> Answered:
    spaces = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"'
    return Answered(f"<D:multistatus {spaces}>{''.join(responses)}</D:multistatus>".encode(), 207)


def plainly(server: Server, kept: Kept | None = None) -> tuple[list[tuple[str, bytes]], Kept]:
    return feeding.taken(caldav.fetch(caldav.Options(f"{server.address}/cal/"), kept or {}, Web()))


@pytest.mark.parametrize("multiget", [True, False])
def test_a_server_that_can_do_little_is_compared_item_by_item(multiget: bool) -> None:
    plain = Plain({"1.ics": event(1), "2.ics": event(2)}, multiget=multiget)
    with serving(plain) as server:
        found, kept = plainly(server)
        assert uids(found) == ["1", "2"]
        assert plainly(server, kept)[0] == []
        plain.items = {"2.ics": event(2, "Other"), "3.ics": event(3)}
        found, kept = plainly(server, kept)
        assert uids(found) == ["2", "3"]
        assert plainly(server, kept)[0] == []


def test_what_is_no_calendar_among_them_is_said_once_and_the_others_come() -> None:
    plain = Plain({"1.ics": "<html>not found</html>", "2.ics": event(2)})
    with serving(plain) as server:
        options = caldav.Options(f"{server.address}/cal/")
        found = list(caldav.fetch(options, {}, Web()))
        assert [each.remark for each in found if each.remark] == ["1 of cal could not be read."]
        assert list(caldav.fetch(options, found[-1].kept, Web()))[-1].remark == ""


def test_one_that_is_removed_in_between_is_left_out() -> None:
    plain = Plain({"1.ics": event(1), "2.ics": event(2)})
    plain.broken = lambda asked: Answered(status=404) if asked.path == "/cal/1.ics" else None
    with serving(plain) as server:
        assert uids(plainly(server)[0]) == ["2"]


def test_a_server_that_leads_to_another_is_not_followed_with_the_password() -> None:
    def answer(asked: Asked) -> Answered:
        if asked.path != "/":
            return Answered(status=404)
        away = "<D:current-user-principal><D:href>https://thief.example/ann/</D:href></D:current-user-principal>"
        return _multistatus(_response("/", away))

    with serving(answer) as server, pytest.raises(SourceError, match=r"leads to thief\.example"):
        list(carddav.fetch(carddav.Options(server.address, USER, PASSWORD), {}, Web()))


def test_changes_that_come_in_parts_are_all_taken() -> None:
    """RFC 6578, section 3.6: where there are too many, 507 for the collection itself, and a token to go on from."""
    plain = Plain({f"{day}.ics": event(day) for day in range(1, 6)}, multiget=True)
    with serving(plain) as server:
        _, kept = plainly(server)
        [(url, state)] = kept["collections"].items()
        old = {"collections": {url: {**state, "token": "0", "items": {"9.ics": "gone soon"}}}}

        def parts(asked: Asked) -> Answered | None:
            if b"sync-collection" not in asked.body:
                return None
            at = int(re.findall(rb"<D:sync-token>(\d)</D:sync-token>", asked.body)[0])
            changed = _response(f"/cal/{at + 1}.ics", "<D:getetag>new</D:getetag>")
            status = "<D:response><D:href>{}</D:href><D:status>HTTP/1.1 {}</D:status></D:response>"
            more = (
                status.format("/cal/", "507 Insufficient Storage")
                if at < 4
                else status.format("/cal/9.ics", "404 Gone")
            )
            return _multistatus(changed, more, f"<D:sync-token>{at + 1}</D:sync-token>")

        plain.broken = parts
        found = list(caldav.fetch(caldav.Options(url), old, Web()))
        assert len([each for each in found if each.content]) == 1
        assert found[-1].remark == "1 of cal are gone there, and stay here."
        assert found[-1].kept["collections"][url]["token"] == "5"


def test_what_makes_no_sense_is_refused() -> None:
    with pytest.raises(UserError, match="no address"):
        carddav.Options("")
    with pytest.raises(UserError, match="leave the name"):
        caldav.Options("https://ann:secret@cloud.example")
