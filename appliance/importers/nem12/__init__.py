"""NEM12 and NEM13: AEMO's meter data file format, in which Australia's retailers and networks hand over readings.

    100,NEM12,200404201300,MDA1,Ret1
    200,CCCC123456,E1Q1,001,E1,N1,METSER123,kWh,30,       a stream: 1 its meter point, 2 its name, 3 unit, 4 minutes
        1                   2               3   4
    300,20040417,18.023,19.150, ...,14.733,V,,,20040418203500,20040419003500      a day of it: 5 quality
        date     one value an interval     5
    400,1,20,F14,76,                                      the quality of the day's intervals 1 to 20
    500,O,S01009,20040418121004,001123.5                  why the meter was visited, and what it showed: not kept
    250,NABC001492,11,A1,11,11,MET12333,E,000555,20030820103030,A,,,000777,20030921113030,A,,,222,kWh,,20030922113030,
        1                2             6  from   then           5         until  then           5    used    (NEM13)
    900

2 begins with E for what the market gave to the house and B for what it took from it, Q and K for the same of reactive
energy, and ends with the meter's or the element's number, kept as a tariff: E1 is `electricity.import.t1`, E2 (a
controlled load) `.t2`. 5 is A for actual, S and F for substituted, E for estimated ahead, with the number of the method
behind; N for none: such intervals are rejected. 6 is E or I, seen from the market's side too.

Times are those of the market all year long in every state: eastern standard time, ten hours ahead of UTC, which knows
no summer (so the zone of the household does not matter here). Western Australia is no part of that market, and its
network writes the same format: `offset` says so.

What NEM13 gives ahead of a reading (E) is no reading, and would be counted twice when that comes: it is rejected.

Source: AEMO, Meter Data File Format Specification NEM12 & NEM13, sections 4.3 (times), 5 (NEM12), 6 (NEM13) and
appendices B to E; MSATS Procedures: National Metering Identifier, tables 1 and 2 (streams); Metrology Procedure (time).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import chain

from appliance import delimited
from appliance.errors import UserError
from appliance.importers.nem12.records import Reader
from appliance.records import Item

TITLE = "NEM12 or NEM13 meter data"

OFFSETS = ("+10:00", "+09:30", "+08:00")
_HEADER = re.compile(r"NEM1[23]", re.I)
_STREAM = re.compile(r"[km]?(?:wh|varh|vah|w|var|va|v|a)|pf", re.I)
_MINUTES = re.compile(r"0?[15]|10|15|30")


@dataclass(frozen=True)
class Options:
    """`offset`: how far the file's times are ahead of UTC."""

    offset: str = field(
        default=OFFSETS[0], metadata={"title": "How far its times are ahead of UTC", "choices": OFFSETS}
    )

    def __post_init__(self) -> None:
        if self.offset not in OFFSETS:
            raise UserError(f"offset={self.offset!r} is not known; write one of {', '.join(OFFSETS)}")


def identify(head: bytes, name: str) -> bool:
    """Whether the first record is a header (100) of one of both, or a stream (200) where that was cut off."""
    row, _ = delimited.table([head])
    cells = [cell.strip() for cell in row.cells] if row else []
    if cells[:1] == ["100"]:
        return len(cells) > 1 and bool(_HEADER.fullmatch(cells[1]))
    return (
        cells[:1] == ["200"] and len(cells) > 8 and bool(_STREAM.fullmatch(cells[7]) and _MINUTES.fullmatch(cells[8]))
    )


def extract_forward(pieces: Iterator[bytes], options: Options) -> Iterator[Item]:
    """`Readings` of each stream, a block a run of one quality, and a `Rejected` for what is none."""
    first, below = delimited.table(pieces)
    yield from Reader(options.offset).items(chain([first] if first else [], below))
