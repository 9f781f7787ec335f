"""The oddities of Fluvius' files. What every importer must do is in tests/contracts/importers.py."""

from decimal import Decimal

import pytest

from appliance.importers import fluvius
from appliance.records import Source
from tests.meter_files import blocks, read, rejects, sample, times, total, values, warnings

HEADING = (
    "Van (datum);Van (tijdstip);Tot (datum);Tot (tijdstip);EAN-code;Meter;Metertype;Register;Volume;Eenheid;"
    "Validatiestatus\n"
)


def row(
    begin: str,
    end: str,
    register: str = "Afname Dag",
    volume: str = "0,25",
    status: str = "Uitgelezen",
    unit: str = "kWh",
) -> str:
    spans = ";".join(each.replace(" ", ";") for each in (begin, end))
    return f'{spans};="541448860000000001";1SAG1;Digitale Meter;{register};{volume};{unit};{status}\n'


def document(*rows: str) -> bytes:
    return (HEADING + "".join(rows)).encode("utf-8-sig")


def test_a_day_of_25_hours_comes_out_whole() -> None:
    found = read("fluvius", sample("fluvius", "kwartieren-klok-terug.csv"))
    at = times(found, "electricity.import.t2")
    assert sorted(at)[0] == "2021-10-30 23:45"
    assert len(set(at)) == len(at) == 10
    assert total(found, "electricity.import.t2") == Decimal("0.055")
    by_time = dict(zip(at, values(found, "electricity.import.t2"), strict=True))
    assert by_time["2021-10-31 00:45"] == Decimal("0.008")  # the quarter that ends at 02:00
    assert by_time["2021-10-31 01:45"] == Decimal("0.009")


def test_a_row_of_the_hour_that_spring_leaves_out_is_rejected() -> None:
    found = read("fluvius", sample("fluvius", "kwartieren-klok-vooruit.csv"))
    assert times(found, "electricity.import.t1") == ["2022-03-27 00:30", "2022-03-27 00:45", "2022-03-27 01:00"]
    assert ["never was in Europe/Brussels" in reject.reason for reject in rejects(found)] == [True]


@pytest.mark.parametrize(
    ("zone", "begin"),
    [("", "2023-01-31 23:00"), ("Europe/London", "2023-02-01 00:00"), ("Australia/Sydney", "2023-01-31 13:00")],
)
def test_the_zone_is_brussels_unless_another_is_stated(zone: str, begin: str) -> None:
    found = read("fluvius", document(row("01-02-2023 00:00:00", "01-02-2023 00:15:00")), zone=zone)
    assert times(found, "electricity.import.t1") == [begin]
    assert bool(zone) != ("Europe/Brussels" in warnings(found))


@pytest.mark.parametrize(
    ("register", "role"),
    [
        ("Afname Dag", "electricity.import.t1"),
        ("Afname Nacht", "electricity.import.t2"),
        ("Injectie Dag", "electricity.export.t1"),
        ("Injectie Nacht", "electricity.export.t2"),
        ("Offtake Day", "electricity.import.t1"),
        ("Injection Night", "electricity.export.t2"),
        ("Prélèvement Nuit", "electricity.import.t2"),
        ("Afname Totaal", "electricity.import"),
        ("Injectie", "electricity.export"),
    ],
)
def test_a_register_is_told_by_its_words(register: str, role: str) -> None:
    found = read("fluvius", document(row("01-02-2023 00:00:00", "01-02-2023 00:15:00", register)))
    assert [block.role for block in blocks(found)] == [role]


def test_gas_stands_in_both_its_units_and_neither_is_electricity() -> None:
    found = read("fluvius", sample("fluvius", "gas-uren.csv"))
    assert {(block.role, block.unit) for block in blocks(found)} == {("gas", "m3"), ("gas.energy", "kWh")}
    assert (total(found, "gas"), total(found, "gas.energy")) == (Decimal("0.95"), Decimal("10.45"))
    without = sample("fluvius", "gas-uren.csv").replace(b"Calorische bovenwaarde", b"Iets anders")
    assert {block.role for block in blocks(read("fluvius", without))} == {"gas", "gas.energy"}  # by the meter's number


def test_the_state_of_validation_is_the_quality_of_each_reading() -> None:
    quarters = [
        ("00:00:00", "00:15:00", "Gevalideerd"),
        ("00:15:00", "00:30:00", "Geschat"),
        ("00:30:00", "00:45:00", "Geschat"),
    ]
    rows = [row(f"01-02-2023 {begin}", f"01-02-2023 {end}", status=status) for begin, end, status in quarters]
    assert [(block.quality, len(block.values)) for block in blocks(read("fluvius", document(*rows)))] == [
        ("Gevalideerd", 1),
        ("Geschat", 2),
    ]


def test_no_consumption_without_a_volume_is_no_zero() -> None:
    found = read(
        "fluvius", document(row("01-02-2023 00:00:00", "01-02-2023 00:15:00", volume="", status="Geen verbruik"))
    )
    assert not blocks(found)
    assert [reject.count for reject in rejects(found)] == [1]


def test_totals_of_days_and_quarters_are_other_sources() -> None:
    rows = [row("01-02-2023 00:00:00", "01-02-2023 00:15:00"), row("01-02-2023 00:00:00", "02-02-2023 00:00:00")]
    names = [item.name for item in read("fluvius", document(*rows)) if isinstance(item, Source)]
    assert names == ["fluvius 541448860000000001 quarter-hourly", "fluvius 541448860000000001 daily"]


@pytest.mark.parametrize("heading", [HEADING.replace("EAN-code", "Nummer"), "Van (datum);Register;Volume\n"])
def test_another_heading_is_another_format(heading: str) -> None:
    assert not fluvius.identify(heading.encode(), "Verbruikshistoriek.csv")
