"""What a person says themself is a fact; a correction keeps both versions, and what was believed on a day is told."""

from datetime import datetime
from decimal import Decimal

import numpy as np
import pytest

from appliance.errors import UserError
from appliance.ingest import importing, stating
from appliance.kinds import FieldsError
from appliance.records import Source
from appliance.store import records, timeline, versions
from appliance.store import series as series_store
from appliance.store.database import Store
from appliance.store.series import Columns, Lineage
from appliance.store.timeline import Query
from tests.statements import Row, ofx

ADDRESS = {"title": "Home", "street": "1 Hearth Lane", "town": "Nook", "from": "2024-05-01"}


def _add(store: Store) -> int:
    return stating.add(store, "me.plan", {"title": "Moving in May", "at": "2026-05-01"}, "Ann").id


def test_what_a_person_says_is_theirs_and_has_no_file(store: Store) -> None:
    with store.read() as connection:
        before = timeline.facets(connection).count
    fact = _add(store)
    with store.read() as connection:
        said = records.one(connection, fact)
        assert said is not None
        [version] = versions.history(connection, fact)
        assert timeline.facets(connection).count == before + 1
    assert (said.kind, said.at, said.provenance) == ("me.plan", "2026-05-01", "my")
    assert (said.import_id, said.original, said.source) == (None, "", "me")
    assert version.begun is not None
    assert (version.begun.who, version.begun.action, version.ended) == ("Ann", "add", None)


def test_a_correction_keeps_both_versions_with_who_when_and_why(store: Store) -> None:
    importing.import_bytes(store, ofx([Row(datetime(2026, 3, 1).date(), "-4.50", "BKR 0042")], "1"), "s.ofx")
    with store.read() as connection:
        [before] = timeline.matching(connection, Query())
    after = stating.correct(store, before.id, {"title": "Baker", "amount": "-4.05"}, "Ann", "misread")
    assert (after.id, after.title, after.amount) == (before.id, "Baker", Decimal("-4.05"))
    assert (after.original, after.first, after.length) == (before.original, before.first, before.length)
    with store.read() as connection:
        old, new = versions.history(connection, before.id)
        assert [each.title for each in timeline.matching(connection, Query())] == ["Baker"]
    assert (old.record.title, old.record.amount) == ("BKR 0042", Decimal("-4.50"))
    assert old.ended == new.begun
    assert new.begun is not None
    assert (new.begun.who, new.begun.why, new.begun.at) == ("Ann", "misread", new.record.since)


def test_what_was_believed_at_an_instant_is_told(store: Store) -> None:
    fact = _add(store)
    stating.correct(store, fact, {"title": "Moving in June"}, "Ann")
    stating.withdraw(store, fact, "Ann", "we stay")
    with store.read() as connection:
        instants = [each.record.since for each in versions.history(connection, fact)]
        instants.append(versions.history(connection, fact)[-1].record.until)

    def believed(at: str) -> list[str]:
        with store.read() as connection:
            asked = Query(as_of=datetime.fromisoformat(at))
            return [each.title for each in timeline.matching(connection, asked)]

    assert [believed(at) for at in instants] == [["Moving in May"], ["Moving in June"], []]
    assert believed("2001-01-01T00:00:00Z") == []


def test_a_withdrawn_fact_is_gone_from_the_timeline_and_not_from_its_history(store: Store) -> None:
    fact = _add(store)
    note = stating.annotate(store, fact, "Ask the landlord", "Ann")
    assert note.about == fact
    stating.withdraw(store, fact, "Ann", "we stay")
    with store.read() as connection:
        assert timeline.page(connection, Query()).records == []
        assert versions.history(connection, fact)[-1].ended is not None
    assert stating.restore(store, fact, "Ann").title == "Moving in May"
    with store.read() as connection:
        assert {each.id for each in timeline.matching(connection, Query())} == {fact, note.id}
    with pytest.raises(UserError, match="nothing to restore"):
        stating.restore(store, fact, "Ann")


