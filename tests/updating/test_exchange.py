"""The update keeps what is good and takes back what is not, and a power cut at any step leaves one whole release."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import text

from appliance.cli import main
from appliance.config import Config, load
from appliance.errors import UserError
from appliance.store import migrations
from appliance.store.database import HOME, NewerStoreError, open_store
from appliance.store.keys import KeyRing
from appliance.updating import exchange, putting, stores
from appliance.updating.places import BACK, GOOD, REFUSED
from services import setup
from tests import disks
from tests.updating.box import Box

AT = datetime(2026, 3, 1, 3, tzinfo=UTC)
CARD_BYTES = 64 << 20
NEXT = "9999"
"""A layout of stores that no release has yet."""


class Cut(BaseException):
    """The power goes."""


class Services:
    """The box's services: which run, and what is done with them. Stores are really seen to."""

    def __init__(self, box: Box, *, trouble: str = "", cut_at: int = -1, cut: BaseException | None = None) -> None:
        self.box, self.trouble_said, self.cut_at, self.cut = box, trouble, cut_at, cut or Cut()
        self.steps = list[str]()
        self.started: Callable[[], object] = lambda: None

    def _step(self, name: str) -> None:
        if len(self.steps) == self.cut_at:
            self.cut_at = -1
            raise self.cut
        self.steps.append(name)

    def as_user(self, *command: str) -> str:
        self._step(next(each for each in command if each in {*stores.VERBS, "upgrade", "check"}))
        module, *arguments = command[command.index("-m") + 1 :]
        if module == "appliance.updating.stores":
            stores.VERBS[arguments[0]](load(Path(arguments[-1])))
            return ""
        done = CliRunner().invoke(main, arguments)
        if done.exit_code:
            raise UserError(done.stderr)
        return done.stdout

    def prepare(self, folder: Path) -> None:
        self._step(f"prepare {folder.name}")

    def stop(self, *, collector: bool = False) -> None:
        self._step("stop collector" if collector else "stop")

    def start(self, *, scheduler: bool = False) -> None:
        self._step("start scheduler" if scheduler else f"start {self.box.places.current.readlink().name}")
        if not scheduler:
            self.started()

    def reload(self) -> None:
        self._step("reload")

    def heard(self) -> set[str]:
        return {"house"}

    def trouble(self, version: str, heard: set[str]) -> str:
        self._step(f"look for {version} and {', '.join(heard)}")
        assert self.box.places.is_trying(), "nobody is let in meanwhile"
        return self.trouble_said


def test_a_good_release_runs_and_the_one_before_it_is_kept(box: Box, config: Config) -> None:
    box.made("0.2.0")
    services = Services(box)
    last = exchange.update(config, box.places, services)
    assert last
    assert (last.version, last.state, last.problem) == ("0.2.0", GOOD, "")
    assert last == box.places.last()
    assert (box.places.running(), box.places.previous.readlink().name) == ("0.2.0", "0.1.0")
    assert not box.places.is_trying()
    expected = "stop, stop collector, reload, start 0.2.0, look for 0.2.0 and house, start scheduler"
    assert ", ".join(services.steps[2:-1]) == expected, "the collector last and shortest, the scheduler once it is good"


def test_the_third_release_lets_the_first_go(box: Box, config: Config) -> None:
    for version in ("0.2.0", "0.3.0"):
        box.made(version)
        exchange.update(config, box.places, Services(box))
    assert sorted(each.name for each in box.places.releases.iterdir()) == ["0.2.0", "0.3.0"]


def test_without_a_release_nothing_is_done(box: Box, config: Config) -> None:
    services = Services(box)
    assert exchange.update(config, box.places, services) is None
    assert services.steps == []


def test_a_release_that_is_not_taken_stops_nothing_and_is_said(box: Box, config: Config) -> None:
    box.made("0.2.0", box.make_key("stranger"))
    services = Services(box)
    last = exchange.update(config, box.places, services)
    assert last
    assert last.state == REFUSED
    assert "nobody whom this box trusts" in last.problem
    assert (services.steps, box.places.running()) == ([], "0.1.0")


