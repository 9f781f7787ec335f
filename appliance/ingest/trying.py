"""What a file or a feed comes to by what a person says of it, before it is believed: read, shown, and not stored."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from appliance import importers
from appliance.config import options_from
from appliance.connectors import Connector, Fetched
from appliance.errors import SourceError
from appliance.ingest import importing
from appliance.records import Item, Readings, Record, Rejected, Warned

if TYPE_CHECKING:
    from appliance.web import Web

SHOWN = 20
FEED_BYTES, FEED_S = 4 << 20, 20.0
NOTHING_YET = "The service has nothing yet, or nothing that this box reads."
ONE_FILE, SEVERAL = "No page comes after this one.", "Further pages come after this one, and are fetched too."


@dataclass(frozen=True, slots=True)
class Tried:
    """What comes of a file.

    `rows` are the first that can be read, as `when`, `what`, `party`, `value` and `memo`; `total` is the sum of all
    amounts, "" where there is none; `kinds` are those of its facts; `onward` says in words what comes after it.
    """

    file: str
    read: int
    rejected: int
    rejects: list[Rejected]
    rows: list[dict[str, str]]
    total: str
    kinds: frozenset[str]
    warnings: list[str]
    onward: str = ""


def file(name: str, items: Iterable[Item]) -> Tried:
    """Counts all that an importer reads, and shows the first of it."""
    read = rejected = 0
    rejects, rows, warnings, kinds = list[Rejected](), list[dict[str, str]](), list[str](), set[str]()
    amounts = list[Decimal]()
    for item in items:
        if isinstance(item, Rejected):
            rejected += item.count
            rejects += [item] if len(rejects) < SHOWN else []
        elif isinstance(item, Record):
            read += 1
            amounts += [] if item.amount is None else [item.amount]
            kinds.add(item.kind)
            rows += [_fact(item)] if len(rows) < SHOWN else []
        elif isinstance(item, Readings):
            read += len(item.values)
            amounts.append(Decimal(sum(item.values)).scaleb(item.exponent))
            rows += _readings(item)[: SHOWN - len(rows)]
        elif isinstance(item, Warned):
            warnings.append(item.message)
    total = f"{sum(amounts):f}" if amounts else ""
    return Tried(name, read + rejected, rejected, rejects, rows, total, frozenset(kinds), warnings)


def feed(module: Connector, options: Any, *, zone: str | None = None, web: "Web | None" = None) -> Tried | None:
    """The first file that a service gives to who asks for the first time; None where it gives none.

    `zone` is the household's, for times without one. A service may send at most FEED_BYTES at once. Raises SourceError,
    and UserError where the file cannot be read at all.
    """
    from appliance.web import Web  # large, and not needed all day

    fetched = iter(module.fetch(options, {}, web or Web(most=FEED_BYTES, within_s=FEED_S)))
    first = next(fetched, None)
    if first is None or first.content is None:
        return None
    tried = file(first.content.name, _items(first, zone))
    try:
        following = next(fetched, None)
    except SourceError as error:
        onward = f"What comes after it could not be fetched: {error}."
    else:
        is_last = following is None or following.content is None
        onward = " ".join(filter(None, (ONE_FILE if is_last else SEVERAL, following.remark if following else "")))
    return replace(tried, onward=onward)


def _items(fetched: Fetched, zone: str | None) -> Iterable[Item]:
    if fetched.content is None:
        return ()
    importer = importers.named(fetched.format or importing.recognised(fetched.content))
    said: Mapping[str, Any] = {"zone": zone} if zone and hasattr(importer.Options(), "zone") else {}
    return importers.extracted(
        importer, fetched.content, options_from(importer.Options, {**said, **fetched.options}, "")
    )


def _fact(record: Record) -> dict[str, str]:
    return {
        "when": record.at.isoformat() if record.at else "",
        "what": record.title,
        "party": record.party if record.party != record.title else "",
        "value": f"{record.amount:f} {record.unit}".strip() if record.amount is not None else "",
        "memo": record.memo if record.memo != record.title else "",
    }


def _readings(item: Readings) -> list[dict[str, str]]:
    return [
        {
            "when": datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(),
            "what": item.role,
            "party": "",
            "value": f"{Decimal(value).scaleb(item.exponent).normalize():f} {item.unit}",
            "memo": item.quality,
        }
        for at_ms, value in list(zip(item.at_ms, item.values, strict=True))[:SHOWN]
    ]
