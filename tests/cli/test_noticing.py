"""`inglenook notices` as a person runs it, and the scheduler's job that makes them."""

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from appliance import mailing
from appliance.config import Config
from appliance.store import notices
from appliance.store.database import open_store
from tests.cli.conftest import Box
from tests.costs.tariffs import known
from tests.meter_series import keep
from tests.smtp_server import PASSWORD, USER, serving
from tests.switching.household import BRUSSELS, agreed, half_hours, keep_used
from tests.switching.test_check import flat

ENDED_S = 120.0


def job(box: Box, name: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "services.job", name, "--data", str(box.data)]
    return subprocess.run(command, timeout=ENDED_S, check=False, capture_output=True, text=True)


def a_house(box: Box) -> None:
    today = datetime.now(UTC).date()
    with open_store(Config(box.data), make=True) as store:
        keep_used(store, half_hours(today - timedelta(days=400), 399))
        known(store, str(BRUSSELS), flat("Mine", "0.30"), flat("Cheap", "0.15"))
        agreed(store, "Mine")


def test_the_night_s_job_says_and_sends_what_is_worth_it_once(box: Box, tmp_path: Path) -> None:
    a_house(box)
    assert "nobody said from what saving" in box.run("notices").err
    assert box.run("notices", "saving", "200", "EUR").code == 0
    with serving(tmp_path, "STARTTLS") as server:
        (tmp_path / "password").write_text(f"{PASSWORD}\n")
        (tmp_path / "own.pem").write_text(server.certificate)
        said = box.run(
            "notices", "mail", "--set", "host=127.0.0.1", "--set", f"port={server.port}", "--set", f"to={USER}",
            "--set", "encryption=STARTTLS", "--set", f"user={USER}", "--set", f"password=@{tmp_path / 'password'}",
            "--set", f"certificate=@{tmp_path / 'own.pem'}", "--try",
        )  # fmt: skip
        assert (said.code, PASSWORD in said.out + said.err) == (0, False)
        server.trouble = ("DATA", "451")
        failed = job(box, "switch")
        assert failed.returncode == 2
        assert "a notice could not be sent: 127.0.0.1" in failed.stderr
        [row] = box.json("notices")
        assert (row["mailed"], row["details"]["name"]) == (None, "Cheap")
        assert "tried again" in box.json("notices", "mail")[0]["state"]
        server.trouble = ("", "")
        assert [job(box, each).returncode for each in ("alerts", "switch", "alerts")] == [0, 0, 0]
        assert [each["Subject"] for each in server.received] == ["Inglenook: This works", f"Inglenook: {row['title']}"]
    assert box.json("notices")[0]["mailed"]
    assert box.run("notices", "dismiss", row["id"]).code == 0
    assert box.json("notices") == []
    assert [each["open"] for each in box.json("notices", "--all")] == [False]
    assert box.run("notices", "dismiss", row["id"]).code == 2


def test_off_forgets_the_mail_server_and_the_saving(box: Box) -> None:
    with open_store(Config(box.data), make=True) as store, store.write() as connection:
        notices.add(connection, "energy.switch", "x", 1, "A title", "A text", {})
    box.run("notices", "mail", "--set", "host=smtp.example.org", "--set", "to=ann@example.org")
    assert [each["host"] for each in box.json("notices", "mail")] == ["smtp.example.org"]
    assert box.run("notices", "mail", "--off").code == 0
    assert box.json("notices", "mail") == []
    box.run("notices", "saving", "200", "EUR")
    assert box.run("notices", "saving", "off").code == 0
    said = box.run("notices")
    assert "A title" in said.out
    assert "nobody said from what saving" in said.err


def test_the_hourly_job_says_and_sends_what_somebody_should_look_at_once(box: Box, tmp_path: Path) -> None:
    begun_ms = int((datetime.now(UTC) - timedelta(days=2)).timestamp()) // 3600 * 3_600_000
    with open_store(Config(box.data), make=True) as store, serving(tmp_path, "none") as server:
        keep(store, "water", [0] * 4 + [0, 2, 0, 1] * 46, first_ms=begun_ms, seconds=900, unit="m3", exponent=-3)
        mailing.state(store, {"host": "127.0.0.1", "port": server.port, "encryption": "none", "to": USER})
        assert [job(box, "alerts").returncode for _ in range(2)] == [0, 0]
        assert [each["Subject"] for each in server.received] == ["Inglenook: Water may leak"]
    [row] = box.json("notices")
    assert (row["kind"], row["open"], bool(row["mailed"])) == ("energy.leak", True, True)
