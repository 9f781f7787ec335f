"""The records of one import: gathered, compared with what the store has, and stored in bulk."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, select

from appliance.ingest import dedupe
from appliance.ingest.dedupe import Decision, Known, Row
from appliance.records import Record, Rejected, Source
from appliance.store import records
from appliance.store.models import ImportRow, RecordRow, Sighting

FIRST_YEAR, LAST_YEAR = 1900, 2199  # the days that every page can show in every zone
BATCH = 5_000


class Facts:
    """Records in a file's order, each with its source's name."""

    def __init__(self) -> None:
        self.rows: list[tuple[Record, str, bytes]] = []
        self.refused: list[Rejected] = []

    def add(self, record: Record, source: Source) -> None:
        try:
            _need_reach(record.at)
            self.rows.append((record, source.name, dedupe.fingerprint(record, source.name)))
        except (ValueError, OverflowError) as error:
            self.refused.append(Rejected(record.span, 0, record.title, str(error)))

    def store(
        self, connection: Connection, import_id: int, original: str, source_ids: Mapping[str, int]
    ) -> tuple[int, int]:
        """Stores what is new; how many are new, and how many were there."""
        decisions = dedupe.decide(
            [Row(equal, record.supplier_id, record.unit) for record, _, equal in self.rows],
            _known(connection, [equal for _, _, equal in self.rows]),
        )
        count, stored = len(self.rows), 0
        for begin in range(0, count, BATCH):
            batch = zip(self.rows[begin : begin + BATCH], decisions[begin : begin + BATCH], strict=True)
            fresh, again = [], []
            for (record, source, equal), decision in batch:
                if decision.known is None:
                    fresh.append(records.row(record, source_ids[source], import_id, equal, decision.reason))
                elif original not in decision.known.originals:
                    again.append(_sighting(record, import_id, decision, decision.known))
            records.add(connection, fresh)
            records.add_sightings(connection, again)
            stored += len(fresh)
        return stored, count - stored


def _need_reach(at: date | None) -> None:
    if at is not None and not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"the year {at.year} is not one of {FIRST_YEAR} to {LAST_YEAR}; correct the date in the file")


def _known(connection: Connection, fingerprints: list[bytes]) -> dict[bytes, list[Known]]:
    known: dict[bytes, list[Known]] = defaultdict(list)
    for low, high in dedupe.ranges(fingerprints):
        seen = _seen_again(connection, low, high)
        for equal, record_id, supplier_id, unit, original in records.known(connection, low, high):
            ids, originals = seen.get(record_id, (set(), set()))
            known[equal].append(Known(record_id, ids | ({supplier_id} - {""}), originals | {original or ""}, unit))
    return known


def _seen_again(connection: Connection, low: bytes, high: bytes) -> dict[int, tuple[set[str], set[str]]]:
    found: dict[int, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    rows = connection.execute(
        select(Sighting.record_id, Sighting.supplier_id, ImportRow.sha256)
        .join(RecordRow, RecordRow.id == Sighting.record_id)
        .join(ImportRow, ImportRow.id == Sighting.import_id)
        .where(RecordRow.fingerprint.between(low, high))
    )
    for record_id, supplier_id, original in rows:
        ids, originals = found[record_id]
        ids.update({supplier_id} - {""})
        originals.add(original or "")
    return found


def _sighting(record: Record, import_id: int, decision: Decision, known: Known) -> dict[str, Any]:
    return {
        "import_id": import_id,
        "first": record.span.first,
        "length": record.span.length,
        "record_id": known.record_id,
        "supplier_id": record.supplier_id,
        "decision": decision.reason,
    }
