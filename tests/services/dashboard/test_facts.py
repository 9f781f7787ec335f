"""A fact's page: said, corrected, withdrawn, annotated and let stand again, and an import taken back."""

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from flask.testing import FlaskClient

from appliance import kinds
from appliance.ingest import importing, stating
from appliance.store import declared, records, timeline
from appliance.store.database import Store
from appliance.store.timeline import Query
from services.dashboard.box import box
from tests.statements import Row, ofx

Token = Callable[[FlaskClient, str], str]


@pytest.fixture
def own(app: Flask) -> Store:
    """Ada's own store."""
    return box(app).stores.named("ada")


def _post(client: FlaskClient, token_of: Token, path: str, **said: str) -> str:
    """What the page shows that a form leads to."""
    answer = client.post(path, data={"form_token": token_of(client, "/now"), **said}, follow_redirects=True)
    assert answer.status_code in (200, 422), answer.text
    return answer.text


def _paid(own: Store, number: int) -> int:
    """A payment as a statement says it; its fact."""
    data = ofx([Row(date(2026, 3, number), f"-{number}.50", f"BKR {number}")], "1")
    report = importing.import_bytes(own, data, f"{number}.ofx")
    with own.read() as connection:
        return timeline.page(connection, Query(import_id=report.id)).records[0].id


def test_every_kind_has_a_form_and_what_is_typed_is_kept(ada: FlaskClient, token_of: Token, own: Store) -> None:
    listed = ada.get("/add").text
    for kind in kinds.every():
        assert f'href="/add/{kind}"' in listed
        assert ada.get(f"/add/{kind}").status_code == 200
    said = {"title": "Moving in May", "at": "2027-05-01", "amount": "900", "unit": "EUR", "memo": "a\r\nb"}
    page = _post(ada, token_of, "/add/me.plan", **said)
    assert "Moving in May" in page
    assert "Ada said it" in page
    with own.read() as connection:
        fact = timeline.page(connection, Query(kind="me.plan")).records[0]
    assert (fact.at, str(fact.amount), fact.memo, fact.provenance) == ("2027-05-01", "900.00", "a\nb", "my")


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(ada: FlaskClient, token_of: Token) -> None:
    page = _post(ada, token_of, "/add/me.plan", title="Sail round the world", amount="a lot")
    assert "a lot" in page
    assert 'aria-invalid="true"' in page
    assert 'value="Sail round the world"' in page


def test_a_time_is_typed_in_the_household_s_zone(ada: FlaskClient, token_of: Token, own: Store) -> None:
    fact = stating.add(own, "calendar.event", {"title": "Dentist", "at": "2026-07-01T09:00:00+02:00"}, "Ada").id
    form = ada.get(f"/records/{fact}/correct").text
    assert 'name="at" value="2026-07-01"' in form
    assert 'name="at:time" value="09:00"' in form
    _post(ada, token_of, f"/records/{fact}/correct", title="Dentist", at="2026-07-01T10:30")
    with own.read() as connection:
        [found] = timeline.page(connection, Query(kind="calendar.event")).records
    assert found.at == "2026-07-01T08:30:00Z"


@pytest.mark.parametrize("kind", ["phone.call", "calendar.event"])
def test_a_day_is_asked_for_with_a_time_where_it_is_known(
    ada: FlaskClient, token_of: Token, own: Store, kind: str
) -> None:
    form = ada.get(f"/add/{kind}").text
    assert re.search(r'type="date" name="at" value=""', form)
    assert re.search(r'type="time" name="at:time" value=""', form)
    for said, kept in (
        ({"at": "2026-06-01", "at:time": "10:30"}, "2026-06-01T08:30:00Z"),
        ({"at": "2026-12-01T10:30"}, "2026-12-01T09:30:00Z"),
        ({"at": "2026-06-02", "at:time": ""}, "2026-06-02"),
    ):
        page = _post(ada, token_of, f"/add/{kind}", title="Call", **said)
        assert "Ada said it" in page
        with own.read() as connection:
            stands = [each.at for each in timeline.matching(connection, Query(kind=kind))]
        assert kept in stands


def test_a_time_alone_is_refused_and_stays_in_the_form(ada: FlaskClient, token_of: Token) -> None:
    page = _post(ada, token_of, "/add/calendar.event", title="Dentist", **{"at": "", "at:time": "10:30"})
    assert "says no day" in page
    assert 'name="at:time" value="10:30"' in page
    page = _post(ada, token_of, "/add/calendar.event", title="", **{"at": "2026-06-01", "at:time": "10:30"})
    assert 'name="at" value="2026-06-01"' in page
    assert 'name="at:time" value="10:30"' in page


def test_a_time_is_taken_back_to_its_day_and_what_is_not_changed_stays(
    ada: FlaskClient, token_of: Token, own: Store
) -> None:
    said = {"title": "Dentist", "at": "2026-07-01T09:00:30+02:00", "until": "9999-12-31T23:30:00Z"}
    fact = stating.add(own, "calendar.event", said, "Ada").id
    same = {"at": "2026-07-01", "at:time": "09:00", "until": "9999-12-31", "until:time": "23:30"}
    _post(ada, token_of, f"/records/{fact}/correct", **same, title="Dentist, again")
    with own.read() as connection:
        found = records.one(connection, fact)
    assert found
    assert (found.title, found.at) == ("Dentist, again", "2026-07-01T07:00:30Z")
    assert found.fields["until"] == "9999-12-31T23:30:00Z"
    _post(ada, token_of, f"/records/{fact}/correct", **{**same, "at:time": ""})
    with own.read() as connection:
        found = records.one(connection, fact)
    assert found
    assert found.at == "2026-07-01"


