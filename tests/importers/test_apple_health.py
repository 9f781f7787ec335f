"""Apple Health's oddities. What every importer must do is in tests/contracts/importers.py."""

import time
import tracemalloc
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from decimal import Decimal

import pytest

from appliance import kinds
from appliance.importers import apple_health
from appliance.ingest import importing
from appliance.records import Item, Record, Rejected, Warned
from appliance.store import timeline
from appliance.store.database import Store
from appliance.store.timeline import Query
from tests.contracts.importers import extracted

STEPS, HEART = "HKQuantityTypeIdentifierStepCount", "HKQuantityTypeIdentifierHeartRate"
SUGAR = "HKQuantityTypeIdentifierDietarySugar"


def record(
    value: object = 72, type_: str = HEART, start: str = "2026-02-10 08:50:00 +0100", inside: str = "", **more: str
) -> str:
    said = {"type": type_, "sourceName": "Watch", "unit": "count/min", "startDate": start, "endDate": start, **more}
    attributes = " ".join(f'{name}="{text}"' for name, text in said.items())
    return f'<Record {attributes} value="{value}">{inside}</Record>\n'


def document(*rows: str) -> bytes:
    return f'<?xml version="1.0"?>\n<HealthData locale="en_GB">\n{"".join(rows)}</HealthData>'.encode()


def items(data: bytes) -> list[Item]:
    return extracted("apple_health", data)


def records(data: bytes) -> list[Record]:
    return [each for each in items(data) if isinstance(each, Record)]


def rejected(data: bytes) -> list[Rejected]:
    return [each for each in items(data) if isinstance(each, Rejected)]


SLEEP, STAND = "HKCategoryTypeIdentifierSleepAnalysis", "HKCategoryTypeIdentifierAppleStandHour"


@pytest.mark.parametrize(
    ("type_", "value", "title", "words"),
    [
        (HEART, "72", "Heart rate", ""),
        ("HKQuantityTypeIdentifierVO2Max", "40.1", "VO2 max", ""),
        ("HKQuantityTypeIdentifierHeartRateVariabilitySDNN", "40.1", "Heart rate variability SDNN", ""),
        ("HKQuantityTypeIdentifierDietaryVitaminB12", "0.1", "Dietary vitamin B12", ""),
        ("HKDataTypeSleepDurationGoal", "8", "Sleep duration goal", ""),
        (STAND, "HKCategoryValueAppleStandHourStood", "Apple stand hour: stood", "stood"),
        (SLEEP, "HKCategoryValueSleepAnalysisAsleepREM", "Sleep analysis: asleep REM", "asleep REM"),
        ("HKCategoryTypeIdentifierHeadache", "HKCategoryValueSeverityMild", "Headache: severity mild", "severity mild"),
        (SLEEP, "1", "Sleep analysis: 1", "1"),
    ],
)
def test_what_was_measured_is_said_in_plain_words(type_: str, value: str, title: str, words: str) -> None:
    [found] = records(document(record(value, type_)))
    assert (found.title, found.fields.get("value", "")) == (title, words)
    assert found.amount == (None if words else Decimal(value))


def test_a_part_of_one_is_not_taken_for_a_percent() -> None:
    [found] = records(document(record("0.97", "HKQuantityTypeIdentifierOxygenSaturation", unit="%")))
    assert (found.amount, found.unit, found.title) == (Decimal("0.97"), "%", "Oxygen saturation (1 is 100 %)")


@pytest.mark.parametrize(
    ("said", "amount", "exact"),
    [
        ("0.4971749504535062", "0.497175", "0.4971749504535062"),
        ("9.15527e-05", "0.000092", "9.15527e-05"),
        ("1.5e+03", "1500", ""),
        ("1234567.891", "1234567.891", ""),
        ("-3", "-3", ""),
        ("181,5", "181.5", ""),
    ],
)
def test_numbers_are_exact_to_the_millionth_and_beyond_it_as_they_are_written(
    said: str, amount: str, exact: str
) -> None:
    [found] = records(document(record(said)))
    assert str(found.amount) == amount
    assert found.fields.get("value", "") == exact


@pytest.mark.parametrize("said", ["", "nan", "inf", "1,234", "12 34x", "1e99", "9" * 50])
def test_what_is_no_certain_number_is_rejected(said: str) -> None:
    assert len(rejected(document(record(1), record(said), record(3)))) == 1


@pytest.mark.parametrize(
    ("said", "hour"),
    [
        ("2026-02-10 08:50:00 +0100", 8),
        ("2026-02-10 8:50:00 am +0100", 8),
        ("2026-02-10 12:50:00 AM +0100", 0),
        ("2026-02-10 12:50:00\u202fPM +0100", 12),
        ("20260210085000+0100", 8),
    ],
)
def test_times_are_read_as_phones_write_them_and_keep_their_offset(said: str, hour: int) -> None:
    [found] = records(document(record(start=said)))
    assert found.at == datetime(2026, 2, 10, hour, 50, tzinfo=timezone(timedelta(hours=1)))
    assert isinstance(found.at, datetime)
    assert found.at.utcoffset() == timedelta(hours=1)


@pytest.mark.parametrize("said", ["2026-02-30 08:50:00 +0100", "2026-02-10 25:50:00 +0100", "2026-02-10 08:50:00", ""])
def test_what_is_no_time_is_rejected_with_its_place(said: str) -> None:
    [reject] = rejected(document(record(), record(start=said)))
    assert (reject.where, reject.line) == ("Record 2", 4)


