"""The records of one import: gathered, compared with what the store has, and stored in bulk."""

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, select

from appliance.ingest import dedupe
from appliance.ingest.dedupe import Decision, Known
from appliance.records import Record, Rejected, Source
from appliance.store import records, sources
from appliance.store.models import ImportRow, RecordRow, Sighting


class Facts:
    """Records in a file's order, each with its source."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.rows: list[tuple[Record, int, bytes]] = []
        self.refused: list[Rejected] = []
        self.source_ids: dict[str, int] = {}

    def add(self, record: Record, source: Source) -> None:
        if source.name not in self.source_ids:
            self.source_ids[source.name] = sources.id_of(self.connection, source)
        try:
            records.moment(record.at)
            self.rows.append((record, self.source_ids[source.name], dedupe.fingerprint(record)))
        except (ValueError, OverflowError) as error:
            self.refused.append(Rejected(record.span, 0, record.title, str(error)))

    def store(self, import_id: int, original: str) -> tuple[int, int, list[Rejected]]:
        """Stores what is new; how many are new, how many were there, and which could not be kept."""
        decisions = dedupe.decide(
            [(equal, record.supplier_id) for record, _, equal in self.rows],
            self._known([equal for _, _, equal in self.rows]),
        )
        fresh, again = [], []
        for (record, source_id, equal), decision in zip(self.rows, decisions, strict=True):
            if decision.known is None:
                fresh.append(records.row(record, source_id, import_id, equal, decision.reason))
            elif original not in decision.known.originals:
                again.append(_sighting(record, import_id, decision, decision.known))
        records.add(self.connection, fresh)
        records.add_sightings(self.connection, again)
        return len(fresh), len(self.rows) - len(fresh), self.refused

    def _known(self, fingerprints: list[bytes]) -> dict[bytes, list[Known]]:
        known: dict[bytes, list[Known]] = defaultdict(list)
        for low, high in dedupe.ranges(fingerprints):
            seen = self._seen_again(low, high)
            for equal, record_id, supplier_id, original in records.known(self.connection, low, high):
                ids, originals = seen.get(record_id, (set(), set()))
                known[equal].append(Known(record_id, ids | ({supplier_id} - {""}), originals | {original or ""}))
        return known

    def _seen_again(self, low: bytes, high: bytes) -> dict[int, tuple[set[str], set[str]]]:
        found: dict[int, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
        rows = self.connection.execute(
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
