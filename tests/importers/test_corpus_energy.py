"""Meters' files that no one here wrote, against a second, naive reading of the same bytes."""

import csv
import io
import zipfile
from collections import Counter, defaultdict
from datetime import datetime
from decimal import Decimal

from appliance.content import InMemory
from appliance.ingest import importing
from appliance.store.database import Store
from tests.contracts.importers import keeps_the_rules
from tests.corpus import corpus_file
from tests.meter_files import blocks, read, rejects, times, total, values

MINUTES = "energy/uci-household-power-minutes.zip"
COLUMNS = {
    "electricity.power": ("Global_active_power", 1),
    "electricity.reactive.power": ("Global_reactive_power", 1),
    "electricity.voltage": ("Voltage", 1),
    "electricity.current": ("Global_intensity", 1),
    "submetering1.electricity.import": ("Sub_metering_1", 1000),
    "submetering2.electricity.import": ("Sub_metering_2", 1000),
    "submetering3.electricity.import": ("Sub_metering_3", 1000),
}


def _rows(data: bytes, delimiter: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig")), delimiter=delimiter))


def _minutes() -> bytes:
    with zipfile.ZipFile(corpus_file(MINUTES)) as archive:
        return archive.read(archive.namelist()[0])


def test_every_minute_of_a_household_comes_out_once_with_its_values() -> None:
    data = _minutes()
    found = read("uci_household_power", data, zone="UTC")
    keeps_the_rules(found, len(data))
    rows = _rows(data, ",")
    there = [row for row in rows if "?" not in row.values()]
    assert (len(rows), len(rows) - len(there)) == (260_640, 3_771)
    assert sum(reject.count for reject in rejects(found)) == 3_771
    assert len(rejects(found)) < 20
    for role, (column, by) in COLUMNS.items():
        assert total(found, role) == sum((Decimal(row[column]) for row in there), Decimal(0)) / by
        assert sum(len(block.values) for block in blocks(found, role)) == len(there)
    at = times(found, "electricity.power")
    assert (at[0], at[-1], len(set(at))) == ("2007-01-01 00:00", "2007-06-30 23:59", len(there))


def test_the_copied_hour_of_a_household_in_paris_is_refused_in_paris() -> None:
    found = read("uci_household_power", _minutes(), zone="Europe/Paris")
    assert [reject.count for reject in rejects(found) if "Europe/Paris" in reject.reason] == [60]
    at = times(found, "electricity.power")
    assert len(at) == len(set(at)) == 260_640 - 3_771 - 60


def test_an_archive_of_minutes_is_imported_and_again_changes_nothing(store: Store) -> None:
    content = InMemory("minutes.zip", corpus_file(MINUTES).read_bytes())
    readings = 7 * (260_640 - 3_771)
    for stored in (readings, 0):
        done = importing.import_every(store, content)
        assert not done.problems
        [report] = done.reports
        assert (report.format, report.rejected) == ("uci_household_power", 3_771)
        assert (report.stored, report.duplicate) == (stored, readings - stored)
        assert report.read == report.stored + report.duplicate + report.rejected


def test_every_quarter_hour_of_fluvius_comes_out_once_with_its_volume_and_validation() -> None:
    data = corpus_file("energy/fluvius-quarter-hours.csv").read_bytes()
    found = read("fluvius", data)
    keeps_the_rules(found, len(data))
    rows = _rows(data, ";")
    assert sum(len(block.values) for block in blocks(found)) + sum(reject.count for reject in rejects(found)) == len(
        rows
    )
    assert sum(reject.count for reject in rejects(found)) == sum(not row["Volume"] for row in rows)
    registers = {
        "Afname Dag": "electricity.import.t1",
        "Afname Nacht": "electricity.import.t2",
        "Injectie Dag": "electricity.export.t1",
        "Injectie Nacht": "electricity.export.t2",
    }
    sums: defaultdict[str, Decimal] = defaultdict(Decimal)
    states: Counter[tuple[str, str]] = Counter()
    for row in rows:
        if row["Volume"]:
            sums[registers[row["Register"]]] += Decimal(row["Volume"].replace(",", "."))
            states[registers[row["Register"]], row["Validatiestatus"]] += 1
    assert {role: total(found, role) for role in registers.values()} == sums
    met: Counter[tuple[str, str]] = Counter()
    for block in blocks(found):
        met[block.role, block.quality] += len(block.values)
    assert met == states
    assert {seconds for block in blocks(found) for seconds in block.seconds} == {900}
    for role in registers.values():
        assert len(set(times(found, role))) == len(times(found, role))


def test_the_day_of_25_hours_in_fluvius_file_has_them_all() -> None:
    """It is a Sunday without a value, so its volumes are written here."""
    lines = corpus_file("energy/fluvius-quarter-hours.csv").read_text("utf-8-sig").splitlines()
    sunday = [line for line in lines if line.startswith("31-10-2021")]
    filled = [line.replace(";;kWh;Geen verbruik", ";0,001;kWh;Geschat") for line in sunday]
    found = read("fluvius", "\n".join([lines[0], *filled]).encode())
    for role in ("electricity.import.t2", "electricity.export.t2"):
        at = times(found, role)
        assert len(at) == len(set(at)) == 100
        assert (min(at), max(at)) == ("2021-10-30 22:00", "2021-10-31 22:45")
    assert not rejects(found)


def test_every_register_of_homewizard_comes_out_as_it_is_written() -> None:
    data = corpus_file("energy/homewizard-quarter-hours.csv").read_bytes()
    found = read("homewizard", data, zone="Europe/Amsterdam")
    keeps_the_rules(found, len(data))
    rows = _rows(data, ",")
    for way in ("Import", "Export"):
        for tariff in (1, 2):
            role = f"electricity.{way.lower()}.t{tariff}"
            assert values(found, role) == [Decimal(row[f"{way} T{tariff} kWh"]) for row in rows]
    written = [datetime.fromisoformat(f"{row['time']}+02:00") for row in rows]
    assert [at_ms for block in blocks(found, "electricity.import.t1") for at_ms in block.at_ms] == [
        int(at.timestamp()) * 1000 for at in written
    ]
    assert not rejects(found)
