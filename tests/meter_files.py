"""What an importer of a meter's file gives, as tests look at it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from appliance import importers
from appliance.records import Item, Readings, Rejected, Warned
from tests.contracts.importers import SAMPLES

PIECE = 1 << 20


def read(format_: str, data: bytes, **stated: str) -> list[Item]:
    """Every item of a file, with these options stated."""
    importer = importers.named(format_)
    options = importer.Options(**stated)
    if importers.reads_forward(importer):
        return list(importer.extract_forward(pieces(data), options))
    return list(importer.extract(data, options))


def pieces(data: bytes) -> Iterator[bytes]:
    return (data[at : at + PIECE] for at in range(0, len(data), PIECE))


def sample(format_: str, name: str) -> bytes:
    return (SAMPLES / format_ / name).read_bytes()


def blocks(items: list[Item], role: str = "") -> list[Readings]:
    return [item for item in items if isinstance(item, Readings) and role in ("", item.role)]


def values(items: list[Item], role: str) -> list[Decimal]:
    return [Decimal(value).scaleb(block.exponent) for block in blocks(items, role) for value in block.values]


def total(items: list[Item], role: str) -> Decimal:
    return sum(values(items, role), Decimal(0))


def times(items: list[Item], role: str) -> list[str]:
    """When readings are of, in UTC to the minute."""
    instants = (at_ms for block in blocks(items, role) for at_ms in block.at_ms)
    return [datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M") for at_ms in instants]


def rejects(items: list[Item]) -> list[Rejected]:
    return [item for item in items if isinstance(item, Rejected)]


def warnings(items: list[Item]) -> str:
    return "\n".join(item.message for item in items if isinstance(item, Warned))