def test_what_else_a_record_says_is_kept() -> None:
    device = "&lt;&lt;HKDevice: 0x1&gt;, name:Apple Watch, model:Watch, hardware:Watch6,2, software:9.1&gt;"
    metadata = "".join(
        f'<MetadataEntry key="{key}" value="{value}"/>'
        for key, value in {
            "HKWasUserEntered": "1",
            "HKTimeZone": "Europe/Paris",
            "device": "other",
            "until": "",
        }.items()
    )
    end, written = "2026-02-10 09:00:00 +0100", "2026-02-10 09:01:00 +0000"
    [found] = records(document(record(inside=metadata, device=device, endDate=end, creationDate=written)))
    assert found.fields == {
        "measure": "heart rate",
        "until": "2026-02-10T09:00:00+01:00",
        "device": "Apple Watch (Watch6,2, 9.1)",
        "creationdate": "2026-02-10T09:01:00Z",
        "method": "by hand",
        "time zone": "Europe/Paris",
        "device too": "other",
    }
    kind = kinds.every()["health.measurement"]
    assert {"value", "creationdate", "activity"} <= set(kind.fields)
    assert kind.fields["until"].read(found.fields["until"]) == found.fields["until"]


def _food(*rows: str) -> str:
    return f'<Correlation type="HKCorrelationTypeIdentifierFood">{"".join(rows)}</Correlation>'


def test_a_record_that_stands_by_itself_and_in_a_correlation_is_counted_once() -> None:
    one, two = record(1, SUGAR), record(2, SUGAR)
    assert len(records(document(one, two, _food(one, two)))) == 2
    assert len(records(document(_food(one, two), two, one))) == 2
    assert len(records(document(one, one, _food(one)))) == 2
    assert len(records(document(_food(one), _food(one), one, one))) == 2


def test_a_record_that_stands_in_a_correlation_alone_is_not_lost() -> None:
    assert [each.amount for each in records(document(record(1, SUGAR), _food(record(2, SUGAR), record(1, SUGAR))))] == [
        1,
        2,
    ]


def test_the_same_moment_exported_in_summer_and_in_winter_is_one_fact(store: Store) -> None:
    moment = datetime(2026, 2, 10, 23, 30, tzinfo=timezone(timedelta(hours=1)))
    beats = [moment + timedelta(minutes=minute) for minute in (0, 1, 45)]
    for offset, stored in ((1, 3), (2, 0), (-7, 0)):
        zone = timezone(timedelta(hours=offset))
        rows = [record(start=f"{each.astimezone(zone):%Y-%m-%d %H:%M:%S %z}") for each in beats]
        report = importing.import_bytes(store, document(*rows), "export.xml")
        assert (report.read, report.stored, report.duplicate) == (3, stored, 3 - stored)
    with store.read() as connection:
        assert len(list(timeline.matching(connection, Query()))) == 3


def test_the_address_of_a_device_in_memory_and_its_name_make_no_other_fact(store: Store) -> None:
    one = document(record(device="&lt;&lt;HKDevice: 0x1&gt;, name:Watch&gt;", sourceName="Ann’s Watch"))
    other = document(record(device="&lt;&lt;HKDevice: 0x2&gt;, name:Watch&gt;", sourceName="Anna’s Watch"))
    assert [importing.import_bytes(store, data, "export.xml").stored for data in (one, other)] == [1, 0]


def test_the_clinical_document_beside_it_is_another_format() -> None:
    assert not apple_health.identify(
        b'<?xml version="1.0"?><ClinicalDocument xmlns="urn:hl7-org:v3">', "export_cda.xml"
    )
    assert not apple_health.identify(b"<notes><HealthData locale='x'></notes>", "export.xml")
    dtd = b"<!DOCTYPE HealthData [\n<!ATTLIST a b CDATA #REQUIRED>\n]>"
    assert apple_health.identify(b'<?xml version="1.0"?>' + dtd + b'<HealthData locale="en">', "any.xml")


def test_what_foods_say_as_a_whole_is_told_to_be_left_in_the_file() -> None:
    named = _food('<MetadataEntry key="HKFoodType" value="Banana"/>', record(1, SUGAR))
    assert [each.message for each in items(document(named)) if isinstance(each, Warned)]


def test_memory_does_not_grow_with_the_file() -> None:
    def peak(count: int) -> int:
        def pieces() -> Iterator[bytes]:
            yield b"<HealthData>"
            for number in range(count):
                yield "".join(record(number * 1000 + each, SUGAR) for each in range(100)).encode()

        tracemalloc.start()
        for _ in apple_health.extract_forward(pieces(), apple_health.Options()):
            pass
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    peak(3)
    assert peak(100) < 2 * peak(20)


@pytest.mark.parametrize(
    "data",
    [
        document("<Correlation>" * 100_000),
        document("<Record>" + '<MetadataEntry key="a" value="b"/>' * 100_000),
        document('<Record type="' + "A" * 900_000 + '" value="1"/>'),
        document(record(device="name:" * 100_000)),
        document(record("9" * 1_000_000)),
        document(record(start="2" * 1_000_000)),
        document(*(record("x") for _ in range(20_000))),
    ],
    ids=["deep", "metadata", "type", "device", "value", "time", "rejects"],
)
def test_hostile_files_take_linear_time(data: bytes) -> None:
    """Ten seconds is far more than it takes; a quadratic reader would take hours."""
    began = time.process_time()
    assert items(data)
    assert time.process_time() - began < 10
