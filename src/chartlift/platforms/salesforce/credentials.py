"""Who we are to Salesforce: the three ways to get an access token, and the form each one posts.

Source: reference section 2. User name and password flows are left out on purpose: they are switched off in new orgs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from chartlift.errors import CredentialsError

JWT_LIFETIME = timedelta(minutes=3)
JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the caller read from environment or keyring; nothing of it shows in `repr`.

    One of: `client_id` + `client_secret`; `client_id` + `jwt_key_file` + `username`; `access_token` alone.
    """

    client_id: str = field(default="", repr=False)
    client_secret: str = field(default="", repr=False)
    jwt_key_file: str = field(default="", repr=False)
    username: str = field(default="", repr=False)
    access_token: str = field(default="", repr=False)
    ca_file: str = ""

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Secrets:
        """Read the `CHARTLIFT_SF_*` variables (and `CHARTLIFT_CA_FILE`) of a mapping."""
        return cls(
            client_id=environ.get("CHARTLIFT_SF_CLIENT_ID", ""),
            client_secret=environ.get("CHARTLIFT_SF_CLIENT_SECRET", ""),
            jwt_key_file=environ.get("CHARTLIFT_SF_JWT_KEY_FILE", ""),
            username=environ.get("CHARTLIFT_SF_USERNAME", ""),
            access_token=environ.get("CHARTLIFT_SF_ACCESS_TOKEN", ""),
            ca_file=environ.get("CHARTLIFT_CA_FILE", ""),
        )

    @property
    def renewable(self) -> bool:
        """Whether a new token can be had when the session ends."""
        return bool(self.client_id and (self.client_secret or (self.jwt_key_file and self.username)))

    def form(self, base_url: str, now: datetime) -> dict[str, str]:
        """The fields to post to the token endpoint.

        Raises:
            CredentialsError: nothing usable was given, or the key file cannot sign.
        """
        if self.client_id and self.client_secret:
            return {
                "grant_type": "client_credentials",
                "client_id": self.client_id,
                "client_secret": self.client_secret,
            }
        if self.renewable:
            return {"grant_type": JWT_GRANT, "assertion": self._assertion(audience(base_url), now)}
        raise CredentialsError(
            "no credentials for Salesforce",
            hint="Set CHARTLIFT_SF_CLIENT_ID with CHARTLIFT_SF_CLIENT_SECRET, or with CHARTLIFT_SF_JWT_KEY_FILE and "
            "CHARTLIFT_SF_USERNAME, or CHARTLIFT_SF_ACCESS_TOKEN.",
        )

    def _assertion(self, aud: str, now: datetime) -> str:
        import jwt

        claims = {"iss": self.client_id, "sub": self.username, "aud": aud, "exp": int((now + JWT_LIFETIME).timestamp())}
        try:
            return jwt.encode(claims, Path(self.jwt_key_file).read_bytes(), algorithm="RS256")
        except (OSError, ValueError, TypeError, jwt.PyJWTError):
            # the library's own message could quote the key
            raise CredentialsError(
                "the JWT key file cannot be used", hint="CHARTLIFT_SF_JWT_KEY_FILE must name an RSA private key (PEM)."
            ) from None


def audience(base_url: str) -> str:
    """Whom the assertion is made out to: the login host that goes with an org, or a local sandbox itself."""
    host = base_url.split("//", 1)[1].split("/", 1)[0]
    if not host.endswith((".salesforce.com", ".salesforce.mil")):
        return base_url
    return "https://test.salesforce.com" if ".sandbox." in host else "https://login.salesforce.com"