def test_a_measurement_is_not_proposed_in_money(ada: FlaskClient) -> None:
    assert 'value="EUR"' in ada.get("/add/me.plan").text
    assert 'value="EUR"' not in ada.get("/add/health.measurement").text


def test_a_correction_shows_what_it_said_before_and_why(ada: FlaskClient, token_of: Token, own: Store) -> None:
    fact = _paid(own, 1)
    form = ada.get(f"/records/{fact}/correct").text
    assert 'value="BKR 1"' in form
    page = _post(ada, token_of, f"/records/{fact}/correct", title="Baker", amount="-1.50", why="the bank abbreviates")
    assert "<del>BKR 1</del>" in page
    assert "<ins>Baker</ins>" in page
    assert "corrected by Ada: the bank abbreviates" in page
    assert "BKR 1" in page.split('class="bytes"')[1]  # the file's own words


def test_a_withdrawn_fact_says_so_and_can_stand_again(ada: FlaskClient, token_of: Token, own: Store) -> None:
    fact = _paid(own, 2)
    assert "Say why" in _post(ada, token_of, f"/records/{fact}/withdraw")
    page = _post(ada, token_of, f"/records/{fact}/withdraw", why="not mine")
    assert "This was withdrawn" in page
    assert "not mine" in page
    assert "BKR 2" not in ada.get("/records").text
    assert ada.get(f"/records/{fact}/correct").status_code == 404
    assert "This was withdrawn" not in _post(ada, token_of, f"/records/{fact}/restore")
    assert "BKR 2" in ada.get("/records").text


def test_a_note_stands_on_the_fact_it_is_about(ada: FlaskClient, token_of: Token, own: Store) -> None:
    fact = _paid(own, 3)
    assert "Ask Tom" in _post(ada, token_of, f"/records/{fact}/note", text="Ask Tom")


def test_an_import_is_taken_back_and_brought_back(ada: FlaskClient, token_of: Token, own: Store) -> None:
    fact = _paid(own, 4)
    found = re.search(r"/import/(\d+)", ada.get(f"/records/{fact}").text)
    assert found
    assert "Bring it back" in _post(ada, token_of, f"/import/{found[1]}/undo")
    assert "taken back with its import" in ada.get(f"/records/{fact}").text
    assert "undone already" in _post(ada, token_of, f"/import/{found[1]}/undo")
    assert "Undo this import" in _post(ada, token_of, f"/import/{found[1]}/redo")
    assert "BKR 4" in ada.get("/records").text


def test_a_kind_of_one_s_own_has_its_form_and_an_unknown_kind_is_shown(
    ada: FlaskClient, token_of: Token, own: Store
) -> None:
    [kind] = kinds.declared(
        '[kinds."hobby.plant"]\ntitle = "Plant"\n[kinds."hobby.plant".fields.species]\ntitle = "Species"\n', "own.toml"
    )
    with own.write() as connection:
        declared.keep(connection, kind)
    page = _post(ada, token_of, "/add/hobby.plant", title="Fern", species="Nephrolepis")
    assert "Species" in page
    assert "Nephrolepis" in page


def test_nobody_corrects_without_a_form_of_this_dashboard(ada: FlaskClient, own: Store) -> None:
    fact = _paid(own, 5)
    assert ada.post(f"/records/{fact}/withdraw", data={"why": "x"}).status_code == 403
    assert ada.get("/records/999999/correct").status_code == 404
    assert ada.get(f"/records/{1 << 63}").status_code == 404


def test_an_event_that_repeats_says_when_it_is_next(ada: FlaskClient, own: Store) -> None:
    lines = ["BEGIN:VEVENT", "UID:1", "SUMMARY:Bins", "DTSTART:20200106", "RRULE:FREQ=WEEKLY", "EXDATE:20200113"]
    report = importing.import_bytes(own, "\r\n".join([*lines, "END:VEVENT", ""]).encode(), "bins.ics")
    with own.read() as connection:
        [bins] = timeline.page(connection, Query(import_id=report.id)).records
    before, page, after = _mondays(), ada.get(f"/records/{bins.id}").text, _mondays()
    assert any(f'<dt>Next</dt><dd class="lines">{said}</dd>' in page for said in (before, after))
    assert "every week, except 1" in page
    assert "13 Jan 2020" in page


def _mondays() -> str:
    """The next three, today too, as a page says them."""
    today = datetime.now(ZoneInfo("Europe/Amsterdam")).date()
    coming = [today + timedelta(days=-today.weekday() % 7 + weeks * 7) for weeks in range(3)]
    return "\n".join(f"{each.day} {each:%b %Y}" for each in coming)


def test_the_records_of_an_event_that_sums_count_are_named(ada: FlaskClient, token_of: Token, own: Store) -> None:
    one, two = _paid(own, 21), _paid(own, 22)
    order = {"party": "BKR", "at": "2026-03-21", "amount": "44", "unit": "EUR"}
    ordered = stating.add(own, "shop.order", order, "Ada").id
    said = _words(_post(ada, token_of, f"/records/{ordered}/same", other=str(one)))
    assert f"Sums count it once, as record {one} says it." in said
    said = _words(_post(ada, token_of, f"/records/{ordered}/same", other=str(two)))
    assert f"Sums count it once, as record {one} and record {two} say it." in said
    assert f"Sums count it once, as this record and record {two} say it." in _words(ada.get(f"/records/{one}").text)


def _words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]*>", "", page).split())
