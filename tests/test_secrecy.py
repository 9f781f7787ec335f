"""Nothing that a household hands to its box lies in clear anywhere in it, however it came in."""

import logging
import re
import tempfile
from collections.abc import Iterator
from datetime import date
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner

from appliance import archiving, people
from appliance.cli import main
from appliance.config import Config, MeterConfig, load
from appliance.ingest import taking
from appliance.ingest.collecting import Collection, Spooling
from appliance.ingest.inbox import Inbox
from appliance.ingest.spool import Spool
from appliance.people import Household
from appliance.store.database import open_store, store_file
from appliance.store.keys import KeyRing
from services.dashboard.access import SESSION_COOKIE
from services.dashboard.app import make_app
from services.dashboard.box import box
from tests.statements import Row, ofx

TELEGRAMS = Path(__file__).parent / "samples" / "meters" / "dsmr" / "dsmr50-gas-water-heat.txt"
PAYEES = ("Quince & Medlar Ltd", "Weatherstone Bakery", "Przybyła-Ünlü Optik")
PASSWORD = "a hearth of words"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A box's folder, beside the only folder for temporary files that there is."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield tmp_path / "box"
    tempfile.tempdir = None


def _statement(payee: str, repeated: int = 400) -> bytes:
    rows = [Row(date(2026, 3, 1), f"-{number}.00", payee, memo=f"thank you {payee}") for number in range(repeated)]
    return ofx(rows).replace(b"Quince & ", b"Quince &amp; ")


def _by_command(data: Path, file: Path) -> str:
    file.write_bytes(_statement(PAYEES[0]))
    result = CliRunner().invoke(main, ["--data", str(data), "import", str(file)])
    assert result.exit_code == 0, result.output
    file.unlink()
    return result.output


def _by_inbox(config: Config) -> None:
    path = config.inbox / "home" / "march.ofx"
    path.parent.mkdir(parents=True)
    path.write_bytes(_statement(PAYEES[1]))
    inbox = Inbox(config)
    inbox.look(partial(taking.take, config))
    inbox.look(partial(taking.take, config))
    assert not path.exists()


def _by_page(config: Config) -> None:
    app = make_app(config)
    stores = box(app).stores
    people.claim(config, stores.home, Household("Home Farm", "UTC", "EUR"), "Ada", PASSWORD)
    token = people.sign_in(stores.home, "Ada", PASSWORD)
    assert token
    browser = app.test_client()
    browser.set_cookie(SESSION_COOKIE, token)
    found = re.search(r'name="form-token" content="([0-9a-f]{64})"', browser.get("/now").text)
    assert found
    body = _form(found[1], _statement(PAYEES[2], 9_000))  # more than a framework keeps in memory by itself
    assert browser.post("/import", data=body, content_type="multipart/form-data; boundary=edge").status_code == 303
    assert PAYEES[2] in browser.get("/records?search=Optik").text
    stores.close()


def _form(form_token: str, file: bytes) -> bytes:
    """An upload as a browser sends it; the test client would put a large one into a temporary file of its own."""
    token = f'--edge\r\nContent-Disposition: form-data; name="form_token"\r\n\r\n{form_token}\r\n'
    head = '--edge\r\nContent-Disposition: form-data; name="file"; filename="april.ofx"\r\n\r\n'
    return token.encode() + head.encode() + file + b"\r\n--edge--\r\n"


def _by_meter(config: Config) -> Spool:
    """Leaves the spool unsealed."""
    spool = Spool(config.spool, KeyRing(config.data).public("home"))
    meter = MeterConfig("house", "replay", "dsmr", link_options={"path": str(TELEGRAMS)})
    collection = Collection(meter, ZoneInfo("UTC"), Spooling(spool), once=True)
    collection.run()
    assert collection.counters.telegrams
    spool.flush()
    return spool


def _into_an_archive(config: Config) -> None:
    with open_store(config) as home:
        assert archiving.make(home, config.stores / "home", "money.transaction", date(2100, 1, 1))
    assert list((config.stores / "home").glob("archives/*"))


def _secrets() -> list[bytes]:
    """What must be nowhere: payees, the meter's header and number, a role as the spool says it, SQLite's header."""
    telegram = TELEGRAMS.read_text("latin-1")
    number = re.search(r"0-0:96\.1\.1\((\w+)\)", telegram)
    assert number
    header = telegram.splitlines()[0].strip()
    plain = [*PAYEES, "Quince", "Weatherstone", "Optik", header, number[1], bytes.fromhex(number[1]).decode()]
    plain += ["electricity.import", "1-0:1.8.1", "SQLite format 3", "STMTTRN", PASSWORD]
    return [text.encode(encoding) for text in plain for encoding in ("utf-8", "utf-16-le", "utf-16-be")]


def _in_clear(*places: Path) -> list[tuple[Path, bytes]]:
    secrets = _secrets()
    paths = [path for place in places for path in sorted(place.rglob("*"))]
    named = [(path, secret) for path in paths for secret in secrets if secret in str(path.name).encode()]
    held = ((path, path.read_bytes()) for path in paths if path.is_file())
    return named + [(path, secret) for path, content in held for secret in secrets if secret in content]


def test_no_payee_and_no_telegram_lies_in_clear_however_it_came(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        said = _by_command(folder, tmp_path / "march.ofx")
        config = load(folder)
        with open_store(config) as home, home.read():  # a reader keeps the WAL from being folded in
            _by_inbox(config)
            _by_page(config)
            spool = _by_meter(config)
            _into_an_archive(config)
            wal = store_file(config, "home").with_name("store.db-wal")
            assert wal.stat().st_size > 100_000
            assert list(config.spool.glob("*.spool"))
            assert _in_clear(folder, tmp_path / "tmp") == []
        spool.close()
    assert _in_clear(folder, tmp_path / "tmp") == []
    logged = "\n".join((said, caplog.text, *capfd.readouterr())).encode()
    assert [secret for secret in _secrets() if secret in logged] == []


def test_what_is_looked_for_would_be_found(tmp_path: Path) -> None:
    (tmp_path / "a").write_text(f"x{PAYEES[0]}x", encoding="utf-16")
    (tmp_path / "b").write_bytes(TELEGRAMS.read_bytes())
    assert {path.name for path, _ in _in_clear(tmp_path)} == {"a", "b"}
