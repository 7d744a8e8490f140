"""Which servers may be spoken to: the configured org, over TLS, or a sandbox on this machine."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

from chartlift.errors import UsageError

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
VENDOR = (".salesforce.com", ".salesforce.mil", ".force.com", ".sfcrmproducts.cn")
DEFAULT_PORTS = {"https": 443, "http": 80}


def checked_origin(url: str) -> str:
    """The origin (`https://host[:port]`) of an org URL.

    Raises:
        UsageError: not an origin, not a Salesforce host, or plain http to another machine.
    """
    parts = _split(url)
    host = parts.hostname or ""
    extra = parts.username or parts.password or parts.query or parts.fragment or parts.path not in ("", "/")
    if parts.scheme not in DEFAULT_PORTS or not host or extra:
        raise UsageError("the org URL must be like https://clinic.my.salesforce.com")
    if host not in LOOPBACK:
        if parts.scheme != "https":
            raise UsageError("the org URL must begin with https://", hint="Plain http is for this machine only.")
        if not host.endswith(VENDOR):
            raise UsageError(f"{host} is not a Salesforce host", hint="Use the org's My Domain URL.")
    return f"{parts.scheme}://{parts.netloc.lower()}"


def is_loopback(url: str) -> bool:
    """Whether a URL leads to this machine."""
    return (_split(url).hostname or "") in LOOPBACK


def same_org(ours: str, theirs: str) -> bool:
    """Whether the URL in a login answer belongs to the configured org: the same origin, or the same My Domain."""
    mine, other = _split(ours), _split(theirs)
    here, there = mine.hostname or "", other.hostname or ""
    if here in LOOPBACK or there in LOOPBACK:
        both = here in LOOPBACK and there in LOOPBACK
        return both and mine.scheme == other.scheme and _port(mine) == _port(other)
    if other.scheme != "https" or _port(mine) != _port(other):
        return False
    return here == there or (there.endswith(VENDOR) and here.split(".", 1)[0] == there.split(".", 1)[0])


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url.strip())
        _ = parts.port
    except ValueError:
        raise UsageError("the org URL cannot be read") from None
    return parts


def _port(parts: SplitResult) -> int:
    return parts.port or DEFAULT_PORTS.get(parts.scheme, 0)
