"""Configuration: every mistake at once, each with its place, and none taken for something else."""

import re
import shutil
from dataclasses import dataclass, fields, replace
from decimal import Decimal
from pathlib import Path
from types import ModuleType

import pytest

from appliance import config, links, meters
from appliance.config import MeterConfig, found_meters, load, options_from, write_meters
from appliance.doors import Doors
from appliance.errors import UserError
from appliance.meters import dsmr


def _problems(folder: Path, text: str) -> list[str]:
    (folder / config.FILE).write_text(text)
    with pytest.raises(UserError) as raised:
        load(folder)
    assert all(str(folder / config.FILE) in problem for problem in raised.value.problems)
    return list(raised.value.problems)


def test_a_folder_without_a_file_has_the_defaults(tmp_path: Path) -> None:
    found = load(tmp_path)
    assert (found.zone, found.database_url, found.flush_seconds, found.seal_seconds) == (None, None, 10, 300)
    assert (found.meters, found.data) == ((), tmp_path)


def test_everything_that_is_said_is_read(tmp_path: Path) -> None:
    (tmp_path / config.FILE).write_text(
        '[household]\nzone = "Europe/Brussels"\n[database]\nurl = "postgresql://x"\n'
        "[collector]\nflush_seconds = 2.5\nseal_seconds = 60\n"
        '[meters.house]\nlink = "serial"\nmeter = "dsmr"\nzone = "Europe/London"\nserial = { path = "/dev/x" }\n'
    )
    found = load(tmp_path)
    assert (found.zone, found.database_url) == ("Europe/Brussels", "postgresql://x")
    assert (found.flush_seconds, found.seal_seconds) == (2.5, 60)
    assert found.meters == (MeterConfig("house", "serial", "dsmr", "Europe/London", {"path": "/dev/x"}, {}),)


def test_what_the_household_said_holds_until_the_file_says_something_else(tmp_path: Path) -> None:
    config.write_household(tmp_path, zone="Europe/London")
    assert load(tmp_path).zone == "Europe/London"
    (tmp_path / config.FILE).write_text('[household]\nzone = "Europe/Brussels"\n')
    assert load(tmp_path).zone == "Europe/Brussels"


@pytest.mark.parametrize("said", ['"Eur"', '"EURO"', '""', "5", '"\\u00c9UR"'])
def test_a_currency_is_three_capital_letters(tmp_path: Path, said: str) -> None:
    [problem] = _problems(tmp_path, f"[household]\ncurrency = {said}\n")
    assert "household.currency" in problem
    assert "such as EUR" in problem
    (tmp_path / config.FILE).write_text('[household]\ncurrency = "EUR"\n')
    assert load(tmp_path).currency == "EUR"


def test_every_mistake_is_said_at_once(tmp_path: Path) -> None:
    found = _problems(
        tmp_path,
        '[household]\nzone = "Mars/Olympus"\ncolour = "red"\n[database]\nurl = 5\n[collector]\nflush_seconds = -1\n'
        'seal_seconds = true\n[meters.a]\nlink = "serial"\n[meters.b]\nlink = "tcp"\nmeter = "dsmr"\nspeed = 3\n'
        'tcp = 5\nzone = 7\n[wifi]\nname = "x"\n',
    )
    said = "\n".join(found)
    for place in (
        "household.zone",
        "household.colour",
        "database.url",
        "collector.flush_seconds",
        "collector.seal_seconds",
        "meters.a: says no meter",
        "meters.b: 'speed'",
        "meters.b.tcp",
        "meters.b.zone",
        "wifi: is not a section",
    ):
        assert place in said
    assert len(found) == 10


@pytest.mark.parametrize("section", ["household", "database", "collector", "meters"])
def test_a_section_that_is_none_is_said(tmp_path: Path, section: str) -> None:
    assert any(f"{section}: is not a table" in each for each in _problems(tmp_path, f"{section} = 3\n"))


