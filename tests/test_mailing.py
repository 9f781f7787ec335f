"""Notices by e-mail: through a real mail server, once each, and never a password where it does not belong."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from appliance import mailing
from appliance.config import Config
from appliance.errors import SourceError, UserError
from appliance.store import notices
from appliance.store.database import Store, change_key, open_store
from appliance.store.models import MailerRow
from tests.smtp_server import PASSWORD, USER, MailServer, serving

NOW = datetime(2026, 11, 25, 4, tzinfo=UTC)
NOT_SAID = (PASSWORD, "4711")


@pytest.fixture(params=["TLS", "STARTTLS"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MailServer]:
    with serving(tmp_path, request.param) as found:
        yield found


def stated(store: Store, server: MailServer, **more: Any) -> None:
    said = {"host": "127.0.0.1", "port": server.port, "encryption": server.encryption, "to": "ann@example.org"}
    with_password = {"user": USER, "password": PASSWORD, "certificate": server.certificate}
    mailing.state(store, {**said, **with_password, **more}, NOW)


def noticed(store: Store, title: str = "You would save", at: datetime = NOW) -> int:
    with store.write() as connection:
        at_us = round(at.timestamp() * 1_000_000)
        return notices.add(connection, "energy.switch", title, at_us, title, "On Night.\n\nReally: é €.", {})


def problem_of(store: Store) -> tuple[str, str, int]:
    found = mailing.known(store)
    assert found is not None
    return found.stopped, found.problem, found.failures


def test_a_notice_goes_once_encrypted_with_its_words(store: Store, server: MailServer) -> None:
    stated(store, server)
    noticed(store)
    assert mailing.post(store, NOW) == 1
    [message] = server.received
    assert server.was_encrypted == [True]
    assert (message["To"], message["From"], message["Subject"]) == (USER, USER, "Inglenook: You would save")
    assert message.get_content().replace("\r\n", "\n") == "On Night.\n\nReally: é €.\n"
    assert mailing.post(store, NOW) == 0
    assert len(server.received) == 1


def test_nothing_is_sent_unless_a_person_said_so_nor_what_was_before_that_nor_what_is_old(
    store: Store, server: MailServer
) -> None:
    noticed(store, "Before", NOW - timedelta(hours=1))
    assert mailing.post(store, NOW) == 0
    stated(store, server)
    noticed(store, "Dismissed")
    with store.write() as connection:
        notices.end_all(connection, "energy.switch", "Dismissed", 1)
    noticed(store, "Old")
    assert mailing.post(store, NOW + timedelta(days=8)) == 0
    assert server.asked == 0
    assert mailing.post(store, NOW) == 1
    mailing.forget(store)
    noticed(store, "After")
    assert mailing.post(store, NOW) == 0
    assert [each["Subject"] for each in server.received] == ["Inglenook: Old"]


@pytest.mark.parametrize("trouble", [("DATA", "451"), ("RCPT", "450"), ("EHLO", "hangs up"), ("DATA", "hangs up")])
def test_what_fails_for_now_is_said_and_tried_again(store: Store, server: MailServer, trouble: tuple[str, str]) -> None:
    stated(store, server)
    noticed(store)
    server.trouble = trouble
    with pytest.raises(SourceError, match="tried again"):
        mailing.post(store, NOW)
    assert problem_of(store)[0] == ""
    assert problem_of(store)[2] == 1
    server.trouble = ("", "")
    assert mailing.post(store, NOW) == 1
    assert problem_of(store) == ("", "", 0)


def test_a_wrong_password_stops_it_until_it_is_given_anew_and_is_repeated_nowhere(
    store: Store, server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    stated(store, server, password="wrong 4711")
    noticed(store)
    with pytest.raises(SourceError) as failed:
        mailing.post(store, NOW)
    assert failed.value.permanent
    asked = server.asked
    assert mailing.post(store, NOW) == 0
    assert server.asked == asked
    assert "give them again" in problem_of(store)[0]
    for text in (str(failed.value), repr(failed.value), caplog.text, repr(mailing.known(store))):
        assert not any(each in text for each in NOT_SAID)
    stated(store, server)
    assert mailing.post(store, NOW) == 1


@pytest.mark.parametrize("trouble", [("RCPT", "550"), ("MAIL", "553"), ("DATA", "554")])
def test_what_is_refused_for_good_is_not_tried_again(
    store: Store, server: MailServer, trouble: tuple[str, str]
) -> None:
    stated(store, server)
    noticed(store)
    server.trouble = trouble
    with pytest.raises(SourceError, match=f"refuses .*{trouble[1]}.*put it right"):
        mailing.post(store, NOW)
    assert problem_of(store)[0]


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(store: Store, server: MailServer) -> None:
    stated(store, server, certificate="")
    noticed(store)
    with pytest.raises(SourceError, match="nobody trusted vouches"):
        mailing.post(store, NOW)
    assert server.received == []


def test_no_password_goes_to_a_server_that_does_not_encrypt(store: Store, tmp_path: Path) -> None:
    with serving(tmp_path, "none") as server:
        with pytest.raises(UserError, match="read by everybody"):
            stated(store, server)
        stated(store, server, encryption="STARTTLS")
        noticed(store)
        with pytest.raises(SourceError, match="does not do what is asked"):
            mailing.post(store, NOW)
        stated(store, server, user="", password="")
        assert mailing.post(store, NOW) == 1
        assert server.was_encrypted == [False]


@pytest.mark.parametrize(
    "changed",
    [{"host": "localhost"}, {"port": 2525}, {"encryption": "other"}, {"user": "eve"}, {"certificate": "of eve"}],
    ids=lambda changed: next(iter(changed)),
)
def test_a_password_is_typed_again_where_anything_of_its_way_changes(
    store: Store, server: MailServer, changed: dict[str, Any]
) -> None:
    stated(store, server)
    mailing.state(store, {"to": "bob@example.org", "port": str(server.port)})
    mailing.try_out(store)
    assert server.received[0]["To"] == "bob@example.org"
    if "encryption" in changed:
        changed = {"encryption": "STARTTLS" if server.encryption == "TLS" else "TLS"}
    with pytest.raises(UserError, match="type the password again"):
        mailing.state(store, changed)
    mailing.try_out(store)
    mailing.state(store, {**changed, "password": PASSWORD})


def test_the_password_lies_sealed_and_is_there_under_another_key(
    store: Store, server: MailServer, config: Config
) -> None:
    stated(store, server)
    with store.read() as connection:
        row = connection.execute(select(MailerRow.__table__)).one()
    assert PASSWORD.encode() not in row.sealed
    assert PASSWORD not in str(row.options)
    store.close()
    change_key(config, "home")
    with open_store(config) as again:
        mailing.try_out(again)
    assert len(server.received) == 1


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"to": "ann@example.org\nBcc: eve@example.org"}, "to="),
        ({"to": "two@a.org, three@a.org"}, "to="),
        ({"host": "smtp.example.org/x"}, "host="),
        ({"port": 70_000}, "port="),
        ({"encryption": "SSL"}, "encryption="),
        ({"user": "ann", "password": ""}, "give both"),
        ({"password": "é", "user": "a"}, "plain letters"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(store: Store, said: dict[str, Any], reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        mailing.state(store, {"host": "smtp.example.org", "to": "ann@example.org", **said})
