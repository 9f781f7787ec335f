"""What every command has: where the data lies, which store, and how it prints."""

import functools
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from appliance.cli.tables import print_table
from appliance.config import Config, default_folder, is_zone, load
from appliance.errors import UserError

if TYPE_CHECKING:  # loaded when a store is opened: `run` opens none
    from appliance.store.database import Store


@dataclass(frozen=True, slots=True)
class Context:
    """The common options of one call."""

    config: Config
    store_name: str
    as_json: bool
    passphrase_file: Path | None = None

    def open_store(self, *, hint: bool = True, keeps: bool = True, measured: bool = False) -> "Store":
        """The chosen store, with what came while it was locked. Home is made where it is absent, a person's is not.

        A `hint` tells of the recovery kit that a new store needs. A locked store is seen to as the scheduler sees to
        the others every night, where it `keeps` to its policies. What is `measured` and not sealed yet comes into it.
        """
        from appliance.store import waiting
        from appliance.store.database import HOME, open_store
        from appliance.store.keys import KeyRing

        is_new = self.store_name not in KeyRing(self.config.data).store_names()
        passphrase = self.passphrase()
        store = open_store(self.config, self.store_name, make=self.store_name == HOME, passphrase=passphrase)
        if is_new and hint:
            warn(f"a new store, {self.store_name!r}: {self.no_kit()}")
        if waiting.files(KeyRing(self.config.data).folder(store.name)):
            from appliance.ingest import taking

            count = len(taking.take_waiting(self.config, store))
            warn(f"{count} file{'' if count == 1 else 's'} that came while the store was locked: imported now")
        if passphrase is not None and keeps:
            from appliance import retention

            for said in retention.run_unlocked(
                store, self.config.stores / store.name, ZoneInfo(self.config.zone or "UTC")
            ):
                warn(said)
        if measured and store.name == HOME and self.config.spool.exists():
            from appliance.ingest import sealing

            try:
                sealing.seal_all(store, self.config.spool)
            except UserError as error:
                warn(f"the newest readings are not among these: {error}")
        return store

    def command(self, said: str) -> str:
        """A command on the chosen store, as it is typed."""
        return f"inglenook {said}" if self.store_name == "home" else f"inglenook --store {self.store_name} {said}"

    def no_kit(self) -> str:
        """What to do about a store without a recovery kit."""
        return f"it has no recovery kit yet; make it with: {self.command('kit make')}"

    def passphrase(self) -> str | None:
        """What opens the chosen store where it is locked: from its file, else as typed on a terminal."""
        from appliance.cli import asking
        from appliance.store.keys import KeyRing

        keys = KeyRing(self.config.data)
        if self.store_name not in keys.store_names() or not keys.facts(self.store_name).is_locked:
            return None
        if self.passphrase_file is not None:
            return asking.from_file(self.passphrase_file)
        if not sys.stdin.isatty():
            return None
        said: str = click.prompt(f"Passphrase of the store {self.store_name!r}", hide_input=True, err=True)
        return said

    def zone(self, said: str = "", otherwise: str = "say --zone, as in --zone Europe/Amsterdam") -> ZoneInfo:
        """The zone of days: as said, else the household's, else UTC with a warning of what to do otherwise."""
        name = self.zone_name(said)
        if name is None:
            warn(
                f"nobody said in which time zone this household lives: times without one are taken as UTC; {otherwise}"
            )
        return ZoneInfo(name or "UTC")

    def zone_name(self, said: str = "") -> str | None:
        """The zone as said, else the household's; None where nobody said one. UserError where it is none."""
        if said and not is_zone(said):
            raise UserError(f"--zone {said}: this is not a time zone; name one such as Europe/Amsterdam")
        return said or self.config.zone

    def currency(self) -> str:
        """The household's, "" where nobody said one."""
        from appliance import people
        from appliance.store.database import HOME, open_store
        from appliance.store.keys import KeyRing

        if HOME not in KeyRing(self.config.data).store_names():
            return ""
        with open_store(self.config, HOME) as home:
            household = people.household(home)
        return household.currency if household else ""

    def show(self, rows: Iterable[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
        """Rows as JSON lines, or as a table of the columns (key -> heading)."""
        if self.as_json:
            for row in rows:
                print_json(row)
        else:
            print_table(rows, columns)


_EARLIEST, _LATEST = datetime(2, 1, 1, tzinfo=UTC), datetime(9998, 12, 31, tzinfo=UTC)


class Number(click.IntRange):
    """A whole number, refused in plain words."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            number: int = super().convert(value, param, ctx)
        except click.BadParameter:
            self.fail(f"{value!r} is not a number from {self.min} to {self.max}; write one such as 12", param, ctx)
        return number


NUMBER = Number(0, 2**31 - 1)


def common(command: Callable[..., Any]) -> Callable[..., Any]:
    """Gives a command the options that all have, before or after its name, as one `Context`."""

    @click.option("--data", type=click.Path(path_type=Path), help="Where the box keeps everything.")
    @click.option("--store", default="", help="Whose store: a person's name, or home (the default).")
    @click.option("--json", "as_json", is_flag=True, help="One JSON object a line on stdout, and nothing else there.")
    @click.option("--passphrase-file", type=click.Path(path_type=Path), help="What opens a locked store.")
    @functools.wraps(command)
    def wrapped(data: Path | None, store: str, as_json: bool, passphrase_file: Path | None, **rest: Any) -> Any:
        ctx = click.get_current_context()
        said = ctx.find_root().obj
        said |= {"data": data or said["data"], "store": store or said["store"], "as_json": as_json or said["as_json"]}
        said["passphrase_file"] = passphrase_file or said["passphrase_file"]
        if ctx.invoked_subcommand:
            return None  # what was said so far is for the command that follows, which may say more
        absent = default_folder(demo=bool(rest.get("demo")))
        config = load(_made(said["data"] or absent))
        store_name = _store_of(config, said["store"] or "home")
        return command(Context(config, store_name, said["as_json"], said["passphrase_file"]), **rest)

    return wrapped


def _made(folder: Path) -> Path:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"{folder}: {error.strerror}; name another folder with --data") from None
    return folder


def _store_of(config: Config, said: str) -> str:
    """The store that was named: by its own name, or by that of the person whose it is."""
    from appliance.naming import slug
    from appliance.store.keys import KeyRing

    names = KeyRing(config.data).store_names()
    if said in names or "home" not in names:
        return slug(said)
    from appliance import people
    from appliance.store.database import HOME, open_store

    with open_store(config, HOME) as home:
        whose = {person.name.casefold(): person.store for person in people.people(home)}
    return whose.get(said.casefold(), slug(said))


def print_json(row: Mapping[str, Any]) -> None:
    """One object on one line; decimals are strings, so that they stay exact."""
    click.echo(json.dumps(row, ensure_ascii=False, default=str))


def print_csv(rows: Iterable[Mapping[str, Any]], columns: Iterable[str]) -> None:
    """Comma-separated values with a header line. A cell that a spreadsheet would run is written as text."""
    import csv

    names = list(columns)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        writer.writerow([harmless_cell(row.get(name)) for name in names])


def harmless_cell(value: Any) -> str:
    """The value as a cell; one that begins like a formula, and is no number, gets an apostrophe before it."""
    text = "" if value is None else str(value)
    formula = text[:1] in ("=", "+", "-", "@", "\t", "\r") and not re.fullmatch(r"[+-]?[0-9.]+", text)
    return f"'{text}" if formula else text


def counted(number: int, one: str, many: str = "") -> str:
    """As in 1 fact, 1,204 facts."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def warn(message: str) -> None:
    """A message for the person, on stderr."""
    click.echo(f"inglenook: {message}", err=True)


def instant(said: str, zone: ZoneInfo, option: str, *, end: bool = False) -> datetime:
    """A time that an option says, in UTC; a bare date is the local day's begin, `end` that of the day after it.

    At the very ends of the calendar, where not every zone has a time, one a little further in.
    """
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        raise UserError(
            f"{option} {said}: write a date such as 2026-11-22, or a time such as 2026-11-22T18:00Z"
        ) from None
    at = min(max(at if at.tzinfo else at.replace(tzinfo=zone), _EARLIEST), _LATEST)
    return (at + timedelta(days=1 if end and is_day(said) else 0)).astimezone(UTC)


def is_day(said: str) -> bool:
    """Whether a bare date is said, and no time of the day."""
    return re.fullmatch(r"\d{4}-\d{2}-\d{2}", said) is not None


def instant_ms(said: str, zone: ZoneInfo, option: str, *, end: bool = False) -> int:
    """An `instant` as milliseconds since 1970 UTC."""
    return round(instant(said, zone, option, end=end).timestamp() * 1000)


def instant_text(at_ms: int) -> str:
    """ISO 8601 in UTC, with milliseconds only where there are any."""
    at = datetime.fromtimestamp(at_ms // 1000, UTC).replace(tzinfo=None).isoformat()
    return f"{at}.{at_ms % 1000:03}Z" if at_ms % 1000 else f"{at}Z"


def pairs(said: Iterable[str]) -> dict[str, str]:
    """`--set NAME=VALUE`, repeated."""
    texts = list(said)
    if wrong := [text for text in texts if "=" not in text]:
        raise UserError(f"--set {text}: write NAME=VALUE" for text in wrong)
    return {name: value.strip() for name, value in once(texts).items()}


def once(texts: Iterable[str]) -> dict[str, str]:
    """NAME=VALUE, each name said once."""
    said = [(name.strip(), value) for name, _, value in (text.partition("=") for text in texts)]
    many = Counter(name for name, _ in said)
    if twice := [name for name, count in many.items() if count > 1]:
        raise UserError(f"{name}: it is said {many[name]} times; say it once" for name in twice)
    return dict(said)
