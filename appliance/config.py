"""Configuration: TOML in the data folder and environment -> frozen dataclasses, every problem at once.

`inglenook.toml` is written by the person (or the image), `household.toml` by the dashboard when the box is claimed, and
`meters.toml` by the page that finds meters, with the same `[meters.NAME]` tables:

    [household]
    zone = "Europe/Amsterdam"
    currency = "EUR"                                     # what amounts in others are worked out in

    [database]
    url = "postgresql+psycopg://inglenook@/inglenook"    # absent: one encrypted SQLite file a store

    [collector]
    flush_seconds = 10                                   # what a power cut may cost at most
    seal_seconds = 300                                   # how often the spool goes into the store
    ports = ["/dev/serial/by-id/*"]                      # where meters are looked for; absent: every serial port
    broker = "broker.local"                              # ... on which MQTT broker; absent: one on this machine
    network = false                                      # ... and not on the home's network
    one_wire = ""                                        # ... nor on the 1-wire bus
    gpio = []                                            # ... nor at pins

    [dashboard]
    https = true                                         # to the whole home; absent: plain, to this machine alone
    name = "inglenook.local"
    port = 443
    plain_port = 80                                      # leads to HTTPS, and to the certificate to trust

    [update]
    url = "https://..."                                  # where releases are looked for every day; absent: nowhere

    [meters.house]                                       # "house" names the source
    link = "serial"
    meter = "dsmr"
    zone = "Europe/Amsterdam"                            # the meter's own, where it is not the household's
    role = "solar"                                       # what it measures: solar.electricity.import
    serial = { path = "/dev/ttyUSB0" }                   # the link's options
    dsmr = {}                                            # the meter's options
"""

import os
import re
import sys
import tomllib
import typing
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from appliance import shared, toml_text
from appliance.doors import Doors
from appliance.errors import UserError
from appliance.options import options_from as options_from
from appliance.options import secrets_of as secrets_of

SYSTEM_FOLDER = Path("/var/lib/inglenook")
FILE = "inglenook.toml"
DEFAULT = Path(sys.prefix, "systemd", "defaults", FILE)
"""What an appliance's data folder begins with (systemd/tmpfiles.d); it lies in the release, and nowhere else."""

HOUSEHOLD_FILE = "household.toml"
METERS_FILE = "meters.toml"
PORTS = (
    "/dev/serial/by-id/*",
    "/dev/serial/by-path/*",
    "/dev/ttyUSB*",
    "/dev/ttyACM*",
    "/dev/ttyAMA*",
    "/dev/ttyS*",
)
"""Where meters are looked for. Of several names of one port the first is kept: a USB adapter's own stays the same."""

BROKER = "127.0.0.1"
ONE_WIRE = "/sys/bus/w1/devices"
GPIO = ("/dev/gpiochip*",)
_ROLE = re.compile(r"[a-z0-9]+(\.[A-Za-z0-9_-]+)*")
DELETING = "deleting"  # the folder that says which deletions have begun and did not end
RESTORED = "restored"  # a backup that was brought back, and is to take its place
WIFI_UNWANTED = "wifi-unwanted"  # in DIR/run, of a box that was reset: whoever may, forgets the passphrase


@dataclass(frozen=True, slots=True)
class MeterConfig:
    """One configured meter: which protocol over which link, in which zone. Its name is the source's.

    `role` stands before the roles of what it states, "" for a meter of the whole house.
    """

    name: str
    link: str
    meter: str
    zone: str | None = None
    link_options: Mapping[str, Any] = field(default_factory=dict, repr=False)  # a password may be among them
    meter_options: Mapping[str, Any] = field(default_factory=dict, repr=False)
    role: str = ""


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that is configured. Paths are absolute."""

    data: Path
    zone: str | None = None
    currency: str = ""  # the household's, "" where only its claim says it
    database_url: str | None = None
    flush_seconds: float = 10
    seal_seconds: float = 300
    ports: tuple[str, ...] = PORTS
    broker: str = BROKER
    network: bool = True
    one_wire: str = ONE_WIRE
    gpio: tuple[str, ...] = GPIO
    doors: Doors = field(default_factory=Doors)
    meters: tuple[MeterConfig, ...] = ()
    update_url: str = ""  # where releases are looked for, "" for nowhere

    @property
    def stores(self) -> Path:
        return self.data / "stores"

    @property
    def inbox(self) -> Path:
        return self.data / "inbox"

    def store_names(self) -> list[str]:
        """Every store that is there."""
        return store_names(self.data)

    @property
    def spool(self) -> Path:
        return self.data / "spool"

    @property
    def run(self) -> Path:
        """What is only while the box runs: its lock, and the collector's socket."""
        return self.data / "run"


