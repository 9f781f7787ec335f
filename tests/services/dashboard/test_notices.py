"""News: what the box had to say, what to do about it, and by which mail server the household hears of it."""

import html
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from appliance import mailing
from appliance.store import notices
from appliance.store.database import Store
from appliance.switching import watching
from services.dashboard.box import box
from tests.meter_series import keep
from tests.smtp_server import PASSWORD, USER, serving

Token = Callable[[FlaskClient, str], str]
BEGUN = datetime(2026, 3, 1, tzinfo=UTC)
BEGUN_MS = int(BEGUN.timestamp()) * 1000


@pytest.fixture(scope="module")
def store(app: Flask) -> Store:
    """The household's store with a day of water."""
    home = box(app).stores.home
    keep(home, "water", [1] * 96, first_ms=BEGUN_MS, seconds=900, unit="m3", exponent=-3)
    return home


def said(store: Store, kind: str, about: str, title: str, text: str = "Look.") -> int:
    details = {"supply": "Water, The house", "since": "2026-03-01T00:00:00+00:00"}
    with store.write() as connection:
        return notices.add(connection, kind, about, BEGUN_MS * 1000, title, text, details)


def page(client: FlaskClient, path: str = "/news") -> str:
    return html.unescape(client.get(path).text)


def press(client: FlaskClient, token_of: Token, path: str, **typed: str) -> TestResponse:
    return client.post(path, data={"form_token": token_of(client, "/news"), **typed})


def test_1_with_nothing_to_say_it_says_what_would_be(app: Flask, ada: FlaskClient) -> None:
    found = page(ada)
    assert "Nothing to see to" in found
    assert "Nothing is sent by e-mail" in found
    assert "told-line" not in page(ada, "/now")


def test_2_each_has_a_next_step_and_now_names_the_newest(store: Store, ada: FlaskClient) -> None:
    said(store, "energy.silent", "a", "A meter is silent")
    said(store, "energy.limit", "b", "The month’s budget is spent")
    said(store, "energy.switch", "house/water", "You would save", "Much.\n\nThe others: inglenook compare house/water")
    said(store, "energy.leak", "c", "Water may leak", "It ran since 2026-03-01 at 01:00.")
    found = page(ada)
    links = re.findall(r'<a class="button" href="([^"]+)">([^<]+)</a>', found)
    assert links == [
        ("/history?series=water@house&span=day&at=2026-03-01", "See when it was used"),
        ("/compare?supply=water@house&store=home", "Compare the tariffs"),
        ("/budgets?store=home", "Look at the month"),
        ("/import?store=home", "Import a newer file"),
    ]
    assert all(ada.get(address).status_code == 200 for address, _ in links)
    assert "since 1 Mar 2026 at 01:00" in found
    assert "inglenook" not in re.sub(r"<[^>]+>", "", found).replace("Inglenook", "")
    now = page(ada, "/now")
    assert ">Water may leak</a>" in now
    assert "and 3 other words from the box" in now


def test_3_what_was_seen_is_past_and_pressing_twice_is_the_same(
    store: Store, ada: FlaskClient, token_of: Token
) -> None:
    with store.read() as connection:
        newest, *others = notices.every(connection)
    for _ in range(2):
        assert press(ada, token_of, f"/news/{newest.id}/seen").status_code == 303
    with store.read() as connection:
        assert notices.every(connection) == others
    found = page(ada)
    assert found.index("<h2") < found.index("Past") < found.index("Water may leak")
    assert ">Water may leak</a>" not in page(ada, "/now")


def test_4_past_ones_are_shown_a_page_at_a_time(store: Store, ada: FlaskClient) -> None:
    for number in range(25):
        said(store, "energy.away", "same", f"Use number {number}.")
    assert "Use number 4." in page(ada)
    assert "Use number 3." not in page(ada)
    [earlier] = re.findall(r'href="(/news\?before=\d+)"', page(ada))
    assert "Use number 3." in page(ada, earlier)
    assert ada.get("/news?before=-1").status_code == 200
    assert ada.get(f"/news?before={'9' * 40}").status_code == 200


