"""Random tariffs, usage and prices."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

from hypothesis import strategies as st

from appliance.tariffs import (
    Capacity,
    Charge,
    Discount,
    Dynamic,
    Levy,
    Rate,
    Rates,
    Season,
    Standing,
    Tariff,
    Tax,
    Tier,
    Tiers,
    Times,
)
from appliance.tariffs.charges import WEEKDAYS

ZONES = ("Europe/London", "Europe/Brussels", "UTC", "America/St_Johns", "Asia/Kathmandu", "Australia/Lord_Howe")
FIRST, LAST = date(2023, 1, 1), date(2025, 1, 1)

prices = st.decimals(-2, 2, places=6)
names = st.sampled_from(["Energy", "Grid", "Excise", "Größe"])
words = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_categories=["C", "Z"]), max_size=12)
days = st.dates(FIRST, LAST)
month_days = st.sampled_from(["01-01", "02-29", "03-31", "04-01", "07-15", "10-01", "11-01", "12-31"])


@st.composite
def partition(draw: st.DrawFn) -> list[Times]:
    """Times that do not overlap, and leave gaps where some of them are not taken."""
    edges = sorted({0, 1440, *(15 * each for each in draw(st.lists(st.integers(1, 95), max_size=3)))})
    hours = list(pairwise(edges))
    if len(hours) > 2 and draw(st.booleans()):
        hours = [*hours[1:-1], (hours[-1][0], hours[0][1])]  # the first and the last as one that passes midnight
    weeks: list[list[tuple[str, ...]]] = [[()], [WEEKDAYS[:5], WEEKDAYS[5:]], [("wednesday",)]]
    weekend = draw(st.sampled_from(weeks))
    first, second = draw(st.lists(month_days, min_size=2, max_size=2, unique=True))
    halves = [Season(from_day=first, until_day=second), Season(from_day=second, until_day=first)]
    seasons: Sequence[Season | None] = draw(st.sampled_from([[None], halves]))
    return [
        Times(days=week, from_minute=begin, until_minute=end, season=season)
        for week in weekend
        for begin, end in hours
        for season in seasons
    ]


@st.composite
def rate_sets(draw: st.DrawFn) -> tuple[Rate, ...]:
    times = draw(partition())
    band_of = draw(st.lists(st.integers(0, 3), min_size=len(times), max_size=len(times)))
    sets = [tuple(each for each, band in zip(times, band_of, strict=True) if band == chosen) for chosen in (1, 2)]
    bands = [Rate(band=f"band {index}", price=draw(prices), times=each) for index, each in enumerate(sets) if each]
    if not bands or draw(st.booleans()):
        bands.append(Rate(band="rest", price=draw(prices)))
    return tuple(bands)


@st.composite
def tier_sets(draw: st.DrawFn) -> tuple[Tier, ...]:
    ends = sorted(draw(st.sets(st.decimals("0.001", 400, places=3), max_size=3)))
    return tuple(Tier(band=f"tier {index}", price=draw(prices), up_to=each) for index, each in enumerate([*ends, None]))


periods = st.sampled_from(["day", "month", "year"])
percents = st.decimals(0, 100, places=2)
positive = st.decimals(0, 100, places=4)
maybe_price = st.none() | prices
charges: dict[str, st.SearchStrategy[Charge]] = {
    "rates": st.builds(Rates, name=names, rates=rate_sets()),
    "dynamic": st.builds(
        Dynamic,
        name=names,
        index=st.sampled_from(["day-ahead", "none of it"]),
        factor=prices,
        addition=prices,
        floor=maybe_price,
        cap=maybe_price,
    ),
    "tiers": st.builds(
        Tiers, name=names, period=st.sampled_from(["day", "month", "quarter", "year"]), tiers=tier_sets()
    ),
    "standing": st.builds(Standing, price=prices, period=periods),
    "capacity": st.builds(
        Capacity,
        price=positive,
        period=st.sampled_from(["month", "year"]),
        months=st.integers(1, 12),
        minimum=st.decimals(0, 5, places=2),
    ),
    "levy": st.builds(Levy, price=prices),
    "discount": st.builds(Discount, percent=percents)
    | st.builds(Discount, name=st.just("Rebate"), amount=positive, period=periods),
    "tax": st.builds(Tax, name=st.sampled_from(["VAT", "Electricity tax"]), percent=percents),
}


@st.composite
def dated_charges(draw: st.DrawFn) -> tuple[Charge, ...]:
    """Charges, each name's one after the other, with gaps now and then."""
    drawn = draw(st.lists(st.one_of(*charges.values()), min_size=1, max_size=8))
    last: dict[str, date | None] = {}
    found: list[Charge] = []
    for charge in drawn:
        begins = last.get(charge.name, draw(st.none() | days))
        if charge.name in last and begins is None:
            continue  # the one before holds for good
        ends = draw(st.none() | days)
        if ends is not None and begins is not None and ends <= begins:
            ends = begins + timedelta(days=draw(st.integers(1, 200)))
        last[charge.name] = ends
        stated = {name: getattr(charge, name) for name in charge.__dataclass_fields__}
        found.append(type(charge)(**{**stated, "from_day": begins, "until_day": ends}))
    return tuple(found)


@st.composite
def tariffs(draw: st.DrawFn) -> Tariff:
    return Tariff(
        supplier=draw(words),
        name=draw(words),
        code=draw(words),
        supply="electricity",
        direction=draw(st.sampled_from(["import", "export"])),
        zone=draw(st.sampled_from(ZONES)),
        clock=draw(st.sampled_from(["local", "UTC"])),
        currency="EUR",
        exit_fee=draw(st.decimals(0, 200, places=2)),
        notice_days=draw(st.integers(0, 90)),
        learnt=draw(st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))),
        charges=draw(dated_charges()),
        from_day=draw(st.none() | st.just(FIRST)),
        until_day=draw(st.none() | st.just(date(2024, 11, 1))),
    )
