"""How much there is in a store, and in folders, before they go as a whole."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from appliance.config import Config
from appliance.deleting import marts
from appliance.deleting.report import Report
from appliance.errors import UserError
from appliance.store.database import open_store
from appliance.store.keys import KeyRing
from appliance.store.models import ArchivedFact, Chunk, ImportRow, Original, RecordRow


def look_into(config: Config, name: str, report: Report) -> list[str]:
    """Counts what a store has; where its marts lie, or that it could not be looked into."""
    try:
        if KeyRing(config.data).facts(name).is_locked:
            return [_unseen(name, "it is locked")]
        with open_store(config, name) as store, store.read() as connection:
            count(connection, report)
            return marts.folders(connection)
    except UserError as error:
        return [_unseen(name, str(error))]


def _unseen(name: str, why: str) -> str:
    return (
        f"the store {name!r} could not be looked into ({why}), so what was in it is not counted; a mart that was "
        "carved off it is a store of its own: delete its folder where it lies"
    )


def count(connection: Connection, report: Report) -> None:
    """Adds what a store has to a report."""

    def one(asked: Any) -> int:
        return int(connection.execute(select(func.coalesce(asked, 0))).scalar_one())

    report.facts += one(func.count(RecordRow.fact.distinct())) + one(func.count(ArchivedFact.fact))
    report.versions += one(func.count(RecordRow.id)) + one(func.count(ArchivedFact.fact))
    report.readings += one(func.sum(Chunk.readings))
    report.imports += one(func.count(ImportRow.id))
    report.originals += one(func.count(Original.sha256))


def count_files(report: Report, places: Iterable[Path]) -> None:
    """Adds the files in these places."""
    for place in places:
        for path in [place] if place.is_file() else place.rglob("*"):
            if path.is_file():
                report.files += 1
                report.bytes += path.stat().st_size