def test_a_row_of_a_file_that_was_corrected_is_not_brought_again(store: Store) -> None:
    data = ofx([Row(datetime(2026, 3, 1).date(), "-4.50", "BKR")], "1")
    importing.import_bytes(store, data, "s.ofx")
    with store.read() as connection:
        [fact] = timeline.matching(connection, Query())
    stating.correct(store, fact.id, {"title": "Baker"}, "Ann")
    again = importing.import_bytes(store, data + b"\n", "s2.ofx")
    assert (again.stored, again.duplicate) == (0, 1)
    with store.read() as connection:
        assert [each.import_id for each in records.sightings(connection, fact.id)] == [again.id]


def test_a_clock_that_is_set_back_makes_no_version_end_before_it_began(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    fact = _add(store)
    monkeypatch.setattr("time.time_ns", lambda: 0)
    stating.correct(store, fact, {"title": "Moving in June"}, "Ann")
    with store.read() as connection:
        old, new = versions.history(connection, fact)
    assert old.record.since < old.record.until == new.record.since


@pytest.mark.parametrize(
    ("kind", "said", "problem"),
    [
        ("me.wish", {"title": "x"}, "no kind of fact"),
        ("me.plan", {"title": "x", "colour": "red"}, "colour"),
        ("money.balance", {"title": "x", "amount": "a lot"}, "a lot"),
    ],
)
def test_what_cannot_be_said_is_refused_and_nothing_is_stored(
    store: Store, kind: str, said: dict[str, str], problem: str
) -> None:
    with pytest.raises(UserError, match=problem):
        stating.add(store, kind, said, "Ann")
    with store.read() as connection:
        assert timeline.page(connection, Query()).records == []


def test_a_fact_that_is_not_there_cannot_be_corrected(store: Store) -> None:
    with pytest.raises(UserError, match="there is no fact 7"):
        stating.correct(store, 7, {"title": "x"}, "Ann")


def test_a_reason_that_is_no_utf_8_is_kept_as_its_bytes(store: Store) -> None:
    fact = _add(store)
    stating.withdraw(store, fact, "Ann", "caf\udce9")
    with store.read() as connection:
        [version] = versions.history(connection, fact)
    assert version.ended is not None
    assert version.ended.why == r"caf\udce9"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"event": "multiplier", "source": "house"}, "factor"),
        ({"event": "multiplier", "source": "house", "factor": "0"}, "factor"),
        ({"event": "multiplier", "source": "house", "factor": "-2"}, "factor"),
        ({"event": "swap"}, "source"),
        ({"event": "swap", "source": "hosue"}, "source"),
        ({"event": "swap", "source": "house", "role": "gas"}, "role"),
        ({"event": "swap", "supply": "water"}, "supply"),
        ({"event": "swap", "source": "house", "old_register": "5"}, "role"),
        (
            {"event": "swap", "source": "house", "role": "electricity.import.t1", "old_register": "9" * 12},
            "old_register",
        ),
    ],
)
def test_an_event_that_no_meter_can_have_had_is_refused(store: Store, said: dict[str, str], field: str) -> None:
    _two_tariffs(store)
    with pytest.raises(FieldsError) as raised:
        stating.add(store, "energy.meter_event", {"at": "2026-05-01", **said}, "Ann")
    assert set(raised.value.of) == {field}


@pytest.mark.parametrize(
    "said",
    [
        {"event": "multiplier", "source": "house", "factor": "0.1"},
        {"event": "reset", "role": "electricity.import"},
        {"event": "move", "supply": "electricity"},
        {"event": "power failed"},
    ],
)
def test_an_event_that_a_meter_can_have_had_is_kept(store: Store, said: dict[str, str]) -> None:
    _two_tariffs(store)
    fact = stating.add(store, "energy.meter_event", {"at": "2026-05-01", **said}, "Ann").id
    with pytest.raises(FieldsError):
        stating.correct(store, fact, {"event": "swap", "source": "nobody"}, "Ann")


def _two_tariffs(store: Store) -> None:
    with store.write() as connection:
        for role in ("electricity.import.t1", "electricity.import.t2"):
            made = series_store.found_or_made(connection, Source("house"), role, "kWh", -3, 0)
            columns = Columns(*(np.array([each], np.int64) for each in (1_700_000_000_000, 0, 5)))
            series_store.append(connection, made, columns, Lineage(link="serial", boot="b"))
