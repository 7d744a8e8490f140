"""What the org refuses, in the shape the REST API uses."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

CONTENT_TYPE = "application/json;charset=UTF-8"


class OrgError(Exception):
    """A refused request or record: `code` is the platform's error code, `status` the HTTP status.

    `fields` names the fields concerned, if any; `detail` has further keys of the error. `row`: a record was refused, not
    the request, and then the fields are shown.
    Raised for whole requests; failed rows of a DML call are data.
    """

    def __init__(
        self,
        code: str,
        message: str,
        fields: tuple[str, ...] = (),
        status: int = 400,
        detail: dict[str, Any] | None = None,
        *,
        row: bool = False,
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.fields = fields
        self.status = status
        self.detail = detail or {}
        self.row = row

    def body(self) -> list[dict[str, Any]]:
        """The JSON array that goes over the wire."""
        error: dict[str, Any] = {"message": self.message, "errorCode": self.code}
        if self.row and (self.fields or not self.detail):
            error["fields"] = list(self.fields)
        return [self.detail | error]


def error_response(error: OrgError) -> JSONResponse:
    """Render an OrgError."""
    return JSONResponse(error.body(), status_code=error.status, media_type=CONTENT_TYPE)


def not_found(message: str = "The requested resource does not exist") -> OrgError:
    """404: no such URL, object or record."""
    return OrgError("NOT_FOUND", message, status=404)


def unknown_object(name: str) -> OrgError:
    """400 for an object name that the org, or the caller, does not know."""
    tail = (
        "If you are attempting to use a custom object, be sure to append the '__c' after the entity name. "
        "Please reference your WSDL or the describe call for the appropriate names."
    )
    return OrgError("INVALID_TYPE", f"sObject type '{name}' is not supported. {tail}")


def unknown_column(name: str, object_name: str) -> OrgError:
    """400 for a field name that the object does not have, or that field-level security hides from the caller."""
    return OrgError("INVALID_FIELD", f"No such column '{name}' on sobject of type {object_name}", (name,))
