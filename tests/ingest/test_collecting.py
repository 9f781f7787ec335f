"""Collecting: a failed link is opened again, one that cannot ever open is said, and a full disk is waited out."""

import threading
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance.config import MeterConfig
from appliance.errors import SourceError, UserError
from appliance.ingest import collecting, frames, spool
from appliance.ingest.clock_zone import ClockZone
from appliance.ingest.collecting import Collection, Spooling, flush_until
from appliance.ingest.spool import SegmentReader, Spool
from appliance.links import replay

SAMPLE = Path(__file__).parents[1] / "samples" / "meters" / "dsmr" / "dsmr50-gas-water-heat.txt"
KEY = X25519PrivateKey.generate()


@pytest.fixture
def spooling(tmp_path: Path) -> Spooling:
    return Spooling(Spool(tmp_path / "spool", KEY.public_key().public_bytes_raw()))


def _collection(spooling: Spooling, path: Path, *, once: bool = False) -> Collection:
    config = MeterConfig("house", "replay", "dsmr", link_options={"path": str(path)})
    return Collection(config, ZoneInfo("UTC"), spooling, once=once)


def test_every_good_telegram_is_spooled_with_its_source(tmp_path: Path, spooling: Spooling) -> None:
    collection = _collection(spooling, SAMPLE)
    collection.run()
    spooling.close()
    [path] = spool.segments(tmp_path / "spool")
    reader = SegmentReader(path, KEY)
    spooled = [frames.from_bytes(payload) for payload in reader.new()]
    reader.close()
    assert len(spooled) == collection.counters.telegrams > 0
    assert {(each.origin.source, each.origin.link, each.origin.meter) for each in spooled} == {
        ("house", "replay", "dsmr")
    }
    assert sum(len(each.readings) for each in spooled) == spooling.readings


def test_a_link_that_fails_is_opened_again_until_it_answers(
    spooling: Spooling, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failures, opened = iter(range(3)), replay.Link.open

    def flaky(link: replay.Link) -> None:
        if next(failures, None) is not None:
            raise SourceError("the plug is out")
        opened(link)

    monkeypatch.setattr(replay.Link, "open", flaky)
    monkeypatch.setattr(collecting, "BACKOFF_S", (0,))
    collection = _collection(spooling, SAMPLE)
    collection.run()
    assert collection.counters.telegrams > 0
    assert collection.health().failures == {"the plug is out": 3}
    assert caplog.text.count("the plug is out") == 1  # what is the same as before is not said again
    spooling.close()


def test_a_link_that_no_trying_mends_is_said_at_once(spooling: Spooling, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="nowhere"):
        _collection(spooling, tmp_path / "nowhere").run()


def test_a_meter_that_is_configured_wrongly_is_said_before_it_is_read(spooling: Spooling) -> None:
    config = MeterConfig("house", "replay", "dsmr", link_options={"path": 5}, meter_options={"x": 1})
    with pytest.raises(UserError, match=r"meters\.house\.replay\.path"):
        Collection(config, ZoneInfo("UTC"), spooling)


@pytest.mark.parametrize(
    ("link", "meter", "words"),
    [
        ("serial", "homewizard", "homewizard cannot be read over serial, only over http or replay; what serial brings"),
        ("http", "dsmr", "only over serial, tcp, simulated or replay; what http brings is read as homewizard, mqtt or"),
        ("pigeon", "dsmr", "no link is called 'pigeon'; there are gpio, "),
        ("serial", "pigeon", "no meter is called 'pigeon'; there are currentcost, "),
    ],
)
def test_a_meter_that_its_link_cannot_bring_is_refused_and_those_that_can_be_are_named(
    spooling: Spooling, link: str, meter: str, words: str
) -> None:
    config = MeterConfig("house", link, meter)
    with pytest.raises(UserError) as told:
        Collection(config, ZoneInfo("UTC"), spooling)
    [problem] = told.value.problems
    assert words in problem


@pytest.mark.parametrize(("zone", "warnings"), [(None, 1), ("Europe/Amsterdam", 0)])
def test_a_clock_whose_zone_nobody_said_is_told_once(
    spooling: Spooling, caplog: pytest.LogCaptureFixture, zone: str | None, warnings: int
) -> None:
    config = MeterConfig("house", "replay", "dsmr", link_options={"path": str(SAMPLE)})
    Collection(config, ClockZone.of(zone), spooling).run()
    spooling.close()
    assert caplog.text.count("house: nobody said in which time zone its clock is") == warnings


def test_a_spool_that_cannot_be_written_is_flushed_again(caplog: pytest.LogCaptureFixture) -> None:
    class Full:
        flushes = 0

        def flush(self) -> None:
            self.flushes += 1
            if self.flushes < 3:
                raise OSError(28, "No space left on device")
            stopping.set()

    stopping, full = threading.Event(), Full()
    flush_until(stopping, full, 0, lambda: False)  # type: ignore[arg-type]
    assert full.flushes == 3
    assert caplog.text.count("readings wait in memory") == 2


def test_what_a_meter_measures_stands_before_its_own_roles(tmp_path: Path, spooling: Spooling) -> None:
    config = MeterConfig("roof", "replay", "dsmr", link_options={"path": str(SAMPLE)}, role="solar")
    Collection(config, ZoneInfo("UTC"), spooling).run()
    spooling.close()
    [path] = spool.segments(tmp_path / "spool")
    reader = SegmentReader(path, KEY)
    roles = {each.role for payload in reader.new() for each in frames.from_bytes(payload).readings}
    reader.close()
    assert "solar.electricity.import.t1" in roles
    assert all(role.startswith("solar.") for role in roles)
