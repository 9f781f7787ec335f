"""One import under way: what an importer yields is gathered, and stored in one transaction.

Reading a file takes longer than storing it, so it is gathered before the store's write lock is taken, which is then
held for the second alone. Only a file of more rows than one portion is read on under the lock: memory is bounded.
"""

import dataclasses
import gc
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from appliance.content import Content
from appliance.ingest.facts import Facts
from appliance.ingest.intervals import Intervals
from appliance.records import Item, Readings, Record, Rejected, Source, Warned
from appliance.store import imports, originals, sources, versions
from appliance.store.imports import Report
from appliance.store.keys import StoreKey

PROGRESS_ITEMS = 1000
PORTION = 4_000  # records, or as many readings, or as much text as take their memory
READINGS_A_RECORD = 10
CHARACTERS_A_READING = 10
MOST_WARNINGS = 1000

Progress = Callable[[int], None]


class Run:
    """What one file says. `named_source` is the source that a person named, which then stands for every one in it."""

    def __init__(
        self, content: Content, named_source: str, items: Iterable[Item] = (), progress: Progress | None = None
    ) -> None:
        self.content, self.named_source = content, named_source
        self.source = Source(named_source or "unnamed")
        self.sources: dict[str, Source] = {}
        self.facts = Facts()
        self.intervals: dict[tuple[str, str], Intervals] = {}
        self.rejects: list[Rejected] = []
        self.warnings: list[str] = []
        self.is_read = False
        self._items, self._progress = iter(items), progress
        self._number = 0

    def gather(self, most: int | None = PORTION) -> None:
        """Reads on, until there is a portion to store, or nothing more; `None` is all at once."""
        weight = 0
        for item in self._items:
            self._take(item)
            self._number += 1
            if self._number % PROGRESS_ITEMS == 0:
                if self._progress:
                    self._progress(self._number)
                if isinstance(item, Record):
                    self.content.read_up_to(item.span.first)
            weight += READINGS_A_RECORD + _more_of(item)
            if most is not None and weight >= most * READINGS_A_RECORD:
                return
        self.is_read = True

    def _take(self, item: Item) -> None:
        if isinstance(item, Record):
            self._note_source()
            self.facts.add(item, self.source)
        elif isinstance(item, Readings):
            self._note_source()
            key = (self.source.name, item.role)
            self.intervals.setdefault(key, Intervals(self.source, item.role)).add(item)
        elif isinstance(item, Rejected):
            self.rejects.append(item)
        elif isinstance(item, Source):
            self.source = self.source if self.named_source else item
            self._note_source()
        elif isinstance(item, Warned):
            self._warn(item.message)

    def _note_source(self) -> None:
        self.sources.setdefault(self.source.name, self.source)

    def _warn(self, message: str) -> None:
        if len(self.warnings) < MOST_WARNINGS:
            self.warnings.append(message)
        elif len(self.warnings) == MOST_WARNINGS:
            self.warnings.append("There was more of this kind, which is not kept.")

    def store(
        self,
        connection: Connection,
        key: StoreKey,
        file_name: str,
        format: str,
        said: Mapping[str, Any],
        retry_of: int | None = None,
    ) -> Report:
        """Stores the original, what is new in it, and what was rejected; reads on where there is more."""
        original = originals.keep(connection, key, self.content)
        seen_before = imports.has_read(connection, original)
        at_us = versions.now_us(connection)
        reading = imports.way_of_reading(original, format, self.named_source, dict(said))
        import_id = imports.begin(
            connection,
            at_us=at_us,
            file=file_name,
            format=format,
            sha256=original,
            named_source=self.named_source,
            options=dict(said),
            retry_of=retry_of,
        )
        counts: dict[str, int] = defaultdict(int)
        while True:
            source_ids = {name: sources.id_of(connection, source) for name, source in self.sources.items()}
            stored, repeated = self.facts.store(connection, key, import_id, at_us, original, reading, source_ids)
            counts["stored"] += stored
            counts["duplicate"] += repeated
            self._store_readings(connection, import_id, counts, seen_before=seen_before)
            self._keep_rejects(connection, import_id, counts)
            if self.is_read:
                break
            self._clear()
            gc.collect(0)  # an import has the collector paused, and this one is long
            self.gather()
        source = sources.BETWEEN.join(self.sources)
        imports.finish(
            connection, import_id, source=source, warnings=self.warnings, read=sum(counts.values()), **counts
        )
        return imports.needed(connection, import_id)

    def _store_readings(
        self, connection: Connection, import_id: int, counts: dict[str, int], *, seen_before: bool
    ) -> None:
        for intervals in self.intervals.values():
            done = intervals.store(connection, import_id, seen_before=seen_before)
            counts["stored"] += done.stored
            counts["duplicate"] += done.duplicate
            self.rejects += done.rejects

    def _keep_rejects(self, connection: Connection, import_id: int, counts: dict[str, int]) -> None:
        rejects = [*self.rejects, *self.facts.refused]
        counts["rejected"] += sum(each.count for each in rejects)
        imports.add_rejects(connection, import_id, [self._with_line(each) for each in rejects])

    def _clear(self) -> None:
        self.facts.clear()
        self.intervals, self.rejects = {}, []

    def _with_line(self, reject: Rejected) -> Rejected:
        """What is rejected here, and not by the importer, has no line yet."""
        return reject if reject.line else dataclasses.replace(reject, line=self.content.line_at(reject.span.first))


def _more_of(item: Item) -> int:
    """What an item weighs beside itself, in readings: those that it holds, and a message its text."""
    if isinstance(item, Readings):
        return len(item.values)
    return len(item.memo) // CHARACTERS_A_READING if isinstance(item, Record) else 0
