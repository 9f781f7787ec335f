"""One import under way: what an importer yields is gathered first, and stored in one transaction after.

Reading a file takes longer than storing it, and the store's write lock is held for the second alone.
"""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sqlalchemy import Connection

from appliance.ingest.facts import Facts
from appliance.ingest.intervals import Intervals
from appliance.records import Item, Readings, Record, Rejected, Source, Warned
from appliance.store import imports, originals, sources, versions
from appliance.store.imports import Report
from appliance.store.keys import StoreKey

PROGRESS_ITEMS = 1000

Progress = Callable[[int], None]


class Run:
    """What one file says. `named_source` is the source that a person named, which then stands for every one in it."""

    def __init__(self, data: bytes, named_source: str) -> None:
        self.data, self.named_source = data, named_source
        self.source = Source(named_source or "unnamed")
        self.sources: dict[str, Source] = {}
        self.facts = Facts()
        self.intervals: dict[tuple[str, str], Intervals] = {}
        self.rejects: list[Rejected] = []
        self.warnings: list[str] = []

    def take(self, items: Iterable[Item], progress: Progress | None) -> None:
        """Gathers what an importer yields; `progress` is told how much so far."""
        for number, item in enumerate(items, 1):
            self._take(item)
            if progress and number % PROGRESS_ITEMS == 0:
                progress(number)

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
            self.warnings.append(item.message)

    def _note_source(self) -> None:
        self.sources.setdefault(self.source.name, self.source)

    def store(
        self,
        connection: Connection,
        key: StoreKey,
        file_name: str,
        format: str,
        said: Mapping[str, Any],
        retry_of: int | None = None,
    ) -> Report:
        """Stores the original, what is new in it, and what was rejected."""
        original = originals.keep(connection, key, self.data)
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
        source_ids = {name: sources.id_of(connection, source) for name, source in self.sources.items()}
        counts["stored"], counts["duplicate"] = self.facts.store(
            connection, key, import_id, at_us, original, reading, source_ids
        )
        rejects = [*self.rejects, *self.facts.refused]
        counts["rejected"] = len(rejects)
        for intervals in self.intervals.values():
            done = intervals.store(connection, import_id, seen_before=seen_before)
            counts["stored"] += done.stored
            counts["duplicate"] += done.duplicate
            counts["rejected"] += done.rejected
            rejects += done.rejects
        imports.add_rejects(connection, import_id, [self._with_line(each) for each in rejects])
        source = sources.BETWEEN.join(self.sources)
        imports.finish(
            connection, import_id, source=source, warnings=self.warnings, read=sum(counts.values()), **counts
        )
        return imports.needed(connection, import_id)

    def _with_line(self, reject: Rejected) -> Rejected:
        """What is rejected here, and not by the importer, has no line yet."""
        if reject.line:
            return reject
        return dataclasses.replace(reject, line=self.data.count(b"\n", 0, reject.span.first) + 1)
