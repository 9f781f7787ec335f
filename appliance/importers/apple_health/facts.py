"""A row of an Apple Health export -> a fact."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from appliance import parsing
from appliance.importers.apple_health.words import device_words, moment, number, stamp, value_words, words
from appliance.markup import Row, Values
from appliance.records import Provenance, Record, Span

_LONGEST, _LONGEST_LIST = 1_000, 100_000
_KIND = "health.measurement"
_PERCENT = "(1 is 100 %)"
_TAKEN = frozenset({"measure", "until", "device", "method", "value", "creationdate", "activity"})


def is_correlated(said: dict[str, str]) -> bool:
    """Whether a Record is of a type that stands in Correlations."""
    return "IdentifierBloodPressure" in (type_ := said.get("type", "")) or "IdentifierDietary" in type_


# ---- records ----


@lru_cache(maxsize=2_000)
def _measured(type_: str, unit: str, source: str) -> tuple[str, str, bool, str, str, str]:
    """What a type measures: in words, as a title, and whether its values are numbers; then the three themselves, each
    one text for all the records that say it."""
    measure = words(type_)
    title = measure[:1].upper() + measure[1:] + (f" {_PERCENT}" if unit == "%" else "")
    return measure, title, not type_.startswith("HKCategory"), type_, unit, _tidy(source)


def _record(row: Row, span: Span) -> Record:
    said = row.attributes
    value = said.get("value", "")
    measure, title, is_number, type_, unit, party = _measured(
        said.get("type", ""), said.get("unit", ""), said.get("sourceName", "")
    )
    if not measure:
        raise ValueError("it does not say what was measured")
    fields = {"measure": measure}
    amount = None
    if is_number:
        amount, exact = _rounded(value)
        if amount != exact:
            fields["value"] = value
    elif value:
        fields["value"] = value_words(value, measure)
        title = f"{title}: {fields['value']}"
    at = _times(said, fields)
    if row.values:
        _keep(row, fields)
    return Record(
        kind=_KIND,
        at=at,
        title=title,
        span=span,
        party=party,
        account_key=type_,
        amount=amount,
        unit=unit,
        provenance=Provenance.MY,
        fields=fields,
    )


def _workout(row: Row, span: Span) -> Record:
    said = row.attributes
    activity = words(said.get("workoutActivityType", "")) or "some activity"
    fields = {"measure": "workout", "activity": activity}
    at = _times(said, fields)
    amount = None
    if said.get("duration"):
        amount, exact = _rounded(said["duration"])
        if amount != exact:
            fields["value"] = said["duration"]
    for name, text in _pairs({name: text for name, text in said.items() if name.startswith("total")}):
        _put(fields, name, text)
    _keep(row, fields)
    return Record(
        kind=_KIND,
        at=at,
        title=f"Workout: {activity}",
        span=span,
        party=_tidy(said.get("sourceName", "")),
        account_key="Workout",
        amount=amount,
        unit=said.get("durationUnit", "") if amount is not None else "",
        provenance=Provenance.MY,
        fields=fields,
    )


def _summary(row: Row, span: Span) -> Record:
    said = dict(row.attributes)
    day, burned = said.pop("dateComponents", ""), said.get("activeEnergyBurned", "")
    try:
        at = date.fromisoformat(day)
    except ValueError:
        raise ValueError(f"the day {day[:40]!r} is none of the calendar" if day else "it states no day") from None
    fields = {"measure": "activity of the day"}
    amount = None
    if burned:
        amount, exact = _rounded(burned)
        if amount != exact:
            fields["value"] = burned
    for name, text in _pairs(said):
        _put(fields, name, text)
    return Record(
        kind=_KIND,
        at=at,
        title="Activity of the day",
        span=span,
        account_key="ActivitySummary",
        amount=amount,
        unit=said.get("activeEnergyBurnedUnit", "") if amount is not None else "",
        provenance=Provenance.MY,
        fields=fields,
    )


def _other(row: Row, span: Span) -> Record:
    """A clinical record, an audiogram or a prescription: what it says of itself."""
    said, measure = dict(row.attributes), words(row.name)
    said["startDate"] = said.get("startDate") or said.pop("receivedDate", "") or said.pop("dateIssued", "")
    what = value_words(said.pop("type", ""), measure) or measure
    fields = {"measure": measure}
    at = _times(said, fields)
    party, identifier = _tidy(said.pop("sourceName", "")), said.get("identifier", "")
    for name, text in _pairs(said):
        _put(fields, name, text)
    _keep(row, fields)
    title = measure[:1].upper() + measure[1:]
    return Record(
        kind=_KIND,
        at=at,
        title=title if what in (measure, "") else f"{title}: {what}",
        span=span,
        party=party,
        account_key=row.name,
        memo=_tidy(identifier),
        provenance=Provenance.MY,
        supplier_id=_tidy(identifier)[:100],
        fields=fields,
    )


READERS: dict[str, Callable[[Row, Span], Record]] = {
    "Record": _record,
    "Workout": _workout,
    "ActivitySummary": _summary,
    "ClinicalRecord": _other,
    "Audiogram": _other,
    "VisionPrescription": _other,
}


# ---- what rows have alike ----


def _rounded(text: str) -> tuple[Decimal, Decimal]:
    """A value to the millionth, and exactly."""
    exact = number(text)
    if len(text) <= parsing.AMOUNT_DECIMALS and "e" not in text:
        return exact, exact
    rounded = round(exact, parsing.AMOUNT_DECIMALS)
    return (exact if rounded == exact else rounded), exact


def _times(said: dict[str, str], fields: dict[str, str]) -> datetime:
    """When it began; when it ended, where that is another moment, and when it was written down go into the fields."""
    begun, ended = said.pop("startDate", ""), said.pop("endDate", "")
    at = moment(begun)
    if ended and ended != begun:
        fields["until"] = stamp(ended)
    if device := said.pop("device", ""):
        fields["device"] = device_words(device)
    if written := said.pop("creationDate", ""):
        fields["creationdate"] = stamp(written)
    return at


def _keep(row: Row, fields: dict[str, str]) -> None:
    """What stands inside of a row, in plain words: metadata one by one, lists of others together."""
    lists: dict[str, list[str]] = {}
    points = 0
    for path, said in _children(row.values):
        *around, name = path.split("/")
        if name == "MetadataEntry":
            key, text = words(said.get("key", "")), said.get("value", "")
            if key == "was user entered" and not around:
                fields |= {"method": "by hand"} if text == "1" else {}
            elif not around:
                _put(fields, key, text)
            else:
                lists.setdefault(f"{words(around[-1])} {key}", []).append(text)
        elif name == "InstantaneousBeatsPerMinute":
            lists.setdefault("beats a minute", []).append(f"{said.get('bpm', '')} at {said.get('time', '')}")
        elif name == "FileReference":
            lists.setdefault("route", []).append(said.get("path", ""))
        elif name == "Location":
            points += 1
        elif name != "WorkoutRoute":  # which says of itself what the workout does
            what, text = _told(name, said, fields)
            lists.setdefault(what, []).append(text)
    for what, texts in lists.items():
        _put(fields, what, "; ".join(filter(None, texts)), _LONGEST_LIST)
    if points:
        _put(fields, "points of the route in the file", str(points))


def _told(name: str, said: dict[str, str], of: dict[str, str]) -> tuple[str, str]:
    """What an element inside of a row tells: of what, and what; its times where they are not all of the row's."""
    type_ = words(said.pop("type", ""))
    if said.get("endDate") and stamp(said["endDate"]) == of.get("until"):
        said = {each: text for each, text in said.items() if each not in ("startDate", "endDate")}
    text = ", ".join(f"{each} {text}" for each, text in _pairs(said))
    if name == "WorkoutStatistics":
        return type_, text
    return words(name), ", ".join(filter(None, (type_, text)))


def _children(values: Values) -> Iterator[tuple[str, dict[str, str]]]:
    """The elements inside of a row: their paths and attributes."""
    path, said = "", dict[str, str]()
    for each, text in values:
        here, _, name = each.partition("@")
        if text is None or here != path:
            if said:
                yield path, said
            path, said = here, {}
        if text and name:
            said[name] = text
    if said:
        yield path, said


def _pairs(said: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Attributes in plain words, each with its unit; times in their normal form."""
    unit = said.get("unit", "")
    for name, text in said.items():
        if text and name != "unit" and not name.endswith("Unit"):
            is_time = name.endswith(("Date", "date", "dateIssued"))
            bare = name.removesuffix("Goal").removesuffix("Value")
            own = said.get(f"{name}Unit") or said.get(f"{bare}Unit") or ("" if is_time else unit)
            yield words(name), f"{stamp(text) if is_time else text} {own}".strip()


def _put(fields: dict[str, str], name: str, text: str, longest: int = _LONGEST) -> None:
    while name in fields or name in _TAKEN:
        name = f"{name} too"
    if name and text:
        fields[name] = _tidy(text, longest)


def _tidy(text: str, longest: int = _LONGEST) -> str:
    text = parsing.tidy(text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
