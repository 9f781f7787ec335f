"""Green Button's oddities. What every importer must do is in tests/contracts/importers.py."""

import time
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import UserError
from appliance.importers import green_button
from appliance.records import Item, Readings, Rejected, Source, Warned
from tests.contracts import importers as contract

T = 1_767_225_600
TYPE = "<ReadingType><uom>72</uom><commodity>1</commodity>{}</ReadingType>"


def reading(value: object = 5, start: object = T, duration: object = 3600, more: object = "") -> str:
    period = f"<timePeriod><duration>{duration}</duration><start>{start}</start></timePeriod>"
    return f"<IntervalReading>{more}{period}<value>{value}</value></IntervalReading>"


def document(*readings: str, type_: str = TYPE.format("")) -> bytes:
    blocks = f"<IntervalBlock>{''.join(readings)}</IntervalBlock>"
    return f'<feed xmlns="http://naesb.org/espi"><MeterReading/>{type_}{blocks}</feed>'.encode()


def items(data: bytes, **stated: str) -> list[Item]:
    return list(green_button.extract(data, green_button.Options(**stated)))


def blocks(given: list[Item]) -> list[Readings]:
    return [item for item in given if isinstance(item, Readings)]


def values(given: list[Item]) -> list[Decimal]:
    return [Decimal(value).scaleb(block.exponent) for block in blocks(given) for value in block.values]


def sample(name: str) -> bytes:
    return (contract.SAMPLES / "green_button" / name).read_bytes()


def typed(**said: object) -> str:
    return TYPE.format("".join(f"<{name}>{value}</{name}>" for name, value in said.items()))


@pytest.mark.parametrize(
    ("said", "role", "unit", "value"),
    [
        ({}, "electricity.import", "kWh", "0.005"),
        ({"flowDirection": 19}, "electricity.export", "kWh", "0.005"),
        ({"flowDirection": 4}, "electricity.net", "kWh", "0.005"),
        ({"powerOfTenMultiplier": 3}, "electricity.import", "kWh", "5"),
        ({"powerOfTenMultiplier": 6}, "electricity.import", "kWh", "5000"),
        ({"powerOfTenMultiplier": -3}, "electricity.import", "kWh", "0.000005"),
    ],
)
def test_direction_and_power_of_ten_are_respected(said: dict[str, int], role: str, unit: str, value: str) -> None:
    found = items(document(reading(), type_=typed(**said)))
    [block] = blocks(found)
    assert (block.role, block.unit, values(found)) == (role, unit, [Decimal(value)])
    assert block.exponent <= 0


def test_power_is_no_energy() -> None:
    [block] = blocks(items(document(reading(), type_=typed(kind=37).replace("72", "38"))))
    assert (block.role, block.unit, block.exponent) == ("electricity.power", "kW", -3)


def test_a_register_is_read_at_the_end_of_its_interval() -> None:
    [block] = blocks(items(document(reading(), type_=typed(accumulationBehaviour=1))))
    assert (block.at_ms, block.seconds) == ([(T + 3600) * 1000], [0])


def test_feet_become_metres_exactly() -> None:
    type_ = "<ReadingType><uom>119</uom><commodity>7</commodity></ReadingType>"
    assert values(items(document(reading(1000), type_=type_))) == [Decimal("28.316846592")]


@given(st.lists(st.decimals(min_value=0, max_value=10**6, places=4), min_size=1, max_size=30))
def test_decimals_are_exact_whatever_their_order(said: list[Decimal]) -> None:
    found = values(items(document(*(reading(f"{value:f}") for value in said))))
    assert found == [value / 1000 for value in said]


@pytest.mark.parametrize(("said", "ms"), [(f"{T}.66136", 661), (f"{T}.9999", 999), (T, 0), (f" {T}\n", 0)])
def test_fractions_of_seconds_are_rounded_down(said: object, ms: int) -> None:
    assert blocks(items(document(reading(start=said))))[0].at_ms == [T * 1000 + ms]


@pytest.mark.parametrize(
    "bad",
    [
        {"value": "x"},
        {"value": ""},
        {"value": "1_000"},
        {"value": 2**63},
        {"value": "1<b/>e5"},
        {"value": "5" * 300},
        {"start": "now"},
        {"start": -5},
        {"start": 10**15},
        {"duration": "1.5"},
        {"duration": -1},
    ],
    ids=str,
)
def test_a_bad_reading_is_rejected_and_the_others_are_read(bad: dict[str, object]) -> None:
    found = items(document(reading(1), reading(**bad), reading(3)))
    [reject] = [item for item in found if isinstance(item, Rejected)]
    assert reject.where == "IntervalReading 2"
    assert values(found) == [Decimal("0.001"), Decimal("0.003")]


