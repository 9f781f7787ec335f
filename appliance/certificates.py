"""The box's own certificate authority, and the certificates by which its dashboard speaks HTTPS.

    DIR/keys/authority-NAME.pem    key and certificate of the authority of one name, mode 0600

Devices trust the authority for good. It is limited by critical name constraints (RFC 5280, section 4.2.1.10) to its own
name and to addresses that are no host's on the internet: where its key is stolen, it still vouches for no bank. The
dashboard's certificate is made in memory, lasts 90 days, bears the addresses of the moment, and is made anew when they
change or it grows old. Keys are on the curve P-256, which every browser takes.
"""

import os
import secrets
import ssl
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.addresses import AT_HOME, at_home
from appliance.errors import UserError
from appliance.store.keys import write_durably

Address = IPv4Address | IPv6Address

LASTS = timedelta(days=90)
RENEWED_BEFORE = timedelta(days=30)
CLOCKS_DIFFER = timedelta(days=1)
NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python has no name for
FROM, UNTIL = datetime(2024, 1, 1, tzinfo=UTC), datetime(2049, 12, 31, tzinfo=UTC)
"""Of the authority: a fixed span, since a box has no clock when it first starts."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Of the dashboard: key and certificate in one PEM, what it is for, and until when."""

    pem: bytes
    name: str
    addresses: frozenset[str]
    made_at: datetime
    ends_at: datetime

    def is_due(self, addresses: Iterable[str], now: datetime) -> bool:
        """Whether another one is needed: these are the addresses now, or its time is not this."""
        in_time = self.made_at - CLOCKS_DIFFER <= now <= self.ends_at - RENEWED_BEFORE
        return not in_time or at_home(addresses) != self.addresses

    def context(self) -> ssl.SSLContext:
        """What a server speaks TLS with, 1.2 or newer. The key passes through memory alone."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, self.pem)
            context.load_cert_chain(f"/proc/self/fd/{descriptor}")
        finally:
            os.close(descriptor)
        return context


@dataclass(frozen=True, slots=True)
class Authority:
    """The authority of one box. What devices are to trust is `certificate`."""

    name: str
    certificate: x509.Certificate
    _key: ec.EllipticCurvePrivateKey

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the certificate, as phones and browsers show it: pairs of hexadecimal digits."""
        return self.certificate.fingerprint(SHA256()).hex(":").upper()

    def trusting(self) -> ssl.SSLContext:
        """What this box speaks TLS with to itself: it trusts this authority, and no other.

        It does so whenever that began: a box's clock may go back, and it answers as well as before.
        """
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VerifyFlags(NO_CHECK_TIME)
        context.load_verify_locations(cadata=self.certificate.public_bytes(Encoding.PEM).decode())
        return context

    def issue(self, addresses: Iterable[str], now: datetime) -> Certificate:
        """A certificate for the box's name and for those of its addresses that are at home."""
        kept = at_home(addresses)
        key = ec.generate_private_key(ec.SECP256R1())
        named = [x509.DNSName(self.name), *(x509.IPAddress(ip_address(each)) for each in sorted(kept))]
        signed = (
            _builder(self.name, self.certificate.subject, key.public_key(), now - CLOCKS_DIFFER, now + LASTS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(named), critical=False)
            .add_extension(_usage(signs_certificates=False), critical=True)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False)
            .sign(self._key, SHA256())
        )
        return Certificate(_as_pem(key, signed), self.name, kept, now, now + LASTS)


def authority_file(data: Path, name: str) -> Path:
    return data / "keys" / f"authority-{name}.pem"


def authority(data: Path, name: str) -> Authority:
    """The authority of a name, made where there is none. UserError where its file is damaged."""
    path = authority_file(data, name)
    if not path.exists():
        with suppress(FileExistsError):  # another process made it at the same moment: that one stays
            write_durably(path, _new_authority(name), exclusive=True)
    pem = path.read_bytes()
    try:
        key, certificate = load_pem_private_key(pem, None), x509.load_pem_x509_certificate(pem)
    except ValueError:
        raise _damaged(path) from None
    if not isinstance(key, ec.EllipticCurvePrivateKey) or certificate.public_key() != key.public_key():
        raise _damaged(path)
    return Authority(name, certificate, key)


def _damaged(path: Path) -> UserError:
    return UserError(
        f"{path}: this is not the box's certificate authority; put it back from a copy, or move the file away: a new "
        "one is made at the next start, and each phone and computer has to trust that one anew"
    )


def _new_authority(name: str) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    title = f"Inglenook {name} {secrets.token_hex(2)}"[:64]  # the digits tell a box from the one before it
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
    permitted = [x509.DNSName(name), *map(x509.IPAddress, AT_HOME)]
    signed = (
        _builder(title, subject, key.public_key(), FROM, UNTIL)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.NameConstraints(permitted, None), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, SHA256())
    )
    return _as_pem(key, signed)


def _builder(
    title: str, issuer: x509.Name, key: ec.EllipticCurvePublicKey, begins: datetime, ends: datetime
) -> x509.CertificateBuilder:
    """What every certificate has. The key's use is a web server's alone: no mail, no programs."""
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title[:64])]))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _as_pem(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> bytes:
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)