def test_5_a_saving_is_kept_and_taken_back(store: Store, ada: FlaskClient, token_of: Token) -> None:
    def least() -> watching.Saving | None:
        with store.read() as connection:
            return watching.saving_from(connection)

    assert press(ada, token_of, "/news/settings/saving", amount="120,50").status_code == 303
    assert str(least()) == "Saving(amount=Decimal('120.5'), currency='EUR')"
    assert 'value="120.5' in page(ada, "/news/settings")
    for wrong in ("much", "-5", "0", "9" * 30, "NaN"):
        refused = press(ada, token_of, "/news/settings/saving", amount=wrong)
        assert refused.status_code == 422, wrong
        assert 'role="alert"' in refused.text
    assert least() is not None
    assert press(ada, token_of, "/news/settings/saving", amount=" ").status_code == 303
    assert least() is None


def test_6_mail_goes_through_the_server_that_was_stated(
    store: Store, ada: FlaskClient, token_of: Token, tmp_path: Path
) -> None:
    with serving(tmp_path, "STARTTLS") as server:
        stated = {"host": "127.0.0.1", "port": str(server.port), "to": USER, "user": USER, "encryption": "STARTTLS"}
        stated |= {"password": PASSWORD, "certificate": server.certificate}
        assert press(ada, token_of, "/news/settings/mail", **stated).status_code == 303
        settings = page(ada, "/news/settings")
        assert f'value="{USER}"' in settings
        assert PASSWORD not in settings
        assert press(ada, token_of, "/news/settings/mail/try").status_code == 303
        assert [each["Subject"] for each in server.received] == ["Inglenook: This works"]
        kept = {**stated, "password": "", "sender": "box@example.org"}
        assert press(ada, token_of, "/news/settings/mail", **kept).status_code == 303
        assert press(ada, token_of, "/news/settings/mail/try").status_code == 303, "the password stayed"
        assert server.received[-1]["From"] == "box@example.org"
        elsewhere = press(ada, token_of, "/news/settings/mail", **{**kept, "port": "2525"})
        assert (elsewhere.status_code, "type the password again" in elsewhere.text) == (422, True)
        assert "while server, port, encryption, user name and certificate stay" in settings
        server.trouble = ("DATA", "451")
        failed = press(ada, token_of, "/news/settings/mail/try")
        assert (failed.status_code, "refuses the message (451)" in failed.text) == (422, True)
        assert "The e-mail of it does not go" in page(ada)
    assert press(ada, token_of, "/news/settings/mail/off").status_code == 303
    assert mailing.known(store) is None


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"host": "https://example.org"}, "write the server’s name alone, such as smtp"),
        ({"to": "ann"}, "write one mail address"),
        ({"port": "many"}, "is not a whole number"),
        ({"user": "ann"}, "give both, or neither"),
        ({"encryption": "none", "user": "ann", "password": "x"}, "would be read by everybody"),
    ],
)
def test_7_a_mail_server_that_cannot_be_is_refused(
    store: Store, ada: FlaskClient, token_of: Token, wrong: dict[str, str], told: str
) -> None:
    usual = {"host": "smtp.example.org", "to": "ann@example.org", "port": "", "encryption": "TLS"}
    refused = press(ada, token_of, "/news/settings/mail", **{**usual, **wrong})
    assert refused.status_code == 422
    assert told in html.unescape(refused.text).replace("'", "’")
    assert mailing.known(store) is None


def test_8_nobody_else_reads_or_presses(store: Store, ada: FlaskClient, stranger: FlaskClient) -> None:
    presses = ("/news/1/seen", *(f"/news/settings/{each}" for each in ("saving", "mail", "mail/try", "mail/off")))
    for path in ("/news", "/news/settings"):
        assert stranger.get(path).headers["Location"].startswith("/sign-in")
    for path in presses:
        assert ada.post(path, data={"amount": "5"}).status_code == 403, "no form of ours"
        assert stranger.post(path).status_code in (303, 403)
    with store.read() as connection:
        assert watching.saving_from(connection) is None
