"""One row of Google's location history: a position, a visit to a place, or a journey between two."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from appliance.importers.takeout_location.values import Point, moment, position, text
from appliance.records import Record, Span


def point(said: Any, list_: str) -> Point | None:
    """The position that a row of Records.json or of a phone's raw signals is; None for another row."""
    if not isinstance(said, dict):
        raise ValueError("it is no object")
    if list_ == "locations":
        at = moment(said.get("timestamp") or said.get("timestampMs"))
        return Point(position(said) or _nowhere(), at)
    fixed = said.get("position") if list_ == "rawSignals" else None
    return Point(position(fixed) or _nowhere(), moment(fixed.get("timestamp"))) if isinstance(fixed, dict) else None


def record(said: Mapping[str, Any], span: Span) -> Record | None:
    """The fact that a row is; None for what is neither a place nor a journey. ValueError where it is broken."""
    for name, read in _READ.items():
        if name in said:
            if not isinstance(said[name], list if read is _path else dict):
                raise ValueError(f"its {name} is not written as Google does")
            return read(said, said[name], span)
    return None


def _nowhere() -> str:
    raise ValueError("it states no position")


# ---- Takeout's months ----


def _place_visit(_: Mapping[str, Any], visit: Mapping[str, Any], span: Span) -> Record:
    where = _part(visit, "location")
    at, until = _lasted(_part(visit, "duration"))
    named = {
        "name": text(where.get("name")),
        "address": text(where.get("address")),
        "category": text(where.get("semanticType")),
        "place_id": text(where.get("placeId")),
        "confidence": text(visit.get("visitConfidence")),
    }
    return _place(at, until, position(where) or _centre(visit), named, span)


def _centre(visit: Mapping[str, Any]) -> str:
    return (
        position({"latE7": visit["centerLatE7"], "lngE7": visit.get("centerLngE7")}) if "centerLatE7" in visit else ""
    )


def _activity_segment(_: Mapping[str, Any], segment: Mapping[str, Any], span: Span) -> Record:
    at, until = _lasted(_part(segment, "duration"))
    path = _part(segment, "simplifiedRawPath").get("points") or _part(segment, "waypointPath").get("waypoints")
    return _journey(
        at,
        until,
        text(segment.get("activityType")),
        {
            "start": position(_part(segment, "startLocation")),
            "end": position(_part(segment, "endLocation")),
            "distance": text(segment.get("distance")),
            "points": str(len(path)) if isinstance(path, list) else "",
            "confidence": text(segment.get("confidence")),
        },
        span,
    )


def _lasted(duration: Mapping[str, Any]) -> tuple[Any, Any]:
    begun, ended = (duration.get(f"{end}Timestamp") or duration.get(f"{end}TimestampMs") for end in ("start", "end"))
    return begun, ended


# ---- a phone's own export ----


def _visit(said: Mapping[str, Any], visit: Mapping[str, Any], span: Span) -> Record:
    best = _part(visit, "topCandidate")
    named = {
        "category": text(best.get("semanticType")),
        "place_id": text(best.get("placeId") or best.get("placeID")),
        "confidence": text(visit.get("probability")),
        "level": text(visit.get("hierarchyLevel")),
    }
    return _place(said.get("startTime"), said.get("endTime"), position(best.get("placeLocation")), named, span)


def _activity(said: Mapping[str, Any], activity: Mapping[str, Any], span: Span) -> Record:
    best = _part(activity, "topCandidate")
    fields = {
        "start": position(activity.get("start")),
        "end": position(activity.get("end")),
        "distance": text(activity.get("distanceMeters")),
        "confidence": text(best.get("probability")),
    }
    return _journey(said.get("startTime"), said.get("endTime"), text(best.get("type")), fields, span)


def _path(said: Mapping[str, Any], path: Any, span: Span) -> Record:
    points = [each for each in path if isinstance(each, dict)] if isinstance(path, list) else []
    if not points:
        raise ValueError("its path has no points")
    fields = {"start": position(points[0]), "end": position(points[-1]), "points": str(len(points))}
    last = points[-1].get("durationMinutesOffsetFromStartTime")
    until: Any = said.get("endTime") or points[-1].get("time")
    if not until and isinstance(last, str) and last.isdigit() and len(last) < 7:
        until = (moment(said.get("startTime")) + timedelta(minutes=int(last))).isoformat()
    return _journey(said.get("startTime") or points[0].get("time"), until, "", fields, span, "Path")


# ---- facts ----


def _part(said: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = said.get(name)
    return part if isinstance(part, dict) else {}


def _place(at: Any, until: Any, where: str, named: dict[str, str], span: Span) -> Record:
    name = named.get("name") or _called(named["category"]) or named.get("address") or where
    if not name:
        raise ValueError("it states no position and no name")
    fields = named | {"name": name, "position": where, "until": moment(until, "end").isoformat() if until else ""}
    return Record(
        kind="place",
        at=moment(at, "beginning"),
        title=name,
        span=span,
        fields={key: value for key, value in fields.items() if value},
    )


def _called(category: str) -> str:
    """What Google takes a place for, as a person says it: TYPE_WORK and INFERRED_WORK are work."""
    said = category.removeprefix("TYPE_").removeprefix("INFERRED_").replace("_", " ").capitalize()
    return "" if said == "Unknown" else said


def _journey(at: Any, until: Any, how: str, fields: dict[str, str], span: Span, title: str = "Journey") -> Record:
    how = " ".join(how.replace("_", " ").lower().split())
    named = fields | {"how": how, "until": moment(until, "end").isoformat() if until else ""}
    return Record(
        kind="place.journey",
        at=moment(at, "beginning"),
        title=how.capitalize() or title,
        span=span,
        fields={key: value for key, value in named.items() if value},
    )


_READ = {
    "placeVisit": _place_visit,
    "activitySegment": _activity_segment,
    "visit": _visit,
    "activity": _activity,
    "timelinePath": _path,
}
