"""How long facts are kept, and where else: declared kinds, policies, archives, deletions, marts."""

from typing import Any

from sqlalchemy import ForeignKey, Integer
from sqlalchemy.orm import Mapped, mapped_column

from appliance.store.models.base import Id, Table


class DeclaredKind(Table):
    """A kind that the owner declared in a file, as kinds.Kind.declaration says it."""

    __tablename__ = "declared_kinds"
    name: Mapped[str] = mapped_column(primary_key=True)
    declaration: Mapped[dict[str, Any]]


class Policy(Table):
    """How long the facts of a kind are kept: `action` is keep, summarise or delete, after `months`."""

    __tablename__ = "policies"
    kind: Mapped[str] = mapped_column(primary_key=True)
    action: Mapped[str]
    months: Mapped[int] = mapped_column(Integer)


class Archive(Table):
    """An encrypted file of facts that were moved out of the store; `attached_us` says when they were brought back."""

    __tablename__ = "archives"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str]
    first_us: Mapped[int]
    end_us: Mapped[int]
    facts: Mapped[int]
    file: Mapped[str]
    size: Mapped[int]
    sha256: Mapped[str]
    at_us: Mapped[int]
    attached_us: Mapped[int | None]


class ArchivedFact(Table):
    """What stays of a fact in an archive: enough to know it again when a file brings it once more."""

    __tablename__ = "archived_facts"
    fact: Mapped[int] = mapped_column(primary_key=True)
    archive_id: Mapped[int] = mapped_column(ForeignKey("archives.id"), index=True)
    fingerprint: Mapped[bytes] = mapped_column(index=True)
    supplier_id: Mapped[str]
    unit: Mapped[str]
    import_id: Mapped[int | None]


class Summary(Table):
    """What archived facts come to, a month, account and unit: it remains when they are gone, and says so."""

    __tablename__ = "summaries"
    archive_id: Mapped[int] = mapped_column(ForeignKey("archives.id"), primary_key=True)
    month: Mapped[int] = mapped_column(Integer, primary_key=True)  # months since January 1970
    account: Mapped[str] = mapped_column(primary_key=True)
    unit: Mapped[str] = mapped_column(primary_key=True)
    facts: Mapped[int]
    amount_e6: Mapped[int]


class Deletion(Table):
    """What was deleted for good: no content of it, only the report."""

    __tablename__ = "deletions"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at_us: Mapped[int]
    who: Mapped[str]
    report: Mapped[dict[str, Any]]
    highest_record: Mapped[int]  # the highest id until then: none is given twice


class Forgotten(Table):
    """A keyed digest of a deleted fact's fingerprint, and how many equal ones there were: no file brings them back."""

    __tablename__ = "forgotten"
    digest: Mapped[bytes] = mapped_column(primary_key=True)
    facts: Mapped[int]


class Mart(Table):
    """A subsidiary store carved off by a selection, in a folder of its own."""

    __tablename__ = "marts"
    name: Mapped[str] = mapped_column(primary_key=True)
    folder: Mapped[str]
    selection: Mapped[dict[str, Any]]
    frozen: Mapped[bool]
    made_us: Mapped[int]
    refreshed_us: Mapped[int]
