"""Meter files for tests: Green Button XML of the hours that a test names."""

from collections.abc import Sequence

FIRST_S = 1_772_323_200  # 2026-03-01T00:00:00Z
HOUR_S = 3_600
_TYPE = "<flowDirection>1</flowDirection><powerOfTenMultiplier>0</powerOfTenMultiplier><uom>72</uom>"


def hours(values_wh: Sequence[int | str], first_hour: int = 0, *, typed: bool = True, point: int = 1) -> bytes:
    """Hourly electricity in Wh, from an hour after `FIRST_S` on; without `typed` the file does not say so."""
    readings = "".join(
        f"<IntervalReading><timePeriod><duration>{HOUR_S}</duration><start>{FIRST_S + hour * HOUR_S}</start>"
        f"</timePeriod><value>{value}</value></IntervalReading>\n"
        for hour, value in enumerate(values_wh, first_hour)
    )
    kind = "<kind>0</kind>" if typed else ""
    at = f"https://grid.example/UsagePoint/{point}"
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">\n'
        f"{_entry(at, '', f'{at}/MeterReading')}<content><UsagePoint xmlns='http://naesb.org/espi'><ServiceCategory>"
        f"{kind}</ServiceCategory></UsagePoint></content></entry>\n"
        f"{_entry(f'{at}/MeterReading/1', f'{at}/MeterReading', f'{at}/MeterReading/1/IntervalBlock', 'https://grid.example/ReadingType/1')}"
        "<content><MeterReading xmlns='http://naesb.org/espi'/></content></entry>\n"
        f"{_entry(f'{at}/MeterReading/1/IntervalBlock/1', f'{at}/MeterReading/1/IntervalBlock')}"
        f"<content><IntervalBlock xmlns='http://naesb.org/espi'>\n{readings}</IntervalBlock></content></entry>\n"
        f"{_entry('https://grid.example/ReadingType/1', 'https://grid.example/ReadingType')}<content>"
        f"<ReadingType xmlns='http://naesb.org/espi'>{_TYPE if typed else ''}</ReadingType></content></entry>\n"
        "</feed>\n"
    ).encode()


def _entry(self_link: str, up: str, *related: str) -> str:
    links = [("self", self_link), ("up", up), *(("related", each) for each in related)]
    return "<entry>" + "".join(f'<link rel="{rel}" href="{href}"/>' for rel, href in links if href)