def test_a_release_that_does_not_do_well_is_taken_back(box: Box, config: Config) -> None:
    box.made("0.2.0")
    services = Services(box, trouble="the dashboard did not answer")
    last = exchange.update(config, box.places, services)
    assert last
    assert (last.version, last.state, last.problem) == ("0.2.0", BACK, "the dashboard did not answer")
    assert (box.places.running(), box.places.is_trying()) == ("0.1.0", False)
    assert services.steps[-2:] == ["start 0.1.0", "start scheduler"]
    assert not (box.places.releases / "0.2.0").exists()


def _furnished(config: Config) -> None:
    setup.make(config.data)
    with open_store(config, HOME) as home, home.write() as connection:
        connection.execute(text("CREATE TABLE of_the_house (fact TEXT)"))
        connection.execute(text("INSERT INTO of_the_house VALUES ('kept')"))


def _fact(config: Config) -> str:
    with open_store(config, HOME) as home, home.read() as connection:
        return str(connection.execute(text("SELECT fact FROM of_the_house")).scalar_one())


def _as_a_newer_one(config: Config) -> None:
    """What a newer release does to a store as it opens it."""
    with open_store(config, HOME) as home, home.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :next"), {"next": NEXT})
        connection.execute(text("UPDATE of_the_house SET fact = 'moved'"))


def test_stores_that_a_bad_release_moved_are_put_back_as_they_were(box: Box, config: Config) -> None:
    _furnished(config)
    box.made("0.2.0", layout=NEXT)
    services = Services(box, trouble="the dashboard did not answer")

    def started() -> None:
        if box.places.running() == "0.2.0":
            _as_a_newer_one(config)
            with pytest.raises(NewerStoreError):
                open_store(config, HOME)

    services.started = started
    last = exchange.update(config, box.places, services)
    assert last
    assert last.state == BACK
    assert _fact(config) == "kept"
    assert not list(config.data.glob("update-*")), "no copy is left"


def test_a_release_that_fails_on_copies_of_the_stores_is_never_started(box: Box, config: Config) -> None:
    _furnished(config)
    box.made("0.2.0", layout=NEXT)
    _break(config)
    services = Services(box)
    last = exchange.update(config, box.places, services)
    assert last
    assert last.state == REFUSED
    assert "tried on copies of the stores, and did not do well" in last.problem
    assert not [step for step in services.steps if step.startswith(("stop", "start"))]
    assert not list(config.data.glob("update-*"))


def _break(config: Config) -> None:
    """Makes a store one that the release's check finds wrong: its last page is that of the household's own table."""
    with (config.stores / HOME / "store.db").open("rb+") as file:
        file.seek(-2_000, 2)
        file.write(b"damaged")


def test_a_locked_store_is_named_since_nothing_could_be_tried_on_it(box: Box, config: Config) -> None:
    setup.make(config.data)
    ring = KeyRing(config.data)
    open_store(config, "ada", make=True).close()
    ring.make_kit("ada")
    ring.prove_kit("ada", ring.make_kit("ada"))
    ring.lock("ada", ring.open("ada"), "five words that fit badly")
    box.made("0.2.0", layout=NEXT)
    last = exchange.update(config, box.places, Services(box))
    assert last
    assert (last.state, last.locked) == (GOOD, ("ada",))


@pytest.mark.parametrize("step", range(14))
def test_after_a_power_cut_at_any_step_one_release_is_whole(box: Box, config: Config, step: int) -> None:
    _furnished(config)
    box.made("0.2.0", layout=NEXT)
    services = Services(box, cut_at=step)
    services.started = lambda: _as_a_newer_one(config)
    with pytest.raises(Cut):
        exchange.update(config, box.places, services)
    boot = Services(box)
    exchange.settle(config, box.places, boot, exchange.POWER_CUT, booting=True)
    assert not box.places.is_trying()
    if box.places.running() == "0.1.0":
        assert _fact(config) == "kept"
    else:
        assert services.steps[-1] in ("look for 0.2.0 and house", "start scheduler"), "it was good"
        with pytest.raises(NewerStoreError):
            open_store(config, HOME)
    assert not [each for each in boot.steps if each.startswith(("start", "stop"))], "at boot systemd starts them"


