"""The shapes of a tariff's unit prices: what a form asks for each, and the charge that comes of it."""

from collections.abc import Iterator, Sequence
from typing import Any

from appliance.supplies import Supply
from services.dashboard.fields import Input
from services.dashboard.tariff_reading import SMALL_COINS, Reading

SHAPES = {
    "one": ("One price", "A kWh costs the same at any time."),
    "day-night": ("Day and night", "Some hours are cheaper, such as at night."),
    "times": ("Several prices", "By hours, weekdays and months: up to three, and one for all other times."),
    "tiers": ("A price by how much", "The first kWh of a month or a year cost another price than those beyond."),
    "market": ("A price that changes", "It follows a market, by the hour, the half-hour or the quarter-hour."),
}
MOST_TIMES = 3
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
DAYS: dict[str, tuple[str, ...]] = {
    "every day": (),
    "Monday to Friday": WEEKDAYS,
    "Saturday and Sunday": ("saturday", "sunday"),
}
MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
COUNTED = ("day", "month", "quarter", "year")

Places = dict[str, str]
"""Where in a charge something is -> the field that states it."""


def unit_of(supply: Supply, currency: str) -> str:
    """What a unit price is in, as a form says it."""
    return f"{currency} a {'kWh or m³' if supply.supply == 'gas' else supply.unit.replace('m3', 'm³')}"


def inputs(shape: str, supply: Supply, currency: str, indexes: Sequence[str]) -> list[Input]:
    """The fields of a shape."""
    unit = unit_of(supply, currency)
    coin = f", or 27.34{SMALL_COINS[currency]}" if currency in SMALL_COINS else ""
    as_on_a_bill = f"As on the bill: 0.2734{coin}."
    if shape == "one":
        return [Input("price", f"Price ({unit})", "text", "", required=True, help=as_on_a_bill)]
    if shape == "day-night":
        return [
            Input("day_price", f"Price by day ({unit})", "text", "", required=True, help=as_on_a_bill),
            Input("night_price", f"Price at night ({unit})", "text", "", required=True),
            Input("night_from", "Night begins", "time", "23:00", required=True),
            Input("night_until", "Night ends", "time", "07:00", required=True),
            Input(
                "weekend", "Saturdays and Sundays", "choice", "as other days", ("as other days", "at the night price")
            ),
        ]
    if shape == "times":
        return [Input("price", f"Price at all other times ({unit})", "text", "", required=True, help=as_on_a_bill)]
    if shape == "tiers":
        return [
            Input("price", f"Price of the first ({unit})", "text", "", required=True, help=as_on_a_bill),
            Input("up_to", f"Up to ({unit.partition(' a ')[2]})", "decimal", "", required=True),
            Input("counted", "Counted in each", "choice", "month", COUNTED),
            Input("beyond", f"Price beyond ({unit})", "text", "", required=True),
        ]
    return [
        Input("index", "It follows", "choice", indexes[0] if len(indexes) == 1 else "", tuple(indexes), required=True),
        Input("factor", "Times", "decimal", "", help="What the market’s price is multiplied by; nothing where by 1."),
        Input("addition", f"Plus ({unit})", "text", "", help=f"What the supplier adds. {as_on_a_bill}"),
    ]


def times(number: int, supply: Supply, currency: str) -> list[Input]:
    """The fields of one of several prices."""
    unit = unit_of(supply, currency)
    return [
        Input(f"band_{number}", "Name", "text", "peak" if number == 1 else "", required=number == 1),
        Input(f"price_{number}", f"Price ({unit})", "text", "", required=number == 1),
        Input(f"from_{number}", "From", "time", "", help="Nothing: from midnight."),
        Input(f"until_{number}", "Until", "time", "", help="Nothing: to midnight."),
        Input(f"first_month_{number}", "From the beginning of", "choice", "", MONTHS, help="Nothing: all year."),
        Input(f"last_month_{number}", "To the end of", "choice", "", MONTHS),
        Input(f"days_{number}", "On", "choice", "every day", tuple(DAYS)),
    ]


# ---- what was typed ----