def store_names(data: Path) -> list[str]:
    """Every store of a data folder, one that has lost its keys or its database included."""
    return sorted({path.parent.name for name in ("keys.json", "store.db") for path in data.glob(f"stores/*/{name}")})


def default_folder(environment: Mapping[str, str] = os.environ, *, demo: bool = False) -> Path:
    """Where data lies when nobody says: $INGLENOOK_DATA, under systemd /var/lib/inglenook, else the XDG data folder.

    A demo's is ./demo: its simulated house never comes into a real one.
    """
    if said := environment.get("INGLENOOK_DATA"):
        return Path(said)
    if demo:
        return Path("demo")
    if "INVOCATION_ID" in environment and SYSTEM_FOLDER.is_dir():
        return SYSTEM_FOLDER
    xdg = environment.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(xdg) / "inglenook"


def load(data: Path) -> Config:
    """The configuration of a data folder; UserError with every problem of it."""
    folder = data.expanduser().absolute()
    document = _document(folder / FILE)
    household = {**_table(_document(folder / HOUSEHOLD_FILE), "household"), **_table(document, "household")}
    reader = _Reader(folder / FILE, document)
    found = _Reader(folder / METERS_FILE, _document(folder / METERS_FILE))
    meters = {meter.name: meter for meter in (*found.meters(), *reader.meters())}  # what a person wrote goes first
    config = Config(
        data=folder,
        zone=reader.zone(household.get("zone"), "household.zone"),
        currency=reader.currency("household", "currency"),
        database_url=reader.text("database", "url"),
        flush_seconds=reader.seconds("collector", "flush_seconds", 10),
        seal_seconds=reader.seconds("collector", "seal_seconds", 300),
        ports=reader.patterns("collector", "ports", PORTS),
        broker=reader.text("collector", "broker", BROKER) or "",
        network=reader.flag("collector", "network", default=True),
        one_wire=reader.text("collector", "one_wire", ONE_WIRE) or "",
        gpio=reader.patterns("collector", "gpio", GPIO),
        doors=reader.doors(),
        meters=tuple(meters.values()),
        update_url=reader.address("update", "url"),
    )
    for each in (reader, found):
        each.unknown()
    if problems := [*reader.problems, *found.problems]:
        raise UserError(problems)
    return config


def write_household(data: Path, *, zone: str) -> None:
    """Keeps what the household said on the claim page, for the services that read no store."""
    _write(data / HOUSEHOLD_FILE, f"[household]\nzone = {toml_text.text(zone)}\n")


def write_meters(data: Path, meters: typing.Iterable[MeterConfig]) -> None:
    """Keeps the meters that were found and named on the page; the collector begins to read them by itself."""
    _write(data / METERS_FILE, "\n".join(map(_meter_as_toml, meters)))


def found_meters(data: Path) -> list[MeterConfig]:
    """The meters that were found and named on the page, without those that a person wrote into `inglenook.toml`."""
    return list(_Reader(data / METERS_FILE, _document(data / METERS_FILE)).meters())


def _meter_as_toml(meter: MeterConfig) -> str:
    tables = {meter.link: dict(meter.link_options)}
    tables.setdefault(meter.meter, {}).update(meter.meter_options)  # one table, where both have one name
    said = {"link": meter.link, "meter": meter.meter, "zone": meter.zone or None, "role": meter.role or None}
    return toml_text.table(("meters", meter.name), {**said, **tables})


def _write(path: Path, text: str) -> None:
    scratch = path.with_suffix(".new")
    scratch.touch(mode=0o600)  # a link may need a password
    scratch.write_text(f"# written by Inglenook\n{text}", encoding="utf-8")
    scratch.chmod(shared.file_mode(path.parent))
    scratch.replace(path)


