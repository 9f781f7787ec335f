"""What every importer must do. A sample is a file in tests/samples/<format>/; `<file>.json` beside it is what it gives.

`python -m tests.write_samples` writes the expectations; read the difference before you commit it.
"""

import json
import mmap
import random
import tracemalloc
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import singledispatch
from pathlib import Path
from typing import Any

from appliance import importers
from appliance.content import PIECE_BYTES
from appliance.records import Item, Readings, Record, Rejected, Source, Span, Warned

SAMPLES = Path(__file__).resolve().parents[1] / "samples"
OPTIONS = ".options"
_CUTS = 60
_MUTATIONS = 120
_NOISE = b"<>/&\"';:=!?[]-\x00\r\n \xff\xef9a"


def samples(format_: str) -> list[Path]:
    """A format's sample files, without their expectations, sorted."""
    folder = SAMPLES / format_
    return sorted(path for path in folder.glob("*") if path.is_file() and path.suffix not in (".json", OPTIONS))


def all_samples() -> list[tuple[str, Path]]:
    return [(format_, path) for format_ in importers.names() for path in samples(format_)]


def expectation(sample: Path) -> Path:
    return sample.with_name(f"{sample.name}.json")


def stated(format_: str, sample: Path) -> Any:
    """The options that a sample is read with: what `<file>.options` states, as JSON, else those nobody changed."""
    said = sample.with_name(f"{sample.name}{OPTIONS}")
    return importers.named(format_).Options(**json.loads(said.read_text()) if said.exists() else {})


def extracted(format_: str, data: importers.Data, options: Any = None, piece: int = PIECE_BYTES) -> list[Item]:
    """Every item that the importer gives; what reads forward, of such pieces."""
    return list(_items(format_, data, options, piece))


def needed_bytes(format_: str, data: bytes, options: Any = None) -> int:
    """The most memory that reading takes, where nobody keeps an item, without what is loaded once."""
    for _ in _items(format_, data[:1000], options, PIECE_BYTES):
        pass
    tracemalloc.start()
    try:
        for _ in _items(format_, data, options, PIECE_BYTES):
            pass
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def _items(format_: str, data: importers.Data, options: Any, piece: int) -> Iterator[Item]:
    importer = importers.named(format_)
    options = options or importer.Options()
    if importers.reads_forward(importer):
        return importer.extract_forward((data[at : at + piece] for at in range(0, len(data), piece)), options)
    return importer.extract(data, options)


# ---- items as a person reads them ----


def written(items: Iterable[Item]) -> str:
    return json.dumps([described(item) for item in items], indent=1, ensure_ascii=False) + "\n"


@singledispatch
def described(item: object) -> dict[str, object]:
    raise TypeError(f"no item: {item!r}")


@described.register
def _(item: Source) -> dict[str, object]:
    return {"source": item.name, "title": item.title}


@described.register
def _(item: Warned) -> dict[str, object]:
    return {"warned": item.message}


@described.register
def _(item: Rejected) -> dict[str, object]:
    rows = {"rows": item.count} if item.count > 1 else {}
    return {"rejected": item.where, "line": item.line, "reason": item.reason, "span": _span(item.span)} | rows


@described.register
def _(item: Record) -> dict[str, object]:
    texts = ("title", "party", "account", "account_key", "unit", "memo", "provenance", "supplier_id", "detail")
    return (
        {"record": item.kind, "at": item.at and item.at.isoformat(), "amount": _amount(item.amount)}
        | {name: str(getattr(item, name)) for name in texts if getattr(item, name)}
        | {"fields": dict(item.fields), "span": _span(item.span)}
    )


@described.register
def _(item: Readings) -> dict[str, object]:
    columns = zip(item.at_ms, item.seconds, item.values, strict=True)
    rows = [f"{_instant(at_ms)} {seconds} s {_value(value, item.exponent)}" for at_ms, seconds, value in columns]
    return {"role": item.role, "unit": item.unit, "quality": item.quality, "readings": rows, "span": _span(item.span)}


def _amount(amount: Decimal | None) -> str | None:
    return None if amount is None else str(amount)


def _span(span: Span) -> list[int]:
    return [span.first, span.length]


def _instant(at_ms: int) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).isoformat(timespec="milliseconds")


def _value(value: int, exponent: int) -> str:
    return f"{Decimal(value).scaleb(exponent):f}"


# ---- the contract ----


def gives_what_is_expected(format_: str, sample: Path) -> None:
    expected = expectation(sample)
    assert expected.exists(), f"{expected} is missing; write it with: python -m tests.write_samples"
    items = extracted(format_, sample.read_bytes(), stated(format_, sample))
    assert json.loads(written(items)) == json.loads(expected.read_text())


