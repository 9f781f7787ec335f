"""What files and people state: sources, originals, imports, and the versions of each fact."""

from typing import Any

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from appliance.store.models.base import Id, Table, few


class SourceRow(Table):
    """A source, and the options that a person stated for it once."""

    __tablename__ = "sources"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    options: Mapped[dict[str, Any]]


class Original(Table):
    """A file as it came, kept once however often it comes; its content lies in `original_parts`.

    Where a person had facts deleted, their bytes in it were overwritten: `blanked` says where ([first, length]), and
    `blanked_sha256` what the content's digest is since.
    """

    __tablename__ = "originals"
    sha256: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]
    blanked: Mapped[list[Any] | None]
    blanked_sha256: Mapped[str | None]


class OriginalPart(Table):
    """One mebibyte of an original: compressed, then sealed with the store's key, on every database."""

    __tablename__ = "original_parts"
    sha256: Mapped[str] = mapped_column(ForeignKey("originals.sha256"), primary_key=True)
    number: Mapped[int] = mapped_column(Integer, primary_key=True)
    sealed: Mapped[bytes]


class ImportRow(Table):
    """One run over one file: read = stored + duplicate + rejected. `error` says why a file could not be read at all."""

    __tablename__ = "imports"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at_us: Mapped[int]
    file: Mapped[str]
    format: Mapped[str]
    sha256: Mapped[str | None] = mapped_column(ForeignKey("originals.sha256"))
    source: Mapped[str]  # the names of its sources
    named_source: Mapped[str]  # the one that a person gave it, else ""
    options: Mapped[dict[str, Any]]
    read: Mapped[int]
    stored: Mapped[int]
    duplicate: Mapped[int]
    rejected: Mapped[int]
    warnings: Mapped[list[str]]
    error: Mapped[str]
    retry_of: Mapped[int | None] = mapped_column(ForeignKey("imports.id"))
    undone_us: Mapped[int | None]  # when it was taken back; empty while it stands

    __table_args__ = few("ix_imports_undone_us", "undone_us", "undone_us IS NOT NULL")


class Change(Table):
    """Something that was done to facts: who did it, when and why. `action` is add, correct, withdraw, undo or redo."""

    __tablename__ = "changes"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at_us: Mapped[int]
    who: Mapped[str]
    action: Mapped[str]
    why: Mapped[str]
    import_id: Mapped[int | None]  # the import that was undone or redone


class RecordRow(Table):
    """One version of an atomic fact, never edited: believed from `since_us` until `until_us`, empty while it stands.

    `fact` is the number that a person sees: the id of the fact's first version. What brought a version is its import,
    or for what a person did the change `begun_by`; `ended_by` is the change that ended it. `fingerprint` orders equal
    facts beside each other (see ingest/dedupe.py); empty for all but what an import brought.
    """

    __tablename__ = "records"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    fact: Mapped[int]
    kind: Mapped[str]
    at_us: Mapped[int]  # 0 where no time was said
    zone: Mapped[str]  # "date" where only a date was said, the offset in which a time was said, or ""
    title: Mapped[str]
    party: Mapped[str]
    account: Mapped[str]
    amount_e6: Mapped[int | None]
    unit: Mapped[str]
    memo: Mapped[str]
    provenance: Mapped[str]
    supplier_id: Mapped[str]
    fields: Mapped[dict[str, Any]]
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"))
    import_id: Mapped[int | None] = mapped_column(ForeignKey("imports.id"))
    first: Mapped[int | None]
    length: Mapped[int | None]
    fingerprint: Mapped[bytes]
    decision: Mapped[str]  # why it is a fact of its own where an equal one was there already, else ""
    about: Mapped[int | None]  # the fact that this one is about: a note's
    since_us: Mapped[int]
    until_us: Mapped[int | None]
    begun_by: Mapped[int | None] = mapped_column(ForeignKey("changes.id"))
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("changes.id"))

    __table_args__ = (
        Index(None, "at_us", "id"),
        Index(None, "kind", "at_us"),
        Index(None, "fingerprint"),
        Index(None, "import_id"),
        *few("ix_records_fact", "fact", "fact <> id"),  # most facts have one version, which its id finds
        *few("ix_records_about", "about", "about IS NOT NULL"),
        *few("ix_records_ended_by", "ended_by", "ended_by IS NOT NULL"),
    )


class Sighting(Table):
    """A fact met again in another original: what confirms it, and why it was taken for the same."""

    __tablename__ = "sightings"
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True)
    length: Mapped[int]
    fact: Mapped[int] = mapped_column(primary_key=True, index=True)
    supplier_id: Mapped[str]
    decision: Mapped[str]


class Reject(Table):
    """A row that could not be read; `resolved_by` is the import that read it after all."""

    __tablename__ = "rejects"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id"), index=True)
    first: Mapped[int]
    length: Mapped[int]
    line: Mapped[int]
    place: Mapped[str]
    reason: Mapped[str]
    resolved_by: Mapped[int | None] = mapped_column(ForeignKey("imports.id"))
