"""Apple Health's export: `export.xml` of the archive that an iPhone writes of all that it measured.

    <HealthData locale="en_GB">
      <ExportDate value="2026-03-01 10:36:11 +0100"/>
      <Record type="HKQuantityTypeIdentifierHeartRate" sourceName="Watch" device="..." unit="count/min"
              creationDate="..." startDate="2026-02-10 02:28:55 +0100" endDate="..." value="72">
        <MetadataEntry key="HKMetadataKeyHeartRateMotionContext" value="0"/>
      </Record>
      <Record type="HKCategoryTypeIdentifierSleepAnalysis" ... value="HKCategoryValueSleepAnalysisAsleepCore"/>
      <Workout workoutActivityType="HKWorkoutActivityTypeRunning" duration="30" durationUnit="min" startDate=...>
        <WorkoutStatistics type="..." sum="250" unit="kcal"/> ...
      </Workout>
      <ActivitySummary dateComponents="2026-02-10" activeEnergyBurned="320" activeEnergyBurnedUnit="Cal" .../>

Each Record, Workout, ActivitySummary, ClinicalRecord, Audiogram and VisionPrescription is one fact. A Correlation
(blood pressure, food) only ties Records together, which the file has by themselves as well: they are not taken twice.
Values are kept as they are written; what is no number says itself in words.

Source: Apple, HealthKit, HKObjectType identifiers; the document type definition at the head of each export.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from appliance import markup, parsing
from appliance.markup import BrokenError, Element
from appliance.records import Item, Provenance, Record, Rejected, Source, Span, Warned

TITLE = "Apple Health export"

_ROOT = re.compile(rb"<HealthData[\s>]")
_WHOLE = (
    "Record",
    "Workout",
    "ActivitySummary",
    "ClinicalRecord",
    "Audiogram",
    "VisionPrescription",
    "Correlation",
    "Me",
)
_PREFIX = re.compile(
    r"^HK(?:QuantityTypeIdentifier|CategoryTypeIdentifier|CategoryValue|WorkoutActivityType|DataType|MetadataKey"
    r"|CorrelationTypeIdentifier|WorkoutEventType|CharacteristicTypeIdentifier)?"
)
_CAPITALS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_DEVICE = re.compile(r"name:([^,>]+)")
_STAMP = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d) ([+-])(\d\d)(\d\d)")
_MOST_METADATA = 12
_MEND = "Export the data again on the phone, or leave this one out"


@dataclass(frozen=True)
class Options:
    """Nothing: an export says all of it."""


def identify(head: bytes, name: str) -> bool:
    """Whether it is Apple's HealthData, and not the clinical document beside it. Names say nothing."""
    return bool(_ROOT.search(head))


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """Each measurement, in the file's order."""
    del options
    count, source = 0, Source("Apple Health")
    yield source
    try:
        for element in markup.elements(pieces, _WHOLE):
            if element.name in ("Correlation", "Me"):
                continue
            count += 1
            span = Span(element.first, element.length)
            try:
                yield _READERS[element.name](element, span)
            except ValueError as error:
                yield Rejected(span, element.line, f"{element.name} {count}", f"{error}. {_MEND}")
    except BrokenError as error:
        inside = error.inside
        if inside is not None and inside.name in _READERS and error.offset > inside.first:
            span = Span(inside.first, error.offset - inside.first)
            yield Rejected(span, inside.line, f"{inside.name} {count + 1}", f"{error.reason}. {_MEND}")
        yield Warned(
            f"The export could be read up to byte {error.offset:,} and no further: {error.reason}. Export it again on "
            "the phone; what it has until there is taken in."
        )
    if not count:
        yield Warned("The export holds no measurements.")


def _record(element: Element, span: Span) -> Record:
    said = element.attributes
    type_, value = said.get("type", ""), said.get("value", "")
    if not type_:
        raise ValueError("it does not say what was measured")
    measure = _words(type_)
    amount = _number(value)
    from_source = parsing.tidy(said.get("sourceName", ""))[:200]
    fields = {
        "measure": measure,
        "until": _until(said),
        "device": _device(said.get("device", "")) or from_source,
        "value": "" if amount is not None else _value(value, measure),
        "entered": _entered(element),
        "metadata": _metadata(element),
    }
    return Record(
        kind="health.measurement",
        at=_at(said.get("startDate", "")),
        title=f"{measure}: {fields['value']}" if fields["value"] else measure,
        span=span,
        party=from_source,
        account_key=f"{type_}\n{from_source}",
        amount=amount,
        unit=said.get("unit", "")[:40] if amount is not None else "",
        provenance=Provenance.MY,
        fields={name: text for name, text in fields.items() if text},
    )


def _workout(element: Element, span: Span) -> Record:
    said = element.attributes
    activity = _words(said.get("workoutActivityType", "")) or "workout"
    totals = [
        f"{_words(each.attributes.get('type', ''))} {each.attributes.get('sum') or each.attributes.get('average', '')} "
        f"{each.attributes.get('unit', '')}".strip()
        for each in element.every("WorkoutStatistics")
    ]
    for name in ("totalDistance", "totalEnergyBurned", "totalSwimmingStrokeCount", "totalFlightsClimbed"):
        if said.get(name):
            totals.append(f"{_words(name)} {said[name]} {said.get(f'{name}Unit', '')}".strip())
    fields = {
        "measure": "workout",
        "until": _until(said),
        "device": _device(said.get("device", "")),
        "activity": activity,
        "totals": "; ".join(totals)[:1000],
        "metadata": _metadata(element),
    }
    party = parsing.tidy(said.get("sourceName", ""))[:200]
    return Record(
        kind="health.measurement",
        at=_at(said.get("startDate", "")),
        title=f"Workout: {activity}",
        span=span,
        party=party,
        account_key=f"workout\n{party}",
        amount=_number(said.get("duration", "")),
        unit=said.get("durationUnit", "")[:40],
        provenance=Provenance.MY,
        fields={name: text for name, text in fields.items() if text},
    )


