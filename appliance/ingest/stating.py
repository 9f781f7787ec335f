"""What a person says themself: facts added, corrected, withdrawn and annotated, each with who, when and why."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, tzinfo
from types import MappingProxyType
from typing import Any

from sqlalchemy import Connection, select

from appliance.errors import UserError
from appliance.ingest import attaching, meter_facts, supply_facts, typed_readings
from appliance.ingest.attaching import Files
from appliance.ingest.meter_places import TypedReading
from appliance.kinds import Field, Kind, Stated
from appliance.records import Provenance, Record, Source, Span
from appliance.store import declared, records, sources, versions
from appliance.store.database import Store
from appliance.store.models import RecordRow
from appliance.store.records import Stored
from appliance.store.versions import Action

MYSELF = Source("me", "What I said myself")
NOTE = "note"
TEXTS = ("title", "party", "account", "unit", "memo")
NO_FILES: Files = MappingProxyType({})


def add(
    store: Store,
    kind: str,
    said: Mapping[str, str],
    who: str,
    about: int | None = None,
    zone: tzinfo | None = None,
    files: Files = NO_FILES,
    *,
    sure: bool = False,
) -> Stored:
    """A new fact, in a person's own words; UserError with all that is wrong. `zone` is that of their times.

    `files` are contents of files by the fields that are to name them: they are kept with the fact. DoubtError of what
    may be right and is more likely a slip, unless the person is `sure`.
    """
    with store.write() as connection:
        declaration = named(connection, kind)
        stated = attaching.stated(declaration, said, files, lambda said: declaration.stated(said, zone=zone))
        meter_facts.check(connection, kind, stated.fields)
        supply_facts.check(kind, stated.fields, stated.amount, stated.unit)
        if kind == meter_facts.READING:
            typed = TypedReading(records.at_text(*records.moment(stated.at)), stated.unit, stated.fields)
            typed_readings.check(connection, declaration, typed, zone, sure=sure)
        attaching.keep(connection, store.key, declaration, stated.fields, files)
        if about is not None:
            _needed(connection, store, about)
        change = versions.begin(connection, Action.ADD, who)
        row = records.columns(_record(kind, stated)) | {
            "source_id": sources.id_of(connection, MYSELF),
            "import_id": None,
            "first": None,
            "length": None,
            "fingerprint": b"",
            "decision": "",
            "about": about,
            "since_us": change.at_us,
            "begun_by": change.id,
        }
        return _needed(connection, store, records.add(connection, [row]))


def correct(
    store: Store,
    fact: int,
    said: Mapping[str, str],
    who: str,
    why: str = "",
    zone: tzinfo | None = None,
    files: Files = NO_FILES,
    *,
    sure: bool = False,
) -> Stored:
    """Another version of a fact, with what is said now; the one before stays in its history, its files included.

    DoubtError as in `add`.
    """
    with store.write() as connection:
        before = _needed(connection, store, fact)
        kind, held = _kind_of(connection, before), {"at": before.at, **before.fields}
        stated = attaching.stated(kind, said, files, lambda said: kind.corrected(said, held, zone=zone))
        values = _changed(kind, before, stated)
        if not values:
            raise UserError(f"fact {fact} says so already; nothing was changed")
        meter_facts.check(connection, before.kind, values.get("fields", before.fields))
        supply_facts.check(
            before.kind,
            values.get("fields", before.fields),
            stated.amount if "amount" in stated.given else before.amount,
            values.get("unit", before.unit),
        )
        if before.kind == meter_facts.READING:
            was = TypedReading(before.at, before.unit, before.fields, fact)
            now = _corrected_reading(was, values)
            if now.tells != was.tells:
                typed_readings.check(connection, kind, now, zone, sure=sure)
        attaching.keep(connection, store.key, kind, stated.fields, files)
        versions.supersede(connection, fact, values, versions.begin(connection, Action.CORRECT, who, why))
        return _needed(connection, store, fact)


def _corrected_reading(was: TypedReading, values: Mapping[str, Any]) -> TypedReading:
    at = records.at_text(values["at_us"], values["zone"]) if "at_us" in values else was.at
    return TypedReading(at, values.get("unit", was.unit), values.get("fields", was.fields), was.fact)


def withdraw(store: Store, fact: int, who: str, why: str) -> None:
    """Lets a fact stand no more; it stays in the history, and no file brings it back. Its notes go with it.

    UserError where nobody says why.
    """
    if not why.strip():
        raise UserError("say why it is withdrawn: a word is enough, and you will know it next year")
    with store.write() as connection:
        _needed(connection, store, fact)
        change = versions.begin(connection, Action.WITHDRAW, who, why)
        versions.end(connection, records.of_facts([fact]), change)
        versions.end_notes(connection, change)


def restore(store: Store, fact: int, who: str, why: str = "") -> Stored:
    """Lets a withdrawn fact stand again as it stood last, and the notes that went with it."""
    with store.write() as connection:
        history = versions.history(connection, fact)
        if not history:
            raise UserError(_why_not(connection, store, fact))
        last = history[-1].ended
        if last is None or last.action != Action.WITHDRAW:
            raise UserError(f"fact {fact} was not withdrawn: there is nothing to restore")
        _need_import(connection, history[-1].record)
        change = versions.begin(connection, Action.RESTORE, who, why)
        versions.reinstate(connection, [fact], change, ended_by=Action.WITHDRAW)
        return _needed(connection, store, fact)


def _need_import(connection: Connection, record: Stored) -> None:
    """A fact that a file said stands with an import of it alone."""
    stands = select(RecordRow.id).where(RecordRow.id == record.version, versions.has_import())
    if record.import_id is not None and connection.execute(stands).first() is None:
        raise UserError(
            f"import {record.import_id}, which brought fact {record.id}, is undone; bring it back first: "
            f"inglenook imports redo {record.import_id}"
        )


def annotate(store: Store, fact: int, text: str, who: str) -> Stored:
    """A note about a fact: a fact of its own, of now, which can be corrected and withdrawn."""
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return add(store, NOTE, {"memo": text, "at": at}, who, about=fact)


def _record(kind: str, stated: Stated) -> Record:
    return Record(
        kind=kind,
        at=stated.at,
        title=stated.title,
        span=Span(0, 0),
        party=stated.party,
        account=stated.account,
        amount=stated.amount,
        unit=stated.unit,
        memo=stated.memo,
        provenance=Provenance.MY,
        fields=stated.fields,
    )


def _changed(kind: Kind, before: Stored, stated: Stated) -> dict[str, Any]:
    """The columns that become other ones; a title that nobody gave follows what it was made from."""
    given, said = stated.given, records.columns(_record(before.kind, stated))
    values = {name: said[name] for name in TEXTS if name in given and said[name] != getattr(before, name)}
    if "amount" in given and stated.amount != before.amount:
        values["amount_e6"] = said["amount_e6"]
    if "at" in given and records.at_text(said["at_us"], said["zone"]) != before.at:
        values |= {"at_us": said["at_us"], "zone": said["zone"]}
    fields = {name: value for name, value in before.fields.items() if name not in given} | said["fields"]
    values |= {"fields": fields} if fields != before.fields else {}
    named = {name: getattr(before, name) for name in TEXTS if name != "title"}
    if "title" not in given and before.title == kind.title_from(named | before.fields):
        values |= {"title": kind.title_from({**named, **values, **fields})} if values else {}
    return values


def named(connection: Connection, name: str) -> Kind:
    """The kind of that name; UserError where this store knows none."""
    every = declared.every(connection)
    if name not in every:
        raise UserError(f"{name!r} is no kind of fact that this store knows; there are: {', '.join(sorted(every))}")
    return every[name]


def kind_of(store: Store, fact: int) -> Kind:
    """The declaration by which a fact is corrected; UserError where there is no such fact."""
    with store.read() as connection:
        return _kind_of(connection, _needed(connection, store, fact))


def _kind_of(connection: Connection, record: Stored) -> Kind:
    """The declaration by which a fact is corrected; of an unknown kind, what the fact itself has."""
    known = declared.every(connection).get(record.kind, Kind(record.kind, record.kind))
    return replace(known, fields={**{name: Field(name) for name in record.fields}, **known.fields})


def _needed(connection: Connection, store: Store, fact: int) -> Stored:
    found = records.one(connection, fact)
    if found is None:
        raise UserError(_why_not(connection, store, fact))
    return found


def _why_not(connection: Connection, store: Store, fact: int) -> str:
    """Why nothing is believed of a fact, and what to do."""
    if archive := versions.archive_of(connection, fact):
        return f"fact {fact} lies in archive {archive}; bring it back first: inglenook archive attach {archive}"
    history = versions.history(connection, fact)
    ended = history[-1].ended if history else None
    if ended is None:
        return _no_fact(store, fact)
    if ended.action == Action.WITHDRAW:
        return f"fact {fact} was withdrawn; to let it stand again: inglenook restore {fact}"
    return f"fact {fact} was taken back with import {ended.import_id}: inglenook imports redo {ended.import_id}"


def _no_fact(store: Store, fact: int) -> str:
    return f"there is no fact {fact} in the store {store.name!r}; see: inglenook records"
