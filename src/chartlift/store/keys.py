"""The two keys of a workspace, and the one secret that unwraps them.

`CHARTLIFT_KEY` (32 bytes, base64) never encrypts data. It wraps two random keys, kept in `keys.json`: the data key
(staging, journal, files) and the audit key. Each wrapped key is bound to the tenant, to its purpose and to the
version of the file. What a store gets is derived from its key by HKDF, so no two ciphers ever share one.

`purge` removes the data key: the file is rewritten without it and the blocks that held it are overwritten.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chartlift.errors import CredentialsError, StopError, UsageError
from chartlift.store import private

FILE = "keys.json"
VERSION = 1
VARIABLE = "CHARTLIFT_KEY"
_BYTES = 32
_NONCE = 12
_DATA, _AUDIT = "data", "audit"
_HOW_TO = f"set {VARIABLE} to 32 random bytes in base64, for example the output of: openssl rand -base64 32"


@dataclass(frozen=True, slots=True)
class Keys:
    """The unwrapped keys of one workspace; `data` is None after a purge. Neither shows in a repr."""

    tenant: str
    data: bytes | None = field(repr=False)
    audit: bytes = field(repr=False)

    @property
    def purged(self) -> bool:
        """Whether the data key is gone for good."""
        return self.data is None

    def for_staging(self) -> bytes:
        """32 bytes for DuckDB."""
        return self._derive(_DATA, "staging")

    def for_journal(self) -> bytes:
        """32 bytes for the journal's SQLCipher file."""
        return self._derive(_DATA, "journal")

    def for_files(self) -> bytes:
        """32 bytes for the file store."""
        return self._derive(_DATA, "files")

    def for_audit(self) -> bytes:
        """32 bytes for the audit's SQLCipher file."""
        return self._derive(_AUDIT, "audit")

    def for_chain(self) -> bytes:
        """32 bytes for the hash chain of the audit."""
        return self._derive(_AUDIT, "chain")

    def for_record_keys(self) -> bytes:
        """32 bytes under which record keys are written into the audit."""
        return self._derive(_AUDIT, "record keys")

    def _derive(self, purpose: str, store: str) -> bytes:
        key = self.data if purpose == _DATA else self.audit
        if key is None:
            raise UsageError("the data of this workspace was purged", hint="only `status` and `audit` work here now")
        info = f"chartlift {VERSION} {store}".encode()
        return HKDF(algorithm=SHA256(), length=_BYTES, salt=self.tenant.encode(), info=info).derive(key)


def master_key(environment: Mapping[str, str], *, tenant: str = "") -> bytes:
    """The secret itself: from CHARTLIFT_KEY, else from the OS keyring (service `chartlift`, user = tenant).

    Raises:
        CredentialsError: there is none, or it is not 32 bytes in base64.
    """
    text = environment.get(VARIABLE, "").strip() or _from_keyring(tenant)
    if not text:
        raise CredentialsError(f"{VARIABLE} is not set", hint=_HOW_TO)
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise CredentialsError(f"{VARIABLE} is not base64", hint=_HOW_TO) from None
    if len(key) != _BYTES:
        raise CredentialsError(f"{VARIABLE} holds {len(key)} bytes, not {_BYTES}", hint=_HOW_TO)
    return key


def _from_keyring(tenant: str) -> str:
    try:
        import keyring
        import keyring.errors
    except ImportError:  # an installation without it has the environment only
        return ""
    try:
        return (keyring.get_password("chartlift", tenant) or "").strip()
    except keyring.errors.KeyringError:  # no keyring on a server is no fault: the environment is the other way
        return ""


def create(home: Path, tenant: str, master: bytes) -> Keys:
    """Draw both keys and write `keys.json` (mode 0600).

    Raises:
        UsageError: the workspace has keys already.
    """
    path = home / FILE
    if path.exists():
        raise UsageError("this workspace has its keys already", hint="open it instead of making it")
    keys = Keys(tenant, os.urandom(_BYTES), os.urandom(_BYTES))
    private.folder(home)
    _save(path, keys, master)
    return keys


