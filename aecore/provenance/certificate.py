"""The key and the certificate that this installation signs with, made when they are first needed and kept with its own files.

A test certificate: it is issued by a root that nobody has vetted and whose key is forgotten at once, so it shows that a file has not changed
since it was signed and that two files have the same signer, but not who that is. Elliptic curve P-256 (ES256), with the profile that
C2PA asks of signers (https://spec.c2pa.org/specifications/specifications/2.2/specs/C2PA_Specification.html#x509_certificates).
"""

import os
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from aecore.data.downloads import cache
from aecore.refusal import Refused

SIGNER, ROOT = "Autoencoder Lab test signer", "Autoencoder Lab test root"
YEARS = 10
"""The certificate's life: a file carries no trusted time, so it counts as intact only until then."""
MOST_BYTES = 1 << 16


@dataclass(frozen=True, repr=False)
class Credentials:
    """The signer's private ``key``, its certificate followed by the root's (``chain``), and the ``root`` alone; all as PEM."""

    key: bytes
    chain: bytes
    root: bytes


def file() -> Path:
    """Where key and certificate are kept: readable by the owner alone, with what else the lab keeps on this computer."""
    return cache() / "provenance" / "signer.pem"


def credentials() -> Credentials:
    """This installation's own, the same for all its processes. Raises ``Refused`` where they can be neither read nor kept."""
    return _credentials(file())


@lru_cache(maxsize=1)
def _credentials(path: Path) -> Credentials:
    try:
        if not path.exists():
            _keep(_made(), path)
        with path.open("rb") as kept:
            return _read(kept.read(MOST_BYTES))
    except OSError as error:
        raise Refused(
            "The lab's signing key cannot be kept at {path} ({reason}). Set AECORE_CACHE to a folder that can be written.",
            path=str(path),
            reason=error.strerror,
        ) from error
    except ValueError as error:
        raise Refused("The lab's signing key at {path} is damaged. Delete this file, and a new one is made.", path=str(path)) from error


def _read(pem: bytes) -> Credentials:
    begin = pem.index(b"-----BEGIN CERTIFICATE-----")
    key, chain = pem[:begin], pem[begin:]
    serialization.load_pem_private_key(key, None)
    _, root = x509.load_pem_x509_certificates(chain)
    return Credentials(key, chain, _pem(root))


def _keep(pem: bytes, path: Path) -> None:
    """Put the file in place whole, unless another process was first: then that one's stands."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:  # readable by the owner alone, as the file is from its first byte
        written = Path(folder) / path.name
        with os.fdopen(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as new:
            new.write(pem)
        if not path.exists():
            with suppress(FileExistsError):
                path.hardlink_to(written)


def _made() -> bytes:
    """A new key, its certificate and that of its root. The root's key is not kept: nobody can issue another certificate in its name."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate(ROOT, root_key, ROOT, root_key)
    leaf = _certificate(SIGNER, key, ROOT, root_key)
    encoding, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    return key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, plain) + _pem(leaf) + _pem(root)


def _certificate(subject: str, key: ec.EllipticCurvePrivateKey, issuer: str, issuer_key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    is_root, now = subject == issuer, datetime.now(UTC)
    unused = ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only")
    usage = dict.fromkeys(unused, False)
    builder = (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365 * YEARS))
        .add_extension(x509.BasicConstraints(ca=is_root, path_length=0 if is_root else None), critical=True)
        .add_extension(x509.KeyUsage(digital_signature=not is_root, key_cert_sign=is_root, crl_sign=is_root, **usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    if not is_root:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


def _name(words: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Autoencoder Lab"), x509.NameAttribute(NameOID.COMMON_NAME, words)])


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