def charge(shape: str, reading: Reading) -> tuple[dict[str, Any], Places]:
    """The charge of a shape, and which place in the tariff is which field; `reading` says what is wrong."""
    made, places = {"one": _one, "day-night": _day_and_night, "times": _times, "tiers": _tiers, "market": _market}[
        shape
    ](reading)
    return made, {f"charges[0]{place}": name for place, name in places.items()}


def _one(reading: Reading) -> tuple[dict[str, Any], Places]:
    return {"kind": "rates", "rates": [{"band": "all day", "price": reading.unit_price("price", needed=True)}]}, {
        "": "price"
    }


def _market(reading: Reading) -> tuple[dict[str, Any], Places]:
    made: dict[str, Any] = {"kind": "dynamic", "index": reading.text("index")}
    if factor := reading.number("factor"):
        made["factor"] = factor
    if addition := reading.unit_price("addition"):
        made["addition"] = addition
    return made, {f".{name}": name for name in ("index", "factor", "addition")}


def _day_and_night(reading: Reading) -> tuple[dict[str, Any], Places]:
    by_day, by_night = reading.unit_price("day_price", needed=True), reading.unit_price("night_price", needed=True)
    times: list[dict[str, Any]] = [{"from": reading.text("night_from"), "until": reading.text("night_until")}]
    if reading.said.get("weekend") == "at the night price":
        times.append({"days": list(DAYS["Saturday and Sunday"])})
    rates = [{"band": "night", "price": by_night, "times": times}, {"band": "day", "price": by_day}]
    return {"kind": "rates", "rates": rates}, {
        ".rates[0].price": "night_price",
        ".rates[1].price": "day_price",
        ".rates[0].times[0].from": "night_from",
        ".rates[0].times[0].until": "night_until",
        "": "night_from",
    }


def _tiers(reading: Reading) -> tuple[dict[str, Any], Places]:
    first = {
        "band": "first",
        "price": reading.unit_price("price", needed=True),
        "up_to": reading.number("up_to", needed=True),
    }
    tiers = [first, {"band": "beyond", "price": reading.unit_price("beyond", needed=True)}]
    places = {".tiers[0].price": "price", ".tiers[1].price": "beyond", "": "up_to"}
    return {"kind": "tiers", "period": reading.said.get("counted") or "month", "tiers": tiers}, places


def _times(reading: Reading) -> tuple[dict[str, Any], Places]:
    rates, places = list[dict[str, Any]](), Places()
    for number in range(1, MOST_TIMES + 1):
        if number > 1 and not any(reading.said.get(f"{name}_{number}", "").strip() for name in ("band", "price")):
            continue
        place = f".rates[{len(rates)}]"
        places |= {f"{place}.{name}": f"{name}_{number}" for name in ("band", "price")}
        places |= {f"{place}.times[0].{name}": f"{name}_{number}" for name in ("from", "until")}
        places |= {f"{place}.times[0].season": f"first_month_{number}", place: f"from_{number}"}
        price, band = reading.unit_price(f"price_{number}", needed=True), reading.text(f"band_{number}")
        if not (when := dict(_when(reading, number))):
            reading.wrong.setdefault(f"from_{number}", "is needed, or days, or months: when does this price hold?")
        rates.append({"band": band, "price": price, "times": [when]})
    rates.append({"band": "other times", "price": reading.unit_price("price", needed=True)})
    return {"kind": "rates", "rates": rates}, {**places, f".rates[{len(rates) - 1}]": "price"}


def _when(reading: Reading, number: int) -> Iterator[tuple[str, Any]]:
    """The hours, days and months of one of several prices."""
    said = {name: reading.said.get(f"{name}_{number}", "") for name in ("from", "until", "days")}
    yield from ((name, said[name]) for name in ("from", "until") if said[name])
    if days := DAYS.get(said["days"], ()):
        yield "days", list(days)
    first, last = (reading.said.get(f"{name}_month_{number}", "") for name in ("first", "last"))
    if bool(first) != bool(last):
        reading.wrong[f"{'last' if first else 'first'}_month_{number}"] = "is needed where the other one is said"
    elif first in MONTHS and last in MONTHS:
        begin, end = MONTHS.index(first), (MONTHS.index(last) + 1) % len(MONTHS)
        if begin != end:
            yield "season", {"from": f"{begin + 1:02}-01", "until": f"{end + 1:02}-01"}
