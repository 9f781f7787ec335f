"""Costs equal bills that were worked out by hand: the arithmetic is in each test."""

from datetime import date, datetime
from decimal import Decimal

import numpy as np

from appliance.tariffs import (
    Capacity,
    Discount,
    Dynamic,
    Levy,
    Prices,
    Rate,
    Rates,
    Standing,
    Tax,
    Tier,
    Tiers,
    Times,
    Usage,
    cost,
)
from tests.tariffs.usages import midnight, starts_ms, tariff, used

LONDON, BRUSSELS = "Europe/London", "Europe/Brussels"


def hundred_wh(_: datetime) -> int:
    return 100


def flat(price: str, band: str = "all day") -> Rates:
    return Rates(rates=(Rate(band=band, price=Decimal(price)),))


def night(clock: str = "07:00") -> Times:
    return Times(from_minute=23 * 60, until_minute=int(clock[:2]) * 60)


def test_flat_rate_with_standing_charge_and_vat() -> None:
    """April in London: 30 days x 96 quarters x 0.1 kWh = 288 kWh.

    288 x 0.2734 = 78.7392; 30 x 0.5312 = 15.936; together 94.6752; 5 % of it 4.73376; in all 99.40896.
    Rounded by line: 78.74 + 15.94 + 4.73 = 99.41.
    """
    usage = used(LONDON, date(2024, 4, 1), date(2024, 5, 1), hundred_wh)
    charges = flat("0.2734"), Standing(price=Decimal("0.5312"), period="day"), Tax(percent=Decimal(5))
    costs = cost(tariff(LONDON, *charges), usage)
    assert [(line.name, line.quantity, line.unit, line.amount) for line in costs.lines] == [
        ("Energy", Decimal(288), "kWh", Decimal("78.7392")),
        ("Standing charge", Decimal(30), "day", Decimal("15.936")),
        ("VAT", Decimal("94.6752"), "GBP", Decimal("4.73376")),
    ]
    assert costs.total == Decimal("99.40896")
    assert costs.by_day()[date(2024, 4, 30)] == Decimal("99.40896") / 30
    assert [each.amount for each in costs.bill().lines] == [Decimal("78.74"), Decimal("15.94"), Decimal("4.73")]
    assert costs.bill().total == Decimal("99.41")
    assert costs.marks.complete


def test_the_days_on_which_clocks_change_have_23_and_25_hours() -> None:
    """Night is 23:00 to 07:00: 8 hours on a plain day, 7 on 31 March 2024, 9 on 27 October; each 4 x 0.1 kWh.

    Day is 16 hours on each: 6.4 kWh. At 0.30 and 0.10: spring 1.92 + 0.28, autumn 1.92 + 0.36, plain 1.92 + 0.32.
    """
    rates = Rates(
        rates=(Rate(band="day", price=Decimal("0.30")), Rate(band="night", price=Decimal("0.10"), times=(night(),)))
    )
    for first, amounts in (
        (date(2024, 3, 31), ("1.92", "0.28")),
        (date(2024, 10, 27), ("1.92", "0.36")),
        (date(2024, 7, 1), ("1.92", "0.32")),
    ):
        for zone in (LONDON, BRUSSELS):
            usage = used(zone, first, date.fromordinal(first.toordinal() + 1), hundred_wh)
            costs = cost(tariff(zone, rates), usage)
            assert [line.amount for line in costs.lines] == [Decimal(each) for each in amounts], (first, zone)


def test_a_rate_on_the_missing_hour_costs_nothing_and_one_on_the_doubled_hour_twice() -> None:
    """From 02:00 to 03:00 in Brussels: no quarter on 31 March 2024, 8 x 0.1 kWh x 1.00 on 27 October."""
    hour = Times(from_minute=120, until_minute=180)
    rates = Rates(rates=(Rate(band="rest", price=Decimal(0)), Rate(band="hour", price=Decimal(1), times=(hour,))))
    spring = cost(tariff(BRUSSELS, rates), used(BRUSSELS, date(2024, 3, 31), date(2024, 4, 1), hundred_wh))
    autumn = cost(tariff(BRUSSELS, rates), used(BRUSSELS, date(2024, 10, 27), date(2024, 10, 28), hundred_wh))
    assert [line.band for line in spring.lines] == ["rest"]
    assert autumn.by_band() == {("Energy", "rest"): Decimal(0), ("Energy", "hour"): Decimal("0.8")}
    assert spring.marks.complete
    assert autumn.marks.complete


