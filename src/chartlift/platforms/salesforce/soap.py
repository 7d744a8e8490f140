"""The two things only SOAP can do: undelete records, and read metadata as it is (shared value sets).

Answers are parsed without entities or DTDs (defusedxml).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from chartlift.platforms.salesforce.answers import Answer
from chartlift.platforms.salesforce.errors import UNRECOGNISED, NoAnswer, Refused, safe_code
from chartlift.platforms.salesforce.rest import COLLECTION, Rest
from chartlift.platforms.salesforce.session import SESSION_CODES, Repeat

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
PARTNER = "urn:partner.soap.sforce.com"
METADATA = "http://soap.sforce.com/2006/04/metadata"
XML = "text/xml"


class Soap:
    """Partner and Metadata SOAP of one org."""

    def __init__(self, rest: Rest) -> None:
        """Take the REST API, which knows session and version."""
        self._rest = rest

    def undelete(self, ids: Sequence[str]) -> list[dict[str, Any]]:
        """Bring records back from the recycle bin; one result each, shaped like those of REST collections."""
        found: list[dict[str, Any]] = []
        for start in range(0, len(ids), COLLECTION):
            part = ids[start : start + COLLECTION]
            body = "<undelete>" + "".join(f"<ids>{escape(i)}</ids>" for i in part) + "</undelete>"
            # undeleting twice does no harm: the second time names records that are not in the bin
            results = [_result(item) for item in self._call("u", PARTNER, "undelete", body) if _local(item) == "result"]
            if len(results) != len(part):
                raise NoAnswer("SOAP undelete", "it has another number of results", unsent=False)
            found += results
        return found

    def value_set(self, name: str) -> list[dict[str, str]] | None:
        """The values of a StandardValueSet in order, every property as text; None if the org has no such set."""
        body = f"<readMetadata><type>StandardValueSet</type><fullNames>{escape(name)}</fullNames></readMetadata>"
        answer = self._call("m", METADATA, "readMetadata", body)
        values = [
            {_local(part): part.text or "" for part in item} for item in answer if _local(item) == "standardValue"
        ]
        return values or None

    def _call(self, door: str, namespace: str, action: str, body: str) -> list[Element]:
        """All elements of the answer, in document order."""
        path = f"/services/Soap/{door}/{self._rest.version}"

        def envelope(token: str) -> bytes:
            return (
                f'<?xml version="1.0" encoding="UTF-8"?><env:Envelope xmlns:env="{ENVELOPE}" xmlns="{namespace}">'
                f"<env:Header><SessionHeader><sessionId>{escape(token)}</sessionId></SessionHeader></env:Header>"
                f"<env:Body>{body}</env:Body></env:Envelope>"
            ).encode()

        headers = {"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": action}
        what = f"SOAP {action}"
        answer = self._rest.session.call(
            "POST",
            path,
            repeat=Repeat.ALWAYS,
            accept=XML,
            content=envelope,
            headers=headers,
            ok=(200, 500),  # a fault has status 500
            ended=_ended,
        )
        root = _parsed(answer, what)
        elements = list(root.iter())
        fault = next((item for item in elements if _local(item) == "faultcode"), None)
        if fault is not None:
            code = (fault.text or "").rpartition(":")[2]
            raise Refused(what, status=answer.status, code=safe_code(code))
        return elements


def _ended(answer: Answer) -> bool:
    """Whether a fault says that the session ended; SOAP says it with status 500."""
    return any(code.encode() in answer.body for code in SESSION_CODES)


def _parsed(answer: Answer, what: str) -> Element:
    try:
        return fromstring(answer.body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError):
        raise NoAnswer(what, "the XML is damaged", unsent=False) from None


def _local(item: Element) -> str:
    return item.tag.rpartition("}")[2]


def _result(item: Element) -> dict[str, Any]:
    texts = {_local(part): part.text or "" for part in item}
    errors = [_error(part) for part in item if _local(part) == "errors"]
    return {"id": texts.get("id") or None, "success": texts.get("success") == "true", "errors": errors}


def _error(item: Element) -> dict[str, Any]:
    def texts(name: str) -> Iterator[str]:
        return (part.text or "" for part in item if _local(part) == name)

    return {"statusCode": next(texts("statusCode"), UNRECOGNISED), "fields": list(texts("fields"))}
