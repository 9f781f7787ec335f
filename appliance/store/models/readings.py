"""Numbers over time: series, their packed readings, and what is derived from those."""

from sqlalchemy import ForeignKey, Index, Integer
from sqlalchemy.orm import Mapped, mapped_column

from appliance.store.models.base import Id, Table


class Series(Table):
    """A source and a role: numbers over time. `kind` is register, delta or gauge; a value is integer * 10**exponent.

    A role of a source has another series beside it only where what that one holds was taken back.
    """

    __tablename__ = "series"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"))
    role: Mapped[str]
    unit: Mapped[str]
    exponent: Mapped[int] = mapped_column(Integer)
    kind: Mapped[str]
    seconds: Mapped[int]  # the longest interval that its readings cover, 0 for instants

    __table_args__ = (Index(None, "source_id", "role"),)


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

    __table_args__ = (
        Index(None, "series_id", "last_ms", "first_ms"),
        Index(
            "ix_chunks_lineage",
            *("series_id", "first_ms", "last_ms", "device", "link", "meter", "quality", "import_id"),
        ),
    )


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
    cuts: Mapped[bytes | None]  # 1 where no reading tells how much was counted by the end of the quarter


class RegisterStep(Table):
    """What a rule found that a register did beside counting, and what it counts for it; see `derive.registers`."""

    __tablename__ = "register_steps"
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"), primary_key=True)
    at_ms: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    what: Mapped[str]
    before: Mapped[int]
    after: Mapped[int]
    used: Mapped[int]


class Stale(Table):
    """A span of a series whose rollups are older than its readings; written with the readings."""

    __tablename__ = "stale"
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"), primary_key=True)
    first_ms: Mapped[int]
    last_ms: Mapped[int]


class Thinning(Table):
    """From how many months on a series keeps fewer readings: about one in so many seconds; done up to `done_ms`."""

    __tablename__ = "thinnings"
    series_id: Mapped[int] = mapped_column(ForeignKey("series.id"), primary_key=True)
    months: Mapped[int] = mapped_column(Integer)
    seconds: Mapped[int] = mapped_column(Integer)
    done_ms: Mapped[int]


class Gap(Table):
    """A span in which nothing was heard of a source, as its collector noticed, or as its meter says of itself.

    `why`: "link" (the way to the meter was down), "meter" (it was silent), "stopped" (the collector was not running),
    "off" (the box was off), "power" (the meter was without power). `times`: how many interruptions it is made of.
    """

    __tablename__ = "gaps"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    source_id: Mapped[int] = mapped_column(ForeignKey("sources.id"))
    first_ms: Mapped[int]
    last_ms: Mapped[int]
    why: Mapped[str]
    times: Mapped[int] = mapped_column(Integer)

    __table_args__ = (Index(None, "source_id", "last_ms"),)


class SpoolMark(Table):
    """How far a segment of the collector's spool is sealed into this store: written with the readings or not."""

    __tablename__ = "spool_marks"
    segment: Mapped[str] = mapped_column(primary_key=True)
    frames: Mapped[int]
