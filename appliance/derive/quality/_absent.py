"""The lights of what nothing stands of: rejected rows only, archived facts only, or rows that were known before."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from appliance.derive.quality._facts import Imports, valid
from appliance.derive.quality._lights import Colour, Light, counted
from appliance.store import sources
from appliance.store.models import Archive, ArchivedFact, ImportRow

REST = ("complete", "recent", "agreeing")
MYSELF = "me"


@dataclass(frozen=True, slots=True)
class Absent:
    """A source, and the kind of which nothing stands ("" where none is known)."""

    source: str
    kind: str
    lights: list[Light]


def absent(connection: Connection, known: Imports, there: Collection[tuple[str, str]]) -> Iterator[Absent]:
    """What is not `there`, by source and kind or role, and imports or archives tell of."""
    archived, standing = _archived(connection), {source for source, _ in there}
    for (source, kind), archives in archived.items():
        if (source, kind) not in there:
            rejected = {} if source in standing else known.rejected.get(source, {})
            yield Absent(source, kind, _lights(_put_away(archives), rejected))
    told = standing | {source for source, _ in archived}
    for source in sorted(known.days.keys() - told):
        rejected = known.rejected.get(source, {})
        present = _unread(rejected) if rejected else _met_again(known.duplicates[source])
        yield Absent(source, "", _lights(present, rejected))


def _lights(present: Light, rejected: Mapping[int, int]) -> list[Light]:
    read = valid(0, rejected) if rejected else Light("valid", Colour.GREY, "There is nothing to look at.")
    rest = {name: Light(name, Colour.GREY, "There is nothing to look at.") for name in REST}
    return [present, rest["complete"], rest["recent"], read, rest["agreeing"]]


def _unread(rejected: Mapping[int, int]) -> Light:
    newest = max(rejected)
    step = f"See in import {newest} why, and have its file read again."
    return Light("present", Colour.RED, f"Nothing could be read yet; see import {newest}.", step, newest)


def _put_away(archives: Mapping[int, int]) -> Light:
    count = sum(archives.values())
    why = f"None is in the store: {counted(count, 'fact is', 'facts are')} archived."
    which = f"archive {', '.join(map(str, sorted(archives)))}"
    return Light("present", Colour.GREY, why, f"Where you need them again, put {which} back: Keeping does it.")


def _met_again(duplicates: int) -> Light:
    if not duplicates:
        return Light("present", Colour.GREY, "Its files held no row yet.", "Import one that has some.")
    again = counted(duplicates, "row was", "rows were")
    return Light("present", Colour.GREY, f"{again} known already, and stand no more: withdrawn, or deleted for good.")


def _archived(connection: Connection) -> dict[tuple[str, str], dict[int, int]]:
    """How many facts of each source and kind lie in which archive."""
    whose = select(ImportRow.source, ArchivedFact.import_id, Archive.kind, Archive.id, func.count())
    whose = whose.select_from(ArchivedFact).join(Archive, Archive.id == ArchivedFact.archive_id)
    whose = whose.outerjoin(ImportRow, ImportRow.id == ArchivedFact.import_id)
    rows = whose.group_by(ImportRow.source, ArchivedFact.import_id, Archive.kind, Archive.id)
    found: dict[tuple[str, str], dict[int, int]] = defaultdict(lambda: defaultdict(int))
    known = sources.names(connection)
    for said, import_id, kind, archive, count in connection.execute(rows.order_by(Archive.kind, Archive.id)):
        for source in [MYSELF] if import_id is None else sources.named_in(said, known):
            found[source, kind][archive] += count
    return found