@pytest.mark.parametrize("text", ["[household", "zone = ", "\udcff", "[a]\nx = 1\nx = 2"])
def test_a_file_that_is_no_toml_is_said_with_its_path(tmp_path: Path, text: str) -> None:
    (tmp_path / config.FILE).write_text(text, errors="surrogateescape")
    with pytest.raises(UserError, match="mend the file") as raised:
        load(tmp_path)
    assert str(tmp_path / config.FILE) in raised.value.problems[0]


# ---- where data lies ----


def test_the_environment_says_where_data_lies() -> None:
    assert config.default_folder({"INGLENOOK_DATA": "/x/y"}) == Path("/x/y")
    assert config.default_folder({"XDG_DATA_HOME": "/x"}) == Path("/x/inglenook")
    assert config.default_folder({}) == Path.home() / ".local" / "share" / "inglenook"


def test_under_systemd_data_lies_in_the_system_s_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "lib"
    folder.mkdir()
    monkeypatch.setattr(config, "SYSTEM_FOLDER", folder)
    environment = {"INVOCATION_ID": "1", "XDG_DATA_HOME": "/x"}
    assert config.default_folder(environment) == folder
    assert config.default_folder(environment | {"INGLENOOK_DATA": "/y"}) == Path("/y")
    shutil.rmtree(folder)
    assert config.default_folder(environment) == Path("/x/inglenook")


# ---- options ----


@dataclass(frozen=True)
class Options:
    """What a link could have."""

    path: str
    baud: int = 115_200
    pause: float = 0.5
    price: Decimal = Decimal(0)
    inverted: bool = False
    file: Path | None = None

    def __post_init__(self) -> None:
        if self.baud <= 0:
            raise UserError(["baud: is not a speed", "baud: really"])


def test_options_say_the_same_as_toml_and_as_texts() -> None:
    wanted = Options("/dev/x", 9600, 2.0, Decimal("0.10"), True, Path("f"))
    texts = {"path": "/dev/x", "baud": "9600", "pause": "2", "price": "0.10", "inverted": "TRUE", "file": "f"}
    assert options_from(Options, texts, "x") == wanted
    assert options_from(Options, {**texts, "baud": 9600, "pause": 2, "inverted": True}, "x") == wanted


def test_every_wrong_option_is_said_with_its_place() -> None:
    wrong = {"baud": "fast", "pause": True, "price": "dear", "inverted": "perhaps", "colour": 1}
    with pytest.raises(UserError) as raised:
        options_from(Options, wrong, "meters.house.serial")
    said = raised.value.problems
    assert len(said) == 6
    assert all(problem.startswith("meters.house.serial") for problem in said)
    assert "meters.house.serial.path: is missing" in said
    assert "'fast' is not a whole number" in "\n".join(said)


def test_what_options_find_wrong_themselves_has_the_place_too() -> None:
    with pytest.raises(UserError) as raised:
        options_from(Options, {"path": "x", "baud": 0}, "here")
    assert raised.value.problems == ("here: baud: is not a speed", "here: baud: really")


def test_meters_that_the_page_writes_are_read_again_and_a_person_s_own_go_first(tmp_path: Path) -> None:
    found = (
        MeterConfig("house", "serial", "dsmr", "Europe/Brussels", {"path": '/dev/"tty"', "baudrate": 9600}, {}),
        MeterConfig("the attic's", "mqtt", "tasmota", None, {"tls": True, "host": "h"}, {"factor": Decimal("0.10")}),
    )
    write_meters(tmp_path, found)
    assert (tmp_path / "meters.toml").stat().st_mode & 0o777 == 0o600
    assert load(tmp_path).meters == (
        found[0],
        replace(found[1], meter_options={"factor": 0.1}),
    )
    (tmp_path / "inglenook.toml").write_text('[meters.house]\nlink = "tcp"\nmeter = "sml"\n')
    assert [(each.name, each.link) for each in load(tmp_path).meters] == [("house", "tcp"), ("the attic's", "mqtt")]
    assert [each.name for each in found_meters(tmp_path)] == ["house", "the attic's"]


