"""A throw-away certificate for localhost, so that clients that insist on https can be tested unchanged."""

import ssl
from dataclasses import dataclass
from pathlib import Path

import trustme

HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Certificate:
    """Paths of the files a TLS server and its clients need."""

    ca_file: Path
    chain_file: Path


def write_certificate(home: Path) -> Certificate:
    """Writes a new authority and a server certificate under `home`.

    The private key is readable by the owner only. Clients are given `ca_file`.
    """
    home.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    server = authority.issue_cert(*HOSTS)
    ca_file, chain_file = home / "ca.pem", home / "server.pem"
    authority.cert_pem.write_to_path(str(ca_file))
    chain_file.touch(mode=0o600)
    server.private_key_and_cert_chain_pem.write_to_path(str(chain_file))
    return Certificate(ca_file=ca_file, chain_file=chain_file)


def server_context(certificate: Certificate) -> ssl.SSLContext:
    """A server-side context that speaks TLS 1.2 and newer."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(certificate.chain_file)
    return context
