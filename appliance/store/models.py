"""The tables of a store. Every store has all of them; `people` and `sessions` are used in the home store only.

Money is in 10^-6 of its unit, time in microseconds (records) or milliseconds (readings) since 1970 UTC. Arrays of
readings and rollups are pcodec streams of int64.
"""

from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# SQLite numbers rows by itself only in a column declared INTEGER.
Id = Integer().with_variant(BigInteger(), "postgresql")


class Table(DeclarativeBase):
    """The base of all tables; constraint names are fixed, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: Text, int: BigInteger, bytes: LargeBinary, dict[str, Any]: JSON, list[str]: JSON}  # noqa: RUF012


class Setting(Table):
    """What the owner said of the store as a whole: its name, the household's zone and currency."""

    __tablename__ = "settings"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class SourceRow(Table):
    """A source, and the options that a person stated for it once."""

    __tablename__ = "sources"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    title: Mapped[str]
    options: Mapped[dict[str, Any]]


class Original(Table):
    """A file as it came, kept once however often it comes; its content lies in `original_parts`."""

    __tablename__ = "originals"
    sha256: Mapped[str] = mapped_column(primary_key=True)
    size: Mapped[int]


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


class RecordRow(Table):
    """One atomic fact. `day` is as said; `fingerprint` orders equal facts beside each other, see ingest/dedupe.py."""

    __tablename__ = "records"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
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
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id"))
    first: Mapped[int]
    length: Mapped[int]
    fingerprint: Mapped[bytes]
    decision: Mapped[str]  # why it is a fact of its own where an equal one was there already, else ""

    __table_args__ = (
        Index(None, "at_us", "id"),
        Index(None, "kind", "at_us"),
        Index(None, "fingerprint"),
        Index(None, "import_id"),
    )


class Sighting(Table):
    """A record met again in another original: what confirms it, and why it was taken for the same."""

    __tablename__ = "sightings"
    import_id: Mapped[int] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    first: Mapped[int] = mapped_column(primary_key=True)
    length: Mapped[int]
    record_id: Mapped[int] = mapped_column(ForeignKey("records.id"), index=True)
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


class Series(Table):
    """A source and a role: numbers over time. `kind` is register, delta or gauge; a value is integer * 10**exponent."""

    __tablename__ = "series"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"))
    role: Mapped[str]
    unit: Mapped[str]
    exponent: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str]
    seconds: Mapped[int]  # the longest interval that its readings cover, 0 for instants

    __table_args__ = (UniqueConstraint("source_id", "role"),)


class Chunk(Table):
    """Consecutive readings of one series, packed. Its lineage is theirs: import and span, or link, meter, device, boot.

    `readings` says how many, `figures` holds their values.
    """

    __tablename__ = "chunks"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"))
    first_ms: Mapped[int]
    last_ms: Mapped[int]
    readings: Mapped[int]
    low: Mapped[int]
    high: Mapped[int]
    times: Mapped[bytes]
    seconds: Mapped[bytes | None]  # packed intervals, absent where `interval` holds for all
    interval: Mapped[int]
    figures: Mapped[bytes]
    quality: Mapped[str]
    import_id: Mapped[int | None] = mapped_column(ForeignKey("imports.id"), index=True)
    first: Mapped[int | None]
    length: Mapped[int | None]
    link: Mapped[str]
    meter: Mapped[str]
    device: Mapped[str]
    boot: Mapped[str]

    __table_args__ = (Index(None, "series_id", "last_ms", "first_ms"),)


class Rollup(Table):
    """A series' quarter-hours of one UTC month, packed: for registers and deltas their totals, for gauges sums too."""

    __tablename__ = "rollups"
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"), primary_key=True)
    month: Mapped[int] = mapped_column(Integer, primary_key=True)  # months since January 1970
    quarters: Mapped[bytes]  # quarter-hours since 1970
    totals: Mapped[bytes]
    counts: Mapped[bytes | None]
    lows: Mapped[bytes | None]
    highs: Mapped[bytes | None]


class Stale(Table):
    """A span of a series whose rollups are older than its readings; written with the readings."""

    __tablename__ = "stale"
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"), primary_key=True)
    first_ms: Mapped[int]
    last_ms: Mapped[int]


class SpoolMark(Table):
    """How far a segment of the collector's spool is sealed into this store: written with the readings or not."""

    __tablename__ = "spool_marks"
    segment: Mapped[str] = mapped_column(primary_key=True)
    frames: Mapped[int]


class Person(Table):
    """Someone who lives here and signs in; `store` names their own store."""

    __tablename__ = "people"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    store: Mapped[str] = mapped_column(unique=True)
    password_hash: Mapped[str]


class Session(Table):
    """A browser that a person signed in with; its token is kept only as a hash."""

    __tablename__ = "sessions"
    token_sha256: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("people.id"))
    expires_us: Mapped[int]