def test_a_belgian_dynamic_price_with_a_negative_hour() -> None:
    """1.05 x index + 0.004: at 80 EUR/MWh 0.088, at -20 EUR/MWh -0.017; 23 hours of 0.4 kWh and one.

    23 x 0.4 x 0.088 = 0.8096; 0.4 x -0.017 = -0.0068; together 0.8028.
    """
    usage = used(BRUSSELS, date(2024, 6, 1), date(2024, 6, 2), hundred_wh)
    hours = starts_ms(usage.first, usage.end, 60)
    prices = Prices.of(hours, 60, [80_00] * 13 + [-20_00] + [80_00] * 10, -5, "EUR")
    charge = Dynamic(index="day-ahead BE", factor=Decimal("1.05"), addition=Decimal("0.004"))
    costs = cost(tariff(BRUSSELS, charge), usage, {"day-ahead BE": prices})
    assert costs.total == Decimal("0.8028")
    floored = Dynamic(index="day-ahead BE", factor=Decimal("1.05"), addition=Decimal("0.004"), floor=Decimal("-0.01"))
    assert cost(tariff(BRUSSELS, floored), usage, {"day-ahead BE": prices}).total == Decimal("0.8056")


def test_tiers_of_a_month_begin_again_with_the_next() -> None:
    """January and February 2023 with 9.6 kWh a day: 297.6 and 268.8 kWh. The first 100 at 0.20, then 0.30.

    100 x 0.20 + 197.6 x 0.30 = 79.28; 100 x 0.20 + 168.8 x 0.30 = 70.64; in all 149.92, of which 40 in the first tier.
    """
    tiers = Tiers(
        period="month",
        tiers=(
            Tier(band="first", price=Decimal("0.20"), up_to=Decimal(100)),
            Tier(band="beyond", price=Decimal("0.30")),
        ),
    )
    usage = used(BRUSSELS, date(2023, 1, 1), date(2023, 3, 1), hundred_wh)
    costs = cost(tariff(BRUSSELS, tiers), usage)
    assert costs.by_band() == {("Energy", "first"): Decimal(40), ("Energy", "beyond"): Decimal("109.92")}
    january = cost(tariff(BRUSSELS, tiers), usage, end=midnight(date(2023, 2, 1), BRUSSELS))
    assert january.total == Decimal("79.28")
    second_half = cost(tariff(BRUSSELS, tiers), usage, begin=midnight(date(2023, 1, 16), BRUSSELS))
    assert second_half.total == Decimal("149.92") - (Decimal(20) + Decimal("13.2"))  # 15 days: 144 kWh


