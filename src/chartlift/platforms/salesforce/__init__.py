"""Salesforce Sales Cloud: the destination of a migration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chartlift.model.ports import Clock

if TYPE_CHECKING:
    from chartlift.platforms.salesforce.destination import Salesforce


def connect(
    url: str,
    *,
    secrets: Mapping[str, str],
    clock: Clock,
    ca_file: str = "",
    expected_org_id: str = "",
    **policies: Any,
) -> Salesforce:
    """The org at its My Domain URL. Nothing is sent before the first call.

    `secrets` holds the CHARTLIFT_SF_* names of the environment (and CHARTLIFT_CA_FILE, unless `ca_file` is given).
    `policies`: allow_save, gzip_upload (auto | yes | no), reserve, rest_rows, page_rows.

    Raises:
        UsageError: the URL is not one of a Salesforce org or of this machine.
        CredentialsError: the CA file cannot be read.
    """
    from chartlift.platforms.salesforce.credentials import Secrets
    from chartlift.platforms.salesforce.destination import Salesforce

    given = Secrets.of({**secrets, "CHARTLIFT_CA_FILE": ca_file or secrets.get("CHARTLIFT_CA_FILE", "")})
    return Salesforce(url, given, clock=clock, expected_org_id=expected_org_id, **policies)
