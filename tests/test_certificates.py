"""The box's certificate authority: what it vouches for, what no device believes of it, and when it speaks anew."""

import ssl
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from appliance.certificates import Authority, Certificate, authority, authority_file
from appliance.errors import UserError
from services.dashboard.certified import Certified

NAME = "inglenook.local"
NOW = datetime.now(UTC)


@pytest.fixture
def box(tmp_path: Path) -> Authority:
    return authority(tmp_path, NAME)


def _shaken(trusted: Authority, shown: Certificate, called: str) -> None:
    """A handshake in memory, by a client that trusts this authority alone; ssl.SSLError where it refuses."""
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    trusting.load_verify_locations(cadata=trusted.certificate.public_bytes(Encoding.PEM).decode())
    trusting.verify_flags |= ssl.VERIFY_X509_STRICT
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = trusting.wrap_bio(back, there, server_hostname=called)
    server = shown.context().wrap_bio(there, back, server_side=True)
    for _ in range(3):
        for side in (client, server):
            with suppress(ssl.SSLWantReadError):
                side.do_handshake()
    assert client.version() in ("TLSv1.2", "TLSv1.3")


def test_a_device_that_trusts_it_knows_the_box_by_name_and_by_address(box: Authority) -> None:
    shown = box.issue(["192.168.1.20", "fd12::1", "fe80::1%eth0"], NOW)
    for called in (NAME, "192.168.1.20", "fd12::1", "fe80::1"):
        _shaken(box, shown, called)
    with pytest.raises(ssl.SSLCertVerificationError, match="mismatch"):
        _shaken(box, shown, "192.168.1.21")


def test_a_device_that_trusts_another_box_refuses_this_one(box: Authority, tmp_path: Path) -> None:
    other = authority(tmp_path / "other", NAME)
    with pytest.raises(ssl.SSLCertVerificationError):
        _shaken(other, box.issue([], NOW), NAME)


@pytest.mark.parametrize("name", ["bank.example", "other.local", "inglenook.local.example"])
def test_with_its_key_stolen_it_still_vouches_for_no_other_name(box: Authority, name: str) -> None:
    forged = Authority(name, box.certificate, box._key).issue([], NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        _shaken(box, forged, name)


def test_nor_for_an_address_on_the_internet(box: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.certificates.at_home", frozenset)
    forged = box.issue(["203.0.113.7"], NOW)
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        _shaken(box, forged, "203.0.113.7")


def test_an_address_on_the_internet_is_left_out_so_that_the_others_stay_good(box: Authority) -> None:
    shown = box.issue(["203.0.113.7", "2001:db8::7", "10.0.0.7"], NOW)
    assert shown.addresses == {"10.0.0.7"}
    _shaken(box, shown, "10.0.0.7")


def test_it_is_for_web_servers_alone_and_lasts_ninety_days(box: Authority) -> None:
    leaf = x509.load_pem_x509_certificate(box.issue([], NOW).pem)
    assert leaf.not_valid_after_utc - NOW < timedelta(days=90)
    for each in (leaf, box.certificate):
        uses = each.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        assert list(uses) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert box.certificate.extensions.get_extension_for_class(x509.NameConstraints).critical


def test_the_key_is_for_the_box_alone_and_stays_the_same(box: Authority, tmp_path: Path) -> None:
    assert authority_file(tmp_path, NAME).stat().st_mode & 0o777 == 0o600
    assert authority(tmp_path, NAME).fingerprint == box.fingerprint
    assert authority(tmp_path, "other.local").fingerprint != box.fingerprint


def test_a_damaged_one_is_said_and_not_replaced(box: Authority, tmp_path: Path) -> None:
    path = authority_file(tmp_path, NAME)
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(UserError, match=r"authority-inglenook\.local\.pem.*move the file away"):
        authority(tmp_path, NAME)


def test_nothing_older_than_tls_1_2_is_spoken(box: Authority) -> None:
    assert box.issue([], NOW).context().minimum_version == ssl.TLSVersion.TLSv1_2


class _House:
    """A box whose addresses and clock are said."""

    def __init__(self, box: Authority) -> None:
        self.addresses, self.now = ["192.168.1.20"], NOW
        self.certified = Certified(box, lambda: self.addresses, lambda: self.now)

    def serial(self) -> int:
        self.certified._looked_at = float("-inf")
        self.certified.context("192.168.1.20")
        return x509.load_pem_x509_certificate(self.certified.certificate.pem).serial_number


def test_another_address_is_in_the_certificate_before_it_is_spoken_to(box: Authority) -> None:
    house = _House(box)
    before = house.certified.context("192.168.1.20")
    assert house.certified.context("192.168.1.20") is before
    assert house.certified.context("10.0.0.3") is not before
    assert {"10.0.0.3", "192.168.1.20"} <= house.certified.names()


def test_an_address_that_the_box_has_no_more_leaves_the_certificate(box: Authority) -> None:
    house = _House(box)
    house.addresses = ["10.0.0.3"]
    house.certified._looked_at = float("-inf")
    house.certified.context("10.0.0.3")
    assert "192.168.1.20" not in house.certified.names()


def test_it_is_renewed_a_month_before_its_end_and_when_the_clock_was_set(box: Authority) -> None:
    house = _House(box)
    first = house.serial()
    house.now += timedelta(days=59)
    assert house.serial() == first
    house.now += timedelta(days=2)
    second = house.serial()
    assert second != first
    house.now = datetime(1970, 1, 2, tzinfo=UTC)
    third = house.serial()
    assert third != second
    house.now = NOW
    assert house.serial() != third


def test_it_knows_by_which_numbers_a_person_opens_it(box: Authority) -> None:
    house = _House(box)
    house.addresses = ["127.0.0.1", "192.168.1.20", "10.0.0.3", "203.0.113.7", "fe80::1%eth0", "fd00::7"]
    assert house.certified.numbers() == ["https://10.0.0.3/", "https://192.168.1.20/"]
    house.addresses = ["::1", "fe80::1%eth0", "fd00::7", "2001:db8::7"]
    assert house.certified.numbers() == ["https://[fd00::7]/"]
    assert Certified(box, lambda: ["10.0.0.3"], port=8443).numbers() == ["https://10.0.0.3:8443/"]


def test_an_address_on_the_internet_makes_no_new_certificate_each_time(box: Authority) -> None:
    house = _House(box)
    assert house.certified.context("2001:db8::7") is house.certified.context("2001:db8::7")