def test_flanders_capacity_from_the_peaks_of_twelve_months() -> None:
    """The peaks of a year, none counted below 2.5 kW, as nl.wikibooks.org/wiki/Energietransitie works them out:

    2.5 + 4.6 + 2.5 + 2.5 + 3.444 + 4.164 + 4.564 + 6 + 9.2 + 5 + 4.12 + 4.88 = 53.472; / 12 = 4.456 kW.
    April 2023 at 41.00 a kW and year: 4.456 x 41 x 30 / 365 = 15.0161095890...
    """
    peaks = [632, 4600, 0, 1028, 3444, 4164, 4564, 6000, 9200, 5000, 4120, 4880]  # W, from May 2022 on
    begin, end = midnight(date(2022, 5, 1), BRUSSELS), midnight(date(2023, 5, 1), BRUSSELS)
    totals = np.zeros(end - begin, np.int64)
    for month, peak in enumerate(peaks):
        day = date(2022 + (month + 4) // 12, (month + 4) % 12 + 1, 15)
        totals[midnight(day, BRUSSELS) - begin + 70] = peak // 4
    usage = Usage.of(np.arange(begin, end), totals, -3, begin, end)
    charge = Capacity(price=Decimal(41), period="year", months=12, minimum=Decimal("2.5"))
    costs = cost(tariff(BRUSSELS, charge), usage, begin=midnight(date(2023, 4, 1), BRUSSELS))
    (line,) = costs.lines
    assert line.quantity == Decimal("4.456")
    assert abs(line.amount - Decimal("15.01610958904")) < Decimal("0.00000001")
    assert costs.marks.remarks == ()


def test_a_simple_monthly_peak() -> None:
    """June: the highest quarter is 1.2 kWh, so 4.8 kW; x 3.00 a month = 14.40. Half of June is half of it."""
    usage = used(BRUSSELS, date(2024, 6, 1), date(2024, 7, 1), lambda at: 1200 if (at.day, at.hour) == (20, 18) else 50)
    charge = Capacity(price=Decimal(3), period="month")
    assert cost(tariff(BRUSSELS, charge), usage).total == Decimal("14.4")
    half = cost(tariff(BRUSSELS, charge), usage, end=midnight(date(2024, 6, 16), BRUSSELS))
    assert half.total == Decimal("7.2")


def test_export_is_a_credit_and_what_is_paid_on_it_a_cost() -> None:
    """A day of 9.6 kWh at 0.15 is a credit of 1.44; a fee of 0.02 a kWh on it costs 0.192: -1.248 in all."""
    usage = used(LONDON, date(2024, 6, 1), date(2024, 6, 2), hundred_wh)
    costs = cost(tariff(LONDON, flat("0.15"), Levy(price=Decimal("0.02")), direction="export"), usage)
    assert [line.amount for line in costs.lines] == [Decimal("-1.44"), Decimal("0.192")]
    assert costs.total == Decimal("-1.248")


def test_a_standing_charge_a_month_or_a_year_is_shared_by_days() -> None:
    """10.00 a month: February 2023 whole is 10.00 exactly, its first day 10 / 28 = 0.3571428571 (cut at 10^-10).

    365.00 a year: 59 days to the end of February are 59.00.
    """
    usage = used(BRUSSELS, date(2023, 1, 1), date(2023, 3, 1), hundred_wh)
    month, year = Standing(price=Decimal(10), period="month"), Standing(price=Decimal(365), period="year")
    by_month = cost(tariff(BRUSSELS, month), usage)
    assert by_month.total == Decimal(20)
    assert by_month.by_day()[date(2023, 2, 1)] == Decimal("0.3571428571")
    assert cost(tariff(BRUSSELS, year), usage).total == Decimal(59)


def test_a_price_and_a_tax_that_change_take_effect_on_their_own_days() -> None:
    """June and July 2024, 288 and 297.6 kWh: 0.20 until 1 July, then 0.25; VAT 6 % until 16 July, then 21 %.

    57.60 + 74.40 = 132.00. Until 16 July 15 days x 9.6 x 0.25 = 36; 6 % of 93.60 = 5.616; 21 % of 38.40 = 8.064.
    """
    usage = used(BRUSSELS, date(2024, 6, 1), date(2024, 8, 1), hundred_wh)
    changed, taxed = date(2024, 7, 1), date(2024, 7, 16)
    charges = (
        Rates(until_day=changed, rates=(Rate(band="all day", price=Decimal("0.20")),)),
        Rates(from_day=changed, rates=(Rate(band="all day", price=Decimal("0.25")),)),
        Tax(percent=Decimal(6), until_day=taxed),
        Tax(percent=Decimal(21), from_day=taxed),
    )
    lines = cost(tariff(BRUSSELS, *charges), usage).lines
    assert [line.amount for line in lines] == [
        Decimal("57.6"),
        Decimal("74.4"),
        Decimal("5.616"),
        Decimal("8.064"),
    ]
    assert (lines[1].from_day, lines[1].until_day) == (changed, date(2024, 8, 1))


def test_discounts_and_a_tax_on_named_lines() -> None:
    """A day of 9.6 kWh: energy 0.50 x 9.6 = 4.80, levy 0.10 x 9.6 = 0.96, standing 1.00.

    10 % off the energy: -0.48. 2.00 once on that day. Tax of 20 % on the energy and its discount: 0.864. In all 5.144.
    """
    usage = used(BRUSSELS, date(2024, 6, 1), date(2024, 6, 2), hundred_wh)
    charges = (
        flat("0.50"),
        Levy(price=Decimal("0.10")),
        Standing(price=Decimal(1), period="day"),
        Discount(name="Loyalty", percent=Decimal(10), on=("Energy",)),
        Discount(name="Welcome", amount=Decimal(2), from_day=date(2024, 6, 1)),
        Tax(percent=Decimal(20), on=("Energy", "Loyalty")),
    )
    costs = cost(tariff(BRUSSELS, *charges), usage)
    amounts = {line.name: line.amount for line in costs.lines}
    assert amounts["Loyalty"] == Decimal("-0.48")
    assert amounts["Welcome"] == Decimal(-2)
    assert amounts["VAT"] == Decimal("0.864")
    assert costs.total == Decimal("5.144")


def test_a_percentage_is_taken_off_before_other_discounts() -> None:
    """A day of 9.6 kWh at 0.50 is 4.80: 10 % off is 0.48, whatever 2.00 a day of another discount takes off: 2.32."""
    usage = used(BRUSSELS, date(2024, 6, 1), date(2024, 6, 2), hundred_wh)
    charges = (
        flat("0.50"),
        Discount(name="Welcome", amount=Decimal(2), period="day"),
        Discount(name="Loyalty", percent=Decimal(10)),
    )
    assert cost(tariff(BRUSSELS, *charges), usage).total == Decimal("2.32")


def test_a_tax_on_a_tax() -> None:
    """Spain's: 5 % electricity tax on 4.80 = 0.24; 21 % VAT on both = 1.0584."""
    usage = used("Europe/Madrid", date(2024, 6, 1), date(2024, 6, 2), hundred_wh)
    charges = (
        flat("0.50"),
        Tax(name="Electricity tax", percent=Decimal(5)),
        Tax(percent=Decimal(21), on=("Energy", "Electricity tax")),
    )
    assert [line.amount for line in cost(tariff("Europe/Madrid", *charges), usage).lines] == [
        Decimal("4.8"),
        Decimal("0.24"),
        Decimal("1.0584"),
    ]


def test_an_economy_7_meter_stays_on_utc_in_summer_and_its_days_do_not() -> None:
    """00:30 to 07:30 UTC is 01:30 to 08:30 in London's summer; used from 08:00 to 08:30: 0.2 kWh at 0.10."""
    usage = used(LONDON, date(2024, 7, 1), date(2024, 7, 3), lambda at: 100 if at.hour == 8 and at.minute < 30 else 0)
    cheap = Rate(band="night", price=Decimal("0.10"), times=(Times(from_minute=30, until_minute=450),))
    rates = Rates(rates=(Rate(band="day", price=Decimal("0.30")), cheap))
    costs = cost(tariff(LONDON, rates, Standing(price=Decimal(1), period="day"), clock="UTC"), usage)
    assert costs.by_day() == {date(2024, 7, 1): Decimal("1.02"), date(2024, 7, 2): Decimal("1.02")}
    local = cost(tariff(LONDON, rates, Standing(price=Decimal(1), period="day")), usage)
    assert local.total == Decimal("2.12")


def test_a_tariff_of_another_zone_keeps_to_its_own_clock() -> None:
    """A day of London under a tariff of Brussels, whose night ends at 06:00 in London: 0.4 kWh by day, 0.4 by night."""
    usage = used(LONDON, date(2024, 6, 3), date(2024, 6, 4), lambda at: 100 if 5 <= at.hour < 7 else 0)
    rates = Rates(
        rates=(Rate(band="day", price=Decimal(1)), Rate(band="night", price=Decimal(0), times=(night(),))),
    )
    costs = cost(tariff(BRUSSELS, rates, Standing(price=Decimal(2), period="day")), usage)
    assert costs.zone == BRUSSELS
    assert costs.total == Decimal("0.4") + 2  # 06:00 to 07:00 by day; one midnight of Brussels is in the span
    assert list(costs.by_day()) == [date(2024, 6, 3), date(2024, 6, 4)]