@pytest.mark.parametrize("step", range(12))
def test_a_command_that_hangs_before_the_release_is_good_is_said_and_the_one_before_stays(
    box: Box, config: Config, step: int
) -> None:
    _furnished(config)
    box.made("0.2.0", layout=NEXT)
    services = Services(box, cut_at=step, cut=subprocess.TimeoutExpired("a command", 3_600))
    services.started = lambda: None if box.places.running() == "0.1.0" else _as_a_newer_one(config)
    last = exchange.update(config, box.places, services)
    assert last
    assert last == box.places.last()
    assert (last.version, last.state) == ("0.2.0", BACK if "stop" in services.steps else REFUSED)
    assert "did not end within 60 minutes" in last.problem
    assert "try again" in last.problem
    assert (box.places.running(), box.places.is_trying(), _fact(config)) == ("0.1.0", False, "kept")
    assert not (box.places.releases / "0.2.0").exists()


def test_a_disk_that_fills_while_the_release_is_put_in_is_said_and_the_one_before_stays(
    box: Box, config: Config
) -> None:
    box.made("0.2.0", files={"large": "x" * 500_000})
    services = Services(box)
    with disks.mounted(box.places.state, 256 << 10):
        last = exchange.update(config, box.places, services)
        assert last == box.places.last()
    assert last
    assert last.state == REFUSED
    assert "the disk of this box is full" in last.problem
    assert "free some space" in last.problem
    assert (services.steps, box.places.running()) == ([], "0.1.0")


@pytest.mark.parametrize(("layout", "copies"), [("", 0), (NEXT, exchange.COPIES)])
def test_an_update_leaves_the_meters_what_is_kept_for_them(tmp_path: Path, layout: str, copies: int) -> None:
    with disks.mounted(tmp_path / "card", CARD_BYTES) as card:
        box = Box(card)
        config = load(box.data)
        _furnished(config)
        release = box.made("0.2.0", layout=layout or migrations.newest())
        what = "trying the update on copies of the stores" if copies else "the update"
        disks.leave_free(card, copies * stores.size(config) + putting.ROOM * release.stat().st_size + (1 << 20))
        services = Services(box)
        last = exchange.update(config, box.places, services)
        assert last
        assert last.state == REFUSED
        assert last.problem.startswith(f"{what} takes ")
        assert "beside what is kept free: delete what you no longer need" in last.problem
        assert services.steps == []


def test_a_disk_that_fills_while_stores_are_copied_says_so(config: Config) -> None:
    _furnished(config)
    command = [sys.executable, "-m", "appliance.updating.stores", "keep", "--data", str(config.data)]
    (config.data / stores.KEPT).mkdir()
    with disks.mounted(config.data / stores.KEPT, 64 << 10):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("the disk of this box is full: free some space")


def test_what_a_power_cut_left_of_a_good_update_is_not_put_back_by_a_later_one(box: Box, config: Config) -> None:
    _furnished(config)
    stores.keep(config)
    with open_store(config, HOME) as home, home.write() as connection:
        connection.execute(text("UPDATE of_the_house SET fact = 'of months later'"))
    box.made("0.2.0")
    exchange.update(config, box.places, Services(box, trouble="it ended"))
    assert _fact(config) == "of months later"


def test_a_broken_configuration_keeps_no_store_from_being_put_back(config: Config) -> None:
    _furnished(config)
    stores.keep(config)
    _as_a_newer_one(config)
    (config.data / "inglenook.toml").write_text("[dashboard\n", encoding="utf-8")
    command = [sys.executable, "-m", "appliance.updating.stores", "restore", "--data", str(config.data)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert _fact(config) == "kept"


def test_a_cut_while_the_stores_are_put_back_is_brought_to_the_same_end(box: Box, config: Config) -> None:
    _furnished(config)
    stores.keep(config)
    store = config.stores / HOME
    with open_store(config, HOME):
        _as_a_newer_one(config)
        log = (store / "store.db-wal").read_bytes()
    (store / "store.db-wal").write_bytes(log)
    kept = config.data / stores.KEPT / HOME
    (store / "store.db.new").write_bytes((kept / "store.db").read_bytes()[:5_000])
    stores.restore(config)
    assert _fact(config) == "kept"