def _document(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise UserError(f"{path}: {error}; mend the file or move it away") from None


def _table(document: dict[str, Any], name: str) -> dict[str, Any]:
    """A section, empty where it is none; `unknown` says what is wrong with it then."""
    table = document.get(name, {})
    return table if isinstance(table, dict) else {}


class _Reader:
    """Reads one document section by section, and gathers what is wrong with it."""

    SECTIONS: typing.ClassVar = {
        "household": {"zone", "currency"},
        "database": {"url"},
        "collector": {"flush_seconds", "seal_seconds", "ports", "broker", "network", "one_wire", "gpio"},
        "dashboard": None,
        "meters": None,
        "update": {"url"},
    }

    def __init__(self, path: Path, document: dict[str, Any]) -> None:
        self.path, self.document, self.problems = path, document, list[str]()

    def _value(self, section: str, key: str) -> Any:
        return _table(self.document, section).get(key)

    def _problem(self, place: str, text: str) -> None:
        self.problems.append(f"{self.path}: {place}: {text}")

    def text(self, section: str, key: str, default: str | None = None) -> str | None:
        value = self._value(section, key)
        if value is None:
            return default
        if not isinstance(value, str):
            self._problem(f"{section}.{key}", f"{value!r} is not a text; write it in quotes")
            return None
        return value

    def seconds(self, section: str, key: str, default: float) -> float:
        value = self._value(section, key)
        if value is None:
            return default
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value <= 86_400:
            self._problem(f"{section}.{key}", f"{value!r} is not a number of seconds between 0 and 86400")
            return default
        return float(value)

    def flag(self, section: str, key: str, *, default: bool) -> bool:
        value = self._value(section, key)
        if value is not None and not isinstance(value, bool):
            self._problem(f"{section}.{key}", f"{value!r} is neither true nor false")
            return default
        return default if value is None else value

    def patterns(self, section: str, key: str, default: tuple[str, ...]) -> tuple[str, ...]:
        value = self._value(section, key)
        if value is None:
            return default
        if not isinstance(value, list) or not all(isinstance(each, str) and each for each in value):
            self._problem(f"{section}.{key}", f'{value!r} is no list of ports; write {key} = ["/dev/serial/by-id/*"]')
            return default
        return tuple(value)

    def address(self, section: str, key: str) -> str:
        value = self.text(section, key, "") or ""
        if value and not value.startswith("https://"):
            self._problem(
                f"{section}.{key}", f"{value!r} is no address that is safe; write one that begins with https://"
            )
            return ""
        return value

    def role(self, value: Any, place: str) -> str:
        if value is None or (isinstance(value, str) and _ROLE.fullmatch(value)):
            return value or ""
        self._problem(place, f"{value!r} is no role; write one such as solar, in small letters")
        return ""

    def zone(self, value: Any, place: str) -> str | None:
        if value is None:
            return None
        if not is_zone(value):
            self._problem(place, f"{value!r} is not a time zone; write one such as Europe/London")
            return None
        return str(value)

    def currency(self, section: str, key: str) -> str:
        value = self._value(section, key)
        if value is not None and not (isinstance(value, str) and re.fullmatch("[A-Z]{3}", value)):
            self._problem(f"{section}.{key}", f"{value!r} is no currency; write its three capital letters, such as EUR")
            return ""
        return value or ""

    def doors(self) -> Doors:
        try:
            return options_from(Doors, _table(self.document, "dashboard"), "dashboard")
        except UserError as error:
            self.problems += [f"{self.path}: {problem}" for problem in error.problems]
            return Doors()

    def meters(self) -> typing.Iterator[MeterConfig]:
        for name, table in _table(self.document, "meters").items():
            place = f"meters.{name}"
            if not isinstance(table, dict):
                self._problem(place, f"is not a table; write [meters.{name}] and link and meter below it")
                continue
            if missing := [key for key in ("link", "meter") if not isinstance(table.get(key), str)]:
                self._problem(place, f"says no {' and no '.join(missing)}; see inglenook links and inglenook meters")
                continue
            link, meter = table["link"], table["meter"]
            for key in sorted(set(table) - {"link", "meter", "zone", "role", link, meter}):
                self._problem(
                    place, f"{key!r} is not known here; options stand in {link} = {{...}} and {meter} = {{...}}"
                )
            for key in (key for key in (link, meter) if not isinstance(table.get(key, {}), dict)):
                self._problem(f"{place}.{key}", f"is not a table; write {key} = {{...}}")
            zone = self.zone(table.get("zone"), f"{place}.zone")
            role = self.role(table.get("role"), f"{place}.role")
            yield MeterConfig(name, link, meter, zone, _table(table, link), _table(table, meter), role)

    def unknown(self) -> None:
        for section, table in self.document.items():
            if section not in self.SECTIONS:
                self._problem(section, f"is not a section; there are {', '.join(self.SECTIONS)}")
            elif not isinstance(table, dict):
                self._problem(section, f"is not a table; write [{section}]")
            elif (keys := self.SECTIONS[section]) is not None:
                for key in sorted(set(table) - keys):
                    self._problem(f"{section}.{key}", f"is not known; there are {', '.join(sorted(keys))}")


def is_zone(name: object) -> bool:
    """Whether it is the name of a time zone."""
    try:
        ZoneInfo(name)  # type: ignore[arg-type]
    except (ZoneInfoNotFoundError, ValueError, TypeError, OSError):
        return False
    return True