def unlock(home: Path, tenant: str, master: bytes) -> Keys:
    """Unwrap the keys of a workspace; never writes, except to finish a purge that was cut short.

    Raises:
        UsageError: there is no `keys.json`, or a newer chartlift wrote it.
        StopError: the file is damaged or belongs to another tenant.
        CredentialsError: CHARTLIFT_KEY is not the one that made it.
    """
    content = _load(home / FILE, tenant)
    wrapped = content["keys"]
    audit = _unwrap(wrapped[_AUDIT], tenant, _AUDIT, master)
    data = _unwrap(wrapped[_DATA], tenant, _DATA, master) if _DATA in wrapped else None
    if data is None:
        _finish(home / FILE)
    return Keys(tenant, data, audit)


def destroy_data_key(home: Path, tenant: str, master: bytes) -> None:
    """Remove the wrapped data key for good; the audit key stays. Done twice it does nothing.

    The old file keeps a second name until its blocks are overwritten, so a crash in between leaves something to finish.
    """
    path = home / FILE
    keys = unlock(home, tenant, master)
    if keys.purged:
        return
    old = _old(path)
    private.remove(old)
    os.link(path, old)
    _save(path, Keys(tenant, None, keys.audit), master)
    _finish(path)


def _finish(path: Path) -> None:
    old = _old(path)
    if old.exists():
        private.overwrite(old)
        private.remove(old)
        private.sync_folder(path.parent)


def _old(path: Path) -> Path:
    return path.with_name(path.name + ".old")


def _save(path: Path, keys: Keys, master: bytes) -> None:
    wrapped = {_AUDIT: _wrap(keys.audit, keys.tenant, _AUDIT, master)}
    if keys.data is not None:
        wrapped[_DATA] = _wrap(keys.data, keys.tenant, _DATA, master)
    content = {"version": VERSION, "tenant": keys.tenant, "cipher": "AES-256-GCM", "keys": wrapped}
    private.write(path, json.dumps(content, indent=1, sort_keys=True).encode() + b"\n")


def _load(path: Path, tenant: str) -> dict[str, Any]:
    damaged = StopError(f"{FILE} is damaged", hint="restore it from a backup: without it nothing here can be read")
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"there is no {FILE} here", hint="chartlift init DIR makes a workspace") from None
    except (OSError, ValueError):
        raise damaged from None
    if not isinstance(content, dict) or not isinstance(content.get("version"), int):
        raise damaged
    if content["version"] > VERSION:
        raise UsageError(f"a newer chartlift wrote {FILE}", hint="install that version or a later one")
    wrapped = content.get("keys")
    if not isinstance(wrapped, dict) or not isinstance(wrapped.get(_AUDIT), dict):
        raise damaged
    if content.get("tenant") != tenant:
        raise StopError(
            f"{FILE} belongs to another tenant", hint="each workspace keeps its own keys and its own tenant"
        )
    return content


def _bound_to(tenant: str, purpose: str) -> bytes:
    return json.dumps(["chartlift keys", VERSION, tenant, purpose]).encode()


def _wrap(key: bytes, tenant: str, purpose: str, master: bytes) -> dict[str, str]:
    nonce = os.urandom(_NONCE)
    sealed = AESGCM(master).encrypt(nonce, key, _bound_to(tenant, purpose))
    return {"nonce": base64.b64encode(nonce).decode(), "wrapped": base64.b64encode(sealed).decode()}


def _unwrap(wrapped: Mapping[str, str], tenant: str, purpose: str, master: bytes) -> bytes:
    try:
        nonce, sealed = (base64.b64decode(wrapped[name], validate=True) for name in ("nonce", "wrapped"))
        return AESGCM(master).decrypt(nonce, sealed, _bound_to(tenant, purpose))
    except InvalidTag:
        hint = f"use the {VARIABLE} this workspace was made with; if it is the right one, {FILE} was changed"
        raise CredentialsError(f"{VARIABLE} does not open this workspace", hint=hint) from None
    except (KeyError, TypeError, ValueError):
        raise StopError(f"{FILE} is damaged", hint="restore it from a backup") from None
