"""Tariffs of our own format: facts with versions. What every importer must do is in tests/contracts/importers.py."""

import json
from typing import Any

from appliance.ingest import importing
from appliance.store import records, versions
from appliance.store.database import Store
from appliance.store.models import RecordRow
from appliance.store.records import Stored
from tests.contracts.importers import SAMPLES

SAMPLE = (SAMPLES / "tariff_file" / "two-tariffs.txt").read_bytes()


def brought(store: Store, data: bytes) -> tuple[int, int, int]:
    report = importing.import_bytes(store, data, "tariffs.json")
    return report.stored, report.duplicate, report.rejected


def standing(store: Store) -> list[Stored]:
    with store.read() as connection:
        found = records.selected().where(RecordRow.kind == "energy.tariff").order_by(RecordRow.fact)
        return [records.stored(each) for each in connection.execute(found)]


def changed(learnt: str, price: str) -> bytes:
    first: dict[str, Any] = json.loads(SAMPLE)[0]
    first["learnt"] = learnt
    first["charges"][0]["rates"][0]["price"] = price
    return json.dumps(first).encode()


def test_a_tariff_that_is_brought_again_with_another_price_is_another_version(store: Store) -> None:
    assert brought(store, SAMPLE) == (2, 0, 0)
    assert brought(store, SAMPLE) == (0, 2, 0)
    brought(store, changed("2026-03-01T00:00:00Z", "0.2199"))
    first, second = standing(store)
    assert '"0.2199"' in first.fields["definition"]
    assert (first.title, first.account, first.at) == ("Flat Fens", "FLAT-26", "2026-01-01")
    with store.read() as connection:
        history = versions.history(connection, first.id)
    assert ['"0.2415"' in each.record.fields["definition"] for each in history] == [True, False]
    assert second.title == "Night Fens"


def test_what_was_learnt_earlier_replaces_nothing(store: Store) -> None:
    brought(store, SAMPLE)
    brought(store, changed("2025-12-01T00:00:00Z", "0.1"))
    assert '"0.2415"' in standing(store)[0].fields["definition"]
