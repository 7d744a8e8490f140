"""Salesforce Sales Cloud: the destination of a migration."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from chartlift.model.ports import Clock

if TYPE_CHECKING:
    from chartlift.platforms.salesforce.destination import Salesforce


def open_destination(
    url: str, environ: Mapping[str, str], clock: Clock, *, expected_org_id: str = "", **policies: Any
) -> Salesforce:
    """The org at its My Domain URL, with the secrets of `environ` (`CHARTLIFT_SF_*`, `CHARTLIFT_CA_FILE`).

    `policies`: allow_save, gzip_upload (auto | yes | no), reserve, rest_rows, page_rows. Nothing is sent yet.

    Raises:
        UsageError: the URL is not one of a Salesforce org or of this machine.
        CredentialsError: the CA file cannot be read.
    """
    from chartlift.platforms.salesforce.credentials import Secrets
    from chartlift.platforms.salesforce.destination import Salesforce

    return Salesforce(url, Secrets.of(environ), clock=clock, expected_org_id=expected_org_id, **policies)