def test_a_block_ends_where_the_quality_changes_and_at_its_size() -> None:
    quality = "<ReadingQuality><quality>{}</quality></ReadingQuality>"
    mixed = items(document(reading(more=quality.format(17)), reading(more=quality.format(99)), reading()))
    assert [block.quality for block in blocks(mixed)] == ["validated", "99", ""]
    many = items(document(*(reading(start=T + 3600 * n) for n in range(9000))))
    assert [len(block.values) for block in blocks(many)] == [8192, 808]


def test_a_span_leads_to_its_readings() -> None:
    data = document(reading(1), reading(2))
    [block] = blocks(items(data))
    found = data[block.span.first : block.span.first + block.span.length].decode()
    assert found == reading(1) + reading(2)


def test_readings_that_share_their_start_all_count() -> None:
    assert len(values(items(document(reading(), reading(), reading(6))))) == 3


def test_what_a_file_does_not_state_is_asked_for_and_taken() -> None:
    gas = sample("gas-no-unit.xml")
    rejects = [item for item in items(gas) if isinstance(item, Rejected)]
    assert len(rejects) == 3
    assert all("state unit and quantity, and retry the import" in reject.reason for reject in rejects)
    [block] = blocks(items(gas, unit="m3"))
    assert (block.role, block.unit, block.values) == ("gas", "m3", [12000, 15000, 15000])
    assert blocks(items(gas, unit="kWh", quantity="electricity.export"))[0].role == "electricity.export"
    assert "quantity" in str(items(gas, unit="kWh")[1])


def test_the_source_has_one_name_before_and_after_a_person_states_the_unit() -> None:
    gas = sample("gas-no-unit.xml")
    assert items(gas)[0] == items(gas, unit="m3")[0]


def test_what_a_file_states_wins_over_what_a_person_does() -> None:
    assert items(document(reading()), unit="m3", quantity="gas") == items(document(reading()))


def test_intervals_of_other_lengths_are_other_sources() -> None:
    sources = [item.name.split()[1:] for item in items(sample("daily-and-hourly.xml")) if isinstance(item, Source)]
    assert sources == [["daily"], ["hourly"], ["hourly", "register"]]


def test_all_that_is_wrong_with_the_options_is_told() -> None:
    with pytest.raises(UserError) as error:
        green_button.Options(unit="furlong", quantity="love")
    assert len(error.value.problems) == 2
    with pytest.raises(UserError, match="do not go together"):
        green_button.Options(unit="m3", quantity="electricity.import")


@pytest.mark.parametrize(
    "doctype", ['[<!ENTITY a "1">]', '[<!ENTITY a SYSTEM "file:///etc/passwd">]', 'SYSTEM "x.dtd"']
)
def test_entities_are_refused(doctype: str) -> None:
    data = f"<!DOCTYPE feed {doctype}>".encode() + document(reading("1&a;2"))
    found = items(data)
    assert not blocks(found)
    assert any(isinstance(item, Warned) for item in found)


def test_a_tag_that_never_ends_is_given_up() -> None:
    found = items(b"<feed><" + b"x" * 2_000_000)
    assert isinstance(found[0], Rejected)
    assert "megabyte" in found[0].reason


def test_blank_lines_before_the_declaration_are_forgiven() -> None:
    data = b'\xef\xbb\xbf\r\n\n<?xml version="1.0"?>' + document(reading())
    [block] = blocks(items(data))
    assert data[block.span.first :].startswith(b"<IntervalReading>")


@pytest.mark.parametrize("encoding", ["utf-16", "windows-1252", "iso-8859-1"])
def test_other_encodings_are_read(encoding: str) -> None:
    data = f'<?xml version="1.0" encoding="{encoding}"?>{document(reading()).decode()}'.encode(encoding)
    assert values(items(data)) == [Decimal("0.005")]
    assert green_button.identify(data, "")


def test_an_encoding_that_nobody_knows_is_told() -> None:
    found = items(b'<?xml version="1.0" encoding="klingon"?>' + document(reading()))
    assert isinstance(found[0], Rejected)
    assert "klingon" in found[0].reason


@pytest.mark.parametrize(
    "data",
    [
        b"<feed>" + b"<entry>" * 300_000,
        b"<feed>" + b"<MeterReading/>" * 300_000,
        b"<feed><" + b"x" * 20_000_000,
        b"<feed><!--" + b"x" * 20_000_000,
        b"<IntervalReading><value>" + b"5" * 20_000_000,
        document(*(reading("x") for _ in range(20_000))),
    ],
    ids=["deep", "resources", "tag", "remark", "value", "rejects"],
)
def test_hostile_files_take_linear_time(data: bytes) -> None:
    """Ten seconds is far more than it takes; a quadratic reader would take hours."""
    began = time.process_time()
    for item in green_button.extract(data, green_button.Options()):
        assert not isinstance(item, Readings)
    assert time.process_time() - began < 10
