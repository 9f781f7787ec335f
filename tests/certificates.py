"""Certificates of an authority of our own, for brokers on the loopback interface."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


def authority(folder: Path) -> Path:
    """The authority's certificate; beside it a broker's for its address, another name, and the past."""
    key, path = ec.generate_private_key(ec.SECP256R1()), folder / "ca.pem"
    path.write_bytes(_certificate("home", key, "home", key, 30))
    (folder / "stranger.pem").write_bytes(_certificate("stranger", key, "stranger", key, 30))
    own = ec.generate_private_key(ec.SECP256R1())
    pem = own.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "key.pem").write_bytes(pem)
    for name, host, days in (("good", "127.0.0.1", 30), ("other", "elsewhere.test", 30), ("old", "127.0.0.1", -1)):
        (folder / f"{name}.pem").write_bytes(_certificate("broker", own, "home", key, days, host))
    return path


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: str,
    signer: ec.EllipticCurvePrivateKey,
    days: int,
    host: str = "",
) -> bytes:
    """A certificate in PEM: of an authority, or of a host."""
    now = datetime.now(UTC)
    of = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(of)
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=10))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=not host, path_length=None), critical=True)
    )
    if host:
        named = x509.IPAddress(ip_address(host)) if host[0].isdigit() else x509.DNSName(host)
        builder = builder.add_extension(x509.SubjectAlternativeName([named]), critical=False)
    return builder.sign(signer, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
