"""What is made from facts, and what they are joined with."""

from typing import Any

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from appliance.store.models.base import Id, Table


class Link(Table):
    """Two facts that tell of one event, or that a person said do not; `one` is the smaller number.

    `rule` is the rule that found it, or "person"; a person's word stands over a rule's.
    """

    __tablename__ = "links"
    one: Mapped[int] = mapped_column(primary_key=True)
    other: Mapped[int] = mapped_column(primary_key=True, index=True)
    joined: Mapped[bool]
    rule: Mapped[str]
    reason: Mapped[str]
    who: Mapped[str]
    at_us: Mapped[int]


class EventFact(Table):
    """The facts of one event, derived from the links: sums count the fact whose number is the event's, no other."""

    __tablename__ = "event_facts"
    fact: Mapped[int] = mapped_column(primary_key=True)
    event: Mapped[int] = mapped_column(index=True)


class Attribute(Table):
    """Something derived from a fact, kept apart from it: the rule that made it, and the version and data it used."""

    __tablename__ = "attributes"
    fact: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]
    rule: Mapped[str] = mapped_column(index=True)
    record_id: Mapped[int]  # the version of the fact
    inputs: Mapped[dict[str, Any]]  # what it was made from, as a person reads it


class RuleState(Table):
    """How far a rule has come: its version and that of its reference data, and the newest version of a fact it saw."""

    __tablename__ = "rules"
    name: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[str]
    record_id: Mapped[int]


class ReferenceSet(Table):
    """Data about the world that facts are joined with (exchange rates, postcodes): a table that a person added."""

    __tablename__ = "reference_sets"
    name: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    sha256: Mapped[str] = mapped_column(ForeignKey("originals.sha256"))
    declaration: Mapped[dict[str, Any]]  # which column is the key, which the day, and which facts it joins
    at_us: Mapped[int]


class ReferenceRow(Table):
    """One row of reference data, holding from a day on (days since 1970; the least of all where it has none)."""

    __tablename__ = "reference_rows"
    name: Mapped[str] = mapped_column(ForeignKey("reference_sets.name"), primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    from_day: Mapped[int] = mapped_column(primary_key=True)
    row: Mapped[dict[str, Any]]


class Verification(Table):
    """A third party's word that a fact is true: a place that signed claims fill."""

    __tablename__ = "verifications"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    fact: Mapped[int] = mapped_column(index=True)
    at_us: Mapped[int]
    verifier: Mapped[str]
    method: Mapped[str]
    claim: Mapped[dict[str, Any]]
