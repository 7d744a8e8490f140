"""SOAP envelopes: reading a request, writing an answer or a fault, whatever prefixes the caller uses."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from chartlift_sandbox.salesforce.login import Sessions
from chartlift_sandbox.salesforce.metadata_zip import MAX_REQUEST_BYTES, TOO_LARGE, FileError, parse_xml
from chartlift_sandbox.salesforce.org import Actor

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_CONTENT_TYPE = "text/xml;charset=UTF-8"
_OLDEST_VERSION = 31
CLIENT = "soapenv:Client"


class SoapFaultError(Exception):
    """A refused SOAP call: `sf:CODE` and a text; HTTP 500. `kind` is the element that a partner fault tells it in.

    The code `soapenv:Client` stands for envelopes that nobody understands; such faults have no detail.
    """

    def __init__(self, code: str, message: str, kind: str = "UnexpectedErrorFault") -> None:
        super().__init__(code)
        self.code, self.message, self.kind = code, message, kind


@dataclass(frozen=True, slots=True)
class Call:
    """One SOAP call: name of the operation, its element, who asks, and the header of the envelope."""

    operation: str
    body: Element
    actor: Actor
    session: str
    header: Element | None = None

    def text(self, name: str) -> str | None:
        """Text of the first descendant of that local name."""
        found = first(self.body, name)
        text = (found.text or "").strip() if found is not None else ""
        return text or None


def chosen(operations: dict[str, Callable[[Call], list[Any]]], call: Call) -> Callable[[Call], list[Any]]:
    """The function that carries the call out.

    Raises:
        SoapFaultError: there is none of that name.
    """
    work = operations.get(call.operation)
    if work is None:
        name = call.body.tag
        raise SoapFaultError(
            CLIENT, f"No operation available for request {name}, please check the WSDL for the service."
        )
    return work


def local(element: Element) -> str:
    """A tag without its namespace."""
    return element.tag.rpartition("}")[2]


def first(element: Element, name: str) -> Element | None:
    """The first descendant of that local name."""
    return next((one for one in element.iter() if local(one) == name), None)


def every(element: Element, name: str) -> list[Element]:
    """Direct children of that local name."""
    return [one for one in element if local(one) == name]


def _check_version(text: str, newest: int) -> None:
    whole, _, rest = text.partition(".")
    if not whole.isdecimal() or rest != "0" or not _OLDEST_VERSION <= int(whole) <= newest:
        raise SoapFaultError("UNSUPPORTED_API_VERSION", "Invalid Api version specified on URL")


async def _limited(request: Request) -> bytes:
    """The body, refused at the first byte too many."""
    pieces, size = [], 0
    async for piece in request.stream():
        size += len(piece)
        if size > MAX_REQUEST_BYTES:
            raise SoapFaultError("LIMIT_EXCEEDED", TOO_LARGE)
        pieces.append(piece)
    return b"".join(pieces)


async def read_call(request: Request, sessions: Sessions, newest: int) -> Call:
    """Parses the envelope and checks the session in its header; `newest` is the newest API version served.

    Raises:
        SoapFaultError: broken XML, no body, a session that has ended, or no calls left for the day.
    """
    _check_version(request.path_params.get("version", ""), newest)
    try:
        root = parse_xml(await _limited(request), "envelope")
    except FileError as error:
        raise SoapFaultError(CLIENT, str(error).removeprefix("Error parsing file: ")) from error
    body = next((one for one in root if local(one) == "Body"), None)
    if local(root) != "Envelope" or body is None or not len(body):
        raise SoapFaultError(CLIENT, "The SOAP body is missing")
    if local(body[0]) == "login":
        message = "SOAP API login() is disabled by default in this org."
        raise SoapFaultError("INVALID_OPERATION", message, "LoginFault")
    found = first(root, "sessionId")
    token = (found.text or "").strip() if found is not None else ""
    actor = await run_in_threadpool(sessions.actor, token)
    if actor is None:
        raise SoapFaultError(
            "INVALID_SESSION_ID", "INVALID_SESSION_ID: Invalid Session ID found in SessionHeader: Illegal Session"
        )
    sessions.slide(token)
    if sessions.usage is not None and not sessions.usage.take("DailyApiRequests"):
        raise SoapFaultError("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
    header = next((one for one in root if local(one) == "Header"), None)
    return Call(local(body[0]), body[0], actor, token, header)


def render(name: str, value: Any) -> str:
    """A value as elements: dicts nest, lists repeat, None is left out."""
    if value is None:
        return ""
    if isinstance(value, list):
        return "".join(render(name, one) for one in value)
    if isinstance(value, dict):
        return f"<{name}>{''.join(render(key, one) for key, one in value.items())}</{name}>"
    if isinstance(value, Raw):
        kind = f' xsi:type="{value.kind}"' if value.kind else ""
        if not value.xml and not value.kind:
            return f'<{name} xsi:nil="true"/>'
        return f"<{name}{kind}>{value.xml}</{name}>"
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{name}>{escape(text)}</{name}>"


@dataclass(frozen=True, slots=True)
class Raw:
    """Elements that are XML already, and the type of the element around them where the schema leaves it open.

    Without either it stands for an element that is there and has no value.
    """

    xml: str
    kind: str = ""


def answer(operation: str, namespace: str, results: list[Any]) -> Response:
    """The answer to an operation: one `result` element per result."""
    inner = "".join(render("result", one) for one in results)
    return _envelope(f'<{operation}Response xmlns="{namespace}">{inner}</{operation}Response>', 200)


def fault(error: SoapFaultError, namespace: str, *, detailed: bool = False) -> Response:
    """A SOAP fault with HTTP status 500; `detailed` tells code and text once more, as the partner API does."""
    detail, client = "", error.code == CLIENT
    if detailed and not client:
        detail = (
            f'<detail><sf:{error.kind} xsi:type="sf:{error.kind}"><sf:exceptionCode>{error.code}</sf:exceptionCode>'
            f"<sf:exceptionMessage>{escape(error.message.removeprefix(f'{error.code}: '))}</sf:exceptionMessage>"
            f"</sf:{error.kind}></detail>"
        )
    told = client or error.message.startswith(error.code)
    text = error.message if told else f"{error.code}: {error.message}"
    body = (
        f'<soapenv:Fault xmlns:sf="{namespace}"><faultcode>{error.code if client else f"sf:{error.code}"}</faultcode>'
        f"<faultstring>{escape(text)}</faultstring>{detail}</soapenv:Fault>"
    )
    return _envelope(body, 500)


def _envelope(body: str, status: int) -> Response:
    text = (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{ENVELOPE}" xmlns:xsi="{_XSI}">'
        f"<soapenv:Body>{body}</soapenv:Body></soapenv:Envelope>"
    )
    return Response(text, status, media_type=_CONTENT_TYPE)
