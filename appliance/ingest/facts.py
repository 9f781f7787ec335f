"""The records of one import: gathered, compared with what the store has, and stored in bulk."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Connection

from appliance import kinds
from appliance.ingest import dedupe, revising
from appliance.ingest.dedupe import Decision, Known, Row
from appliance.ingest.known import known
from appliance.records import Record, Rejected, Source
from appliance.store import originals, records, versions
from appliance.store.keys import StoreKey
from appliance.store.versions import Action

FIRST_YEAR, LAST_YEAR = 1900, 2199  # the days that every page can show in every zone
BATCH = 5_000


class Facts:
    """Records in a file's order, each with its source's name. Of a large file they are stored a portion at a time."""

    def __init__(self) -> None:
        self.rows: list[tuple[Record, str, bytes]] = []
        self.refused: list[Rejected] = []
        self._met = np.empty(0, np.int64)  # the facts that earlier portions repeat, sorted
        self._met_forgotten = Counter[bytes]()

    def clear(self) -> None:
        """Begins the next portion."""
        self.rows, self.refused = [], []

    def add(self, record: Record, source: Source) -> None:
        try:
            _need_reach(record.at)
            self.rows.append((record, source.name, dedupe.fingerprint(record, source.name)))
        except (ValueError, OverflowError) as error:
            self.refused.append(Rejected(record.span, 0, record.title, str(error)))

    def store(
        self,
        connection: Connection,
        key: StoreKey,
        import_id: int,
        at_us: int,
        original: str,
        reading: str,
        source_ids: Mapping[str, int],
    ) -> tuple[int, int]:
        """Stores what is new; how many are, and how many were there. What an undo had taken away counts as new.

        What a person had deleted counts as there, and its bytes in the original go once more.
        """
        decisions = dedupe.decide(
            [Row(equal, record.supplier_id, record.unit) for record, _, equal in self.rows],
            self._unmet(known(connection, key, [equal for _, _, equal in self.rows], but=import_id)),
        )
        revisions = revising.revised(connection, self.rows, decisions, import_id, self._met)
        self._note_met(decisions)
        stored, repeated = 0, 0
        undone: list[int] = []
        forgotten: list[tuple[int, int]] = []
        for begin in range(0, len(self.rows), BATCH):
            batch = zip(self.rows[begin : begin + BATCH], decisions[begin : begin + BATCH], strict=True)
            fresh, again = [], []
            for (record, source, equal), decision in batch:
                counted = counts(record.kind)
                if decision.known is None:
                    fresh.append(records.row(record, source_ids[source], import_id, at_us, equal, decision.reason))
                    stored += counted
                    continue
                if decision.known.forgotten:
                    forgotten.append((record.span.first, record.span.length))
                elif reading not in decision.known.readings:
                    again.append(_sighting(record, import_id, decision, decision.known))
                if decision.known.undone:
                    undone.append(decision.known.fact)
                    stored += counted
                else:
                    repeated += counted
            records.add(connection, fresh)
            records.add_sightings(connection, again)
        self._revise(connection, import_id, revisions, decisions, source_ids)
        if undone:
            change = versions.begin(connection, Action.AGAIN, "", import_id=import_id)
            for begin in range(0, len(undone), BATCH):
                versions.reinstate(connection, undone[begin : begin + BATCH], change)
        originals.blank(connection, key, original, self._own(forgotten, decisions))
        return stored, repeated

    def _revise(
        self,
        connection: Connection,
        import_id: int,
        revisions: Mapping[int, int],
        decisions: list[Decision],
        source_ids: Mapping[str, int],
    ) -> None:
        """Begins a version of each fact that a row says otherwise; the one before stays in its history."""
        changes: dict[str, versions.Done] = {}
        for place, fact in revisions.items():
            (record, source, equal), why = self.rows[place], decisions[place].reason
            if why not in changes:
                changes[why] = versions.begin(connection, Action.REVISE, "", why, import_id)
            said = records.row(record, source_ids[source], import_id, 0, equal, why)
            own = {"since_us", "begun_by", "about"}
            if why == revising.BOOKED_AS_SAID:  # a fact is known by one version of each of its fingerprints
                own.add("fingerprint")
            values = {name: value for name, value in said.items() if name not in own}
            versions.supersede(connection, fact, values, changes[why])

    def _unmet(self, found: dict[bytes, list[Known]]) -> dict[bytes, list[Known]]:
        """Those known facts that no row of an earlier portion repeats."""
        if not len(self._met) and not self._met_forgotten:
            return found
        every = np.fromiter((each.fact for facts in found.values() for each in facts), np.int64)
        met = set(every[np.isin(every, self._met)].tolist())
        unmet = {equal: [each for each in facts if each.fact not in met] for equal, facts in found.items()}
        for equal, many in self._met_forgotten.items():
            gone = [each for each in unmet.get(equal, []) if each.forgotten]
            unmet[equal] = gone[many:] + [each for each in unmet.get(equal, []) if not each.forgotten]
        return unmet

    def _note_met(self, decisions: list[Decision]) -> None:
        facts = [each.known.fact for each in decisions if each.known and not each.known.forgotten]
        self._met = np.union1d(self._met, np.array(facts, np.int64))
        for (_, _, equal), each in zip(self.rows, decisions, strict=True):
            if each.known and each.known.forgotten:
                self._met_forgotten[equal] += 1

    def _own(self, forgotten: list[tuple[int, int]], decisions: list[Decision]) -> list[tuple[int, int]]:
        """The bytes that nothing but what was forgotten was read from."""
        if not forgotten:
            return []
        others = [
            (record.span.first, record.span.length)
            for (record, _, _), decision in zip(self.rows, decisions, strict=True)
            if decision.known is None or not decision.known.forgotten
        ]
        return originals.without(forgotten, others)


def counts(kind: str) -> bool:
    """Whether a kind's facts are what a file is read for, and not said beside them, like balances."""
    declared = kinds.named(kind)
    return declared is None or declared.counted


def _need_reach(at: date | None) -> None:
    if at is not None and not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise ValueError(f"the year {at.year} is not one of {FIRST_YEAR} to {LAST_YEAR}; correct the date in the file")


def _sighting(record: Record, import_id: int, decision: Decision, known: Known) -> dict[str, Any]:
    return {
        "import_id": import_id,
        "first": record.span.first,
        "length": record.span.length,
        "fact": known.fact,
        "supplier_id": record.supplier_id,
        "decision": decision.reason,
    }