def _summary(element: Element, span: Span) -> Record:
    said = element.attributes
    try:
        day = date.fromisoformat(said.get("dateComponents", ""))
    except ValueError:
        raise ValueError(f"the day {said.get('dateComponents', '')[:40]!r} is none of the calendar") from None
    parts = {
        _words(name): value for name, value in said.items() if name != "dateComponents" and not name.endswith("Unit")
    }
    fields = {name: f"{value} {_unit_of(said, name)}".strip() for name, value in parts.items() if value}
    return Record(
        kind="health.measurement",
        at=day,
        title="Activity of the day",
        span=span,
        account_key="activity summary",
        amount=_number(said.get("activeEnergyBurned", "")),
        unit=said.get("activeEnergyBurnedUnit", "")[:40],
        provenance=Provenance.MY,
        fields={"measure": "activity of the day", **fields},
    )


def _unit_of(said: dict[str, str], words: str) -> str:
    return next((value for name, value in said.items() if name.endswith("Unit") and _words(name[:-4]) == words), "")


def _other(element: Element, span: Span) -> Record:
    """A clinical record, an audiogram or a prescription: what it says of itself."""
    said = element.attributes
    at = said.get("receivedDate") or said.get("startDate") or said.get("dateIssued", "")
    measure = _words(element.name)
    kept = {name: parsing.tidy(value)[:200] for name, value in said.items() if value}
    points = "; ".join(
        " ".join(f"{name} {value}" for name, value in each.attributes.items()) for each in element.children[:50]
    )
    return Record(
        kind="health.measurement",
        at=_at(at),
        title=parsing.tidy(said.get("type", "")) or measure.capitalize(),
        span=span,
        party=parsing.tidy(said.get("sourceName", ""))[:200],
        account_key=element.name,
        memo=said.get("identifier", "")[:200],
        supplier_id=said.get("identifier", "")[:100],
        provenance=Provenance.MY,
        fields={"measure": measure, **kept, **({"points": points[:2000]} if points else {})},
    )


_READERS = {
    "Record": _record,
    "Workout": _workout,
    "ActivitySummary": _summary,
    "ClinicalRecord": _other,
    "Audiogram": _other,
    "VisionPrescription": _other,
}


# ---- what attributes say ----


@lru_cache(maxsize=4_000)
def _words(identifier: str) -> str:
    """HKQuantityTypeIdentifierHeartRate -> heart rate."""
    said = _CAPITALS.sub(" ", _PREFIX.sub("", identifier[:200], count=1))
    return " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in said.split())


@lru_cache(maxsize=4_000)
def _value(value: str, measure: str) -> str:
    """HKCategoryValueSleepAnalysisAsleepCore of a sleep analysis -> asleep core."""
    words = _words(value)
    return words.removeprefix(f"{measure} ").strip() or words


@lru_cache(maxsize=1_000)
def _device(said: str) -> str:
    found = _DEVICE.search(said[:2000])
    return parsing.tidy(found[1])[:100] if found else ""


def _number(text: str) -> Decimal | None:
    """The value exactly as it is written, to the millionth; None of what is no number."""
    if not text or len(text) > 40:
        return None
    try:
        value = Decimal(text)
    except InvalidOperation:
        return None
    if not value.is_finite() or abs(value) >= 10**12:
        return None
    rounded = round(value, parsing.AMOUNT_DECIMALS)
    return value if rounded == value else rounded


def _at(text: str) -> datetime:
    found = _STAMP.fullmatch(text)
    if found is None:
        raise ValueError(f"the time {text[:40]!r} is not one")
    try:
        return datetime.fromisoformat(f"{text[:10]}T{text[11:19]}{found[7]}{found[8]}:{found[9]}")
    except ValueError:
        raise ValueError(f"the time {text[:40]!r} is not one of the calendar") from None


def _until(said: dict[str, str]) -> str:
    """The end, where it is another moment than the beginning."""
    end = said.get("endDate", "")
    if not end or end == said.get("startDate", "") or not _STAMP.fullmatch(end):
        return ""
    return f"{end[:10]}T{end[11:19]}{end[20:23]}:{end[23:25]}"


def _entered(element: Element) -> str:
    """Whether a person typed it."""
    said = {each.attributes.get("key"): each.attributes.get("value") for each in element.children}
    return "by hand" if said.get("HKWasUserEntered") == "1" else ""


def _metadata(element: Element) -> str:
    entries = [each.attributes for each in element.every("MetadataEntry")][:_MOST_METADATA]
    said = [
        f"{_words(each.get('key', ''))}: {parsing.tidy(each.get('value', ''))[:100]}"
        for each in entries
        if each.get("key") != "HKWasUserEntered"
    ]
    return "; ".join(said)
