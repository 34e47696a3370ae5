"""Certificates for what serves on this machine: an authority made for one run, and a server's certificate by it.

Over TLS as in the cloud, where the queues refuse anything else.
"""

import datetime
import ipaddress
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


class Certificate:
    """Files in a directory: whom to trust, and what `127.0.0.1` and `localhost` show."""

    def __init__(self, scratch):
        self.authority, self.server, self.key = (Path(scratch) / name for name in ("authority.pem", "server.pem", "server.key"))
        root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
        root = signed("authority of the stand-in", root_key, "authority of the stand-in", root_key, authority=True)
        leaf = signed("the stand-in", key, "authority of the stand-in", root_key, authority=False)
        self.authority.write_bytes(pem(root))
        self.server.write_bytes(pem(leaf))
        self.key.touch(mode=0o600)
        self.key.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


def signed(subject, key, issuer, issuers_key, authority):
    def name(text):
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now, day = datetime.datetime.now(datetime.timezone.utc), datetime.timedelta(days=1)
    builder = x509.CertificateBuilder(name(issuer), name(subject), key.public_key(), x509.random_serial_number(), now - day, now + day)
    builder = builder.add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
    if not authority:
        names = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(issuers_key, hashes.SHA256())


def pem(certificate):
    return certificate.public_bytes(serialization.Encoding.PEM)