def is_identified_by_its_own_importer_only(format_: str, sample: Path) -> None:
    head = sample.read_bytes()[: importers.HEAD_BYTES]
    claims = [name for name in importers.names() if importers.named(name).identify(head, sample.name)]
    assert claims == ([] if importers.is_stated_only(importers.named(format_)) else [format_])


def does_not_identify_what_is_no_such_file(format_: str) -> None:
    importer = importers.named(format_)
    noise = random.Random(format_)
    strangers = [b"", b"\n", b"<", b"<html><body>Hello</body></html>", b"Date,Amount\n2026-01-01,1.00\n", b"\0" * 500]
    strangers += [noise.randbytes(length) for length in (1, 10, 1000, importers.HEAD_BYTES)]
    for stranger in strangers:
        assert not importer.identify(stranger, "statement.txt"), stranger[:40]


def has_samples_and_declares_itself(format_: str) -> None:
    assert samples(format_), f"add a sample to {SAMPLES / format_}, then run python -m tests.write_samples"
    importer = importers.named(format_)
    assert importer.TITLE
    importer.Options()


def never_raises_whatever_the_bytes(format_: str, sample: Path) -> None:
    """Cut at many places, with bytes changed, dropped and doubled: items that keep the rules, and no exception."""
    data = sample.read_bytes()
    for damaged in _damaged(data, random.Random(sample.name)):
        keeps_the_rules(extracted(format_, damaged, stated(format_, sample)), len(damaged))
        importers.named(format_).identify(damaged[: importers.HEAD_BYTES], sample.name)


def _damaged(data: bytes, chance: random.Random) -> Iterator[bytes]:
    yield b""
    for cut in range(_CUTS):
        yield data[: len(data) * cut // _CUTS]
        yield data[chance.randrange(len(data)) :]
    for _ in range(_MUTATIONS):
        changed = bytearray(data)
        for _ in range(chance.randint(1, 8)):
            at = chance.randrange(len(changed))
            end = at + chance.choice((0, 1, 1, 1, 20))
            changed[at:end] = chance.choice((b"", bytes([chance.choice(_NOISE)]), bytes(changed[at : at + 30])))
        yield bytes(changed)


def gives_the_same_twice_and_from_a_mapped_file(format_: str, sample: Path) -> None:
    data = sample.read_bytes()
    options = stated(format_, sample)
    first = extracted(format_, data, options)
    assert extracted(format_, data, options) == first
    if importers.reads_forward(importers.named(format_)):
        assert extracted(format_, data, options, piece=1) == first
        assert extracted(format_, data, options, piece=1000) == first
        return
    with sample.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert extracted(format_, mapped, options) == first


def keeps_the_rules(items: list[Item], length: int) -> None:
    """Rows lie inside the file, in its order, one after the other; a source stands before the rows that it has.

    Readings of several series may stand in the same rows, and facts of one row have the same bytes.
    """
    end, reached, source, before = 0, 0, None, Span(0, 0)
    ends: dict[tuple[str, str], int] = {}
    for item in items:
        if isinstance(item, Source):
            assert item.name
            source = item
        elif not isinstance(item, Warned):
            series = (source.name if source else "", item.role) if isinstance(item, Readings) else None
            begins = max(end, ends.get(series, 0)) if series else reached
            assert begins <= item.span.first or item.span == before, item
            before = item.span
            assert item.span.length > 0, item
            last = item.span.first + item.span.length
            assert last <= length, item
            reached = max(reached, last)
            if series:
                ends[series] = last
            else:
                end = last
            assert source or isinstance(item, Rejected), item
            _is_sound(item)


def _is_sound(item: Record | Readings | Rejected) -> None:
    if isinstance(item, Rejected):
        assert item.line >= 1
        assert item.where
        assert item.reason
        assert item.count >= 1
    elif isinstance(item, Readings):
        assert 0 < len(item.at_ms) == len(item.seconds) == len(item.values)
        assert item.role
        assert item.unit
        assert all(abs(value) < 2**63 for value in item.values)
        assert min(item.seconds) >= 0
    else:
        assert item.kind
        assert not isinstance(item.at, datetime) or item.at.tzinfo is not None
        assert item.amount is None or (item.amount.is_finite() and item.amount == round(item.amount, 6))


def spans_lead_to_the_rows(format_: str, sample: Path) -> None:
    data = sample.read_bytes()
    keeps_the_rules(extracted(format_, data, stated(format_, sample)), len(data))


OF_A_FORMAT = (has_samples_and_declares_itself, does_not_identify_what_is_no_such_file)
OF_A_SAMPLE = (
    gives_what_is_expected,
    is_identified_by_its_own_importer_only,
    spans_lead_to_the_rows,
    gives_the_same_twice_and_from_a_mapped_file,
    never_raises_whatever_the_bytes,
)
