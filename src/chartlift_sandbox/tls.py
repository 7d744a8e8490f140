"""A throw-away certificate for localhost, so that clients that insist on https can be tested unchanged."""

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

from chartlift_sandbox.faults import TLS_KINDS, FaultPlan

HOSTS = ("localhost", "127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Certificate:
    """Paths of the files a TLS server and its clients need; `wrong` holds contexts that no client may accept, by what
    is wrong with them."""

    ca_file: Path
    chain_file: Path
    wrong: dict[str, ssl.SSLContext] = field(default_factory=dict)


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
    return Certificate(ca_file, chain_file, _wrong_contexts(authority))


def _wrong_contexts(authority: trustme.CA) -> dict[str, ssl.SSLContext]:
    """Certificates for planned faults: out of date, of another host, of an authority that nobody knows."""
    past = datetime.now(UTC) - timedelta(days=2)
    issued = {
        "expired": authority.issue_cert(*HOSTS, not_before=past - timedelta(days=30), not_after=past),
        "wrong_host": authority.issue_cert("elsewhere.example"),
        "self_signed": trustme.CA().issue_cert(*HOSTS),
    }
    contexts = {}
    for what, certificate in issued.items():
        contexts[what] = _context()
        certificate.configure_cert(contexts[what])
    return contexts


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def server_context(certificate: Certificate, plan: FaultPlan) -> ssl.SSLContext:
    """A server-side context that speaks TLS 1.2 and newer, and shows a wrong certificate when the plan wants it."""
    context = _context()
    context.load_cert_chain(certificate.chain_file)

    def choose(connection: ssl.SSLObject | ssl.SSLSocket, name: str | None, own: ssl.SSLContext) -> None:  # noqa: ARG001 - the signature that ssl calls
        due = plan.take(TLS_KINDS, "org", None, "", None)
        if due:
            connection.context = certificate.wrong[due[0].what]

    context.sni_callback = choose
    return context