def test_what_a_meter_measures_and_where_meters_are_looked_for_is_configured(tmp_path: Path) -> None:
    assert load(tmp_path).ports[0] == "/dev/serial/by-id/*"
    write_meters(tmp_path, [MeterConfig("roof", "serial", "sml", role="solar")])
    (tmp_path / "inglenook.toml").write_text(
        '[collector]\nports = ["/dev/ttyX*"]\nbroker = "broker.local"\nnetwork = false\none_wire = ""\ngpio = []\n'
    )
    config = load(tmp_path)
    assert (config.ports, config.broker, config.network) == (("/dev/ttyX*",), "broker.local", False)
    assert [each.role for each in config.meters] == ["solar"]
    (tmp_path / "inglenook.toml").write_text(
        '[collector]\nports = "/dev/ttyX"\nbroker = 1\nnetwork = "no"\n'
        '[meters.a]\nlink = "serial"\nmeter = "sml"\nrole = "Solar!"\n'
    )
    with pytest.raises(UserError) as told:
        load(tmp_path)
    said = "\n".join(told.value.problems)
    for place in ("collector.ports", "collector.broker", "collector.network", "meters.a.role"):
        assert f"{place}: " in said


def test_a_name_in_any_script_does_not_break_the_file(tmp_path: Path) -> None:
    found = [MeterConfig('𠮷 \x7f\x01\n"', "serial", "sml", "Asia/Tokyo", {"path": "/dev/😀\x7f"}, {})]
    write_meters(tmp_path, found)
    assert found_meters(tmp_path) == found


def test_what_is_wrong_with_either_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "inglenook.toml").write_text("[wifi]\n")
    (tmp_path / "meters.toml").write_text("[meters.house]\n")
    with pytest.raises(UserError) as told:
        load(tmp_path)
    assert ["inglenook.toml" in each for each in told.value.problems] == [True, False]
    assert "meters.toml: meters.house: says no link" in told.value.problems[1]


def test_a_secret_s_value_is_in_no_message(tmp_path: Path) -> None:
    with pytest.raises(UserError) as told:
        options_from(dsmr.Options, {"key": 31415926535897932384, "authentication_key": [27182818]}, "meters.house.dsmr")
    assert told.value.problems == (
        "meters.house.dsmr.key: is no text; put it in quotes",
        "meters.house.dsmr.authentication_key: is no text; put it in quotes",
    )
    meter = MeterConfig("house", "mqtt", "dsmr", None, {"password": "31415926"}, {"key": "27182818"})
    write_meters(tmp_path, [meter])
    assert (tmp_path / config.METERS_FILE).stat().st_mode & 0o777 == 0o600
    assert found_meters(tmp_path) == [meter]
    assert not any(secret in repr(meter) for secret in ("31415926", "27182818"))


@pytest.mark.parametrize("package", [links, meters])
def test_what_is_a_secret_is_not_shown_where_its_options_are(package: ModuleType) -> None:
    for name in package.names():
        for each in fields(package.named(name).Options):
            called = re.search(r"key|password|token|header", each.name) and not each.name.endswith("_file")
            assert bool(called) == bool(each.metadata.get("secret")), f"{name}.{each.name}"
            assert each.repr is not bool(each.metadata.get("secret")), f"{name}.{each.name}"


def test_the_dashboard_is_plain_and_on_this_machine_alone_until_it_is_said(tmp_path: Path) -> None:
    assert load(tmp_path).doors == Doors(https=False)
    (tmp_path / config.FILE).write_text('[dashboard]\nhttps = true\nname = "hearth.local"\nport = 8443\n')
    assert load(tmp_path).doors == Doors(https=True, name="hearth.local", port=8443, plain_port=80)


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("port = 0", "0 is not a port"),
        ("plain_port = 443", "port and plain_port are both 443"),
        ('name = "Hearth"', "'Hearth' is not a name"),
        ('name = "a..local"', "is not a name"),
        ('https = "yes"', "'yes' is neither true nor false"),
        ("colour = 1", "'colour' is not an option"),
    ],
)
def test_a_door_that_cannot_be_is_said(tmp_path: Path, said: str, problem: str) -> None:
    [told] = _problems(tmp_path, f"[dashboard]\n{said}\n")
    assert problem in told
    assert "dashboard" in told
