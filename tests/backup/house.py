"""A household worth backing up, and what all of it says: equal before a disaster and after."""

from contextlib import closing
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from appliance import archiving, people
from appliance.config import METERS_FILE, Config, load
from appliance.ingest import frames, importing, sealing
from appliance.ingest.frames import Origin
from appliance.ingest.spool import Spool
from appliance.people import Household
from appliance.records import Frame, MeterReading
from appliance.store import series as series_store
from appliance.store.database import HOME, open_store
from appliance.store.keys import KeyRing
from services import setup
from tests.exports import content, exported
from tests.p1_cable import COUNTER
from tests.statements import Row, ofx

NOW = datetime(2026, 3, 1, 3, tzinfo=UTC)
ADA, BEN = "ada", "ben"
PASSWORD, PASSPHRASE = "a hearth of words", "five words that fit badly"
DISK = "disk"


class House:
    """A claimed box of two people, one of whose stores is locked; and the words of its kits."""

    def __init__(self, data: Path) -> None:
        self.config, self.ring = load(data), KeyRing(data)
        self.words = dict[str, list[str]]()

    def furnish(self) -> None:
        data = self.config.data
        setup.make(data)
        with open_store(load(data)) as home:
            people.claim(load(data), home, Household("Home Farm", "Europe/London", "GBP"), "Ada", PASSWORD)
            people.add(load(data), home, "Ben", PASSWORD)
        self.config = load(data)
        for name in (HOME, ADA, BEN):
            self.bring(name, 1)
        with open_store(self.config) as home:
            archiving.make(home, self.ring.folder(HOME), "money.transaction", date(2026, 1, 3))
        self.words = {name: self.ring.make_kit(name) for name in (HOME, ADA, BEN)}
        self.ring.prove_kit(BEN, self.words[BEN])
        self.ring.lock(BEN, self.ring.open(BEN), PASSPHRASE)
        self.spool(range(10))

    def bring(self, name: str, month: int) -> None:
        """A statement more in a store."""
        rows = [Row(date(2026, month, day), f"-{day}.50", name, "x" * 200) for day in range(1, 29)]
        with open_store(self.config, name) as store:
            importing.import_bytes(store, ofx(rows), f"{month}.ofx", zone="Europe/London")

    def meter(self) -> None:
        """A meter that the page found and a person named."""
        simulated = 'link = "simulated"\nmeter = "dsmr"\nzone = "Europe/London"\n\n[meters.house.simulated]\n'
        text = f'[meters.house]\n{simulated}zone = "Europe/London"\nseed = 1\n'
        (self.config.data / METERS_FILE).write_text(text, encoding="utf-8")

    def spool(self, seconds: range) -> None:
        """A reading a second that is in the spool and not in the store yet."""
        with closing(Spool(self.config.spool, self.ring.public(HOME))) as spooling:
            for second in seconds:
                reading = MeterReading(COUNTER, second * 1000, Decimal(second), "kWh", stated=True)
                origin = Origin("house", "serial", "dsmr", "boot")
                spooling.append(frames.to_bytes(origin, Frame("E1", (reading,))))
            spooling.flush()


def exports(config: Config, ring: KeyRing, folder: Path) -> dict[str, dict[str, object]]:
    """What every store says, readings of the spool included."""
    with open_store(config) as home:
        sealing.seal_all(home, config.spool)
    found = {}
    for name in (HOME, ADA, BEN):
        passphrase = PASSPHRASE if ring.facts(name).is_locked else None
        with open_store(config, name, passphrase=passphrase) as store:
            found[name] = content(exported(config, store, folder / name))
    return found


def readings(config: Config) -> list[int]:
    with open_store(config) as home, home.read() as connection:
        found = series_store.every(connection, COUNTER)
        values = [series_store.read_all(connection, each, 0, 1 << 62).values for each in found]
    return sorted(int(value) // 10**6 for each in values for value in each)
