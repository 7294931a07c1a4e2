"""HTTP as Daphne speaks it, with bounds on the size of a body and on the time a request may take to arrive.

Twisted's own time-out starts again with every byte, so a client that dribbles holds a connection for
ever; and it spools a body of any size to disk before the application is asked (daphne's documented gap).
"""

# mypy: disable-error-code="no-untyped-call"

import json
from http import HTTPStatus
from typing import Any

from daphne.http_protocol import HTTPFactory, WebRequest
from twisted.web.http import HTTPChannel

from chatproject.policies import closed_headers

MAX_BODY_BYTES = 1_048_576
HEADERS_SECONDS = 10
BODY_SECONDS = 30
IDLE_SECONDS = 60
# How long a refused client may go on sending, so that it reads the refusal instead of a reset.
LINGER_SECONDS = 3


class BoundedChannel(HTTPChannel):
    """One HTTP connection. Deadlines run from the first byte of a request, not from the last one read."""

    transport: Any
    _arriving = False
    _refused = False

    def resetTimeout(self) -> None:
        """Bytes that trickle in do not extend a deadline."""

    def dataReceived(self, data: bytes) -> None:
        if self._refused:
            return
        if not self._arriving and not self._handlingRequest:
            self._arriving = True
            self.setTimeout(HEADERS_SECONDS)
        super().dataReceived(data)

    def allHeadersReceived(self) -> None:
        if self.length is not None and self.length > MAX_BODY_BYTES:
            self.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, code="too_large")
            return
        super().allHeadersReceived()
        if self.length != 0:
            self.setTimeout(BODY_SECONDS)

    def rawDataReceived(self, data: bytes) -> None:
        if not self._refused:
            super().rawDataReceived(data)

    def allContentReceived(self) -> None:
        if self._refused:
            return
        self._arriving = False
        super().allContentReceived()

    def requestDone(self, request: Any) -> None:
        self._savedTimeOut = IDLE_SECONDS
        super().requestDone(request)

    def timeoutConnection(self) -> None:
        if self._refused:
            self.transport.abortConnection()
        elif self._arriving:
            self.refuse(HTTPStatus.REQUEST_TIMEOUT, code="invalid")
        else:
            super().timeoutConnection()

    def refuse(self, status: HTTPStatus, *, code: str) -> None:
        """Answer with a problem document, read no more of the request and close."""
        self._refused = True
        headers, body = _problem(status, code=code)
        headers += [(b"content-length", str(len(body)).encode()), (b"connection", b"close")]
        lines = [f"HTTP/1.1 {status.value} {status.phrase}".encode()]
        lines += [name + b": " + value for name, value in headers]
        self.transport.write(b"\r\n".join([*lines, b"", body]))
        self._networkProducer.unregisterProducer()
        self.transport.loseWriteConnection()
        self.setTimeout(LINGER_SECONDS)


class BoundedRequest(WebRequest):  # type: ignore[misc]  # daphne is not typed
    """One request. A chunked body is counted as it arrives; an upgraded one lets go of its channel."""

    def handleContentChunk(self, data: bytes) -> None:
        if self.content.tell() + len(data) > MAX_BODY_BYTES:
            self.channel.refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, code="too_large")
        else:
            super().handleContentChunk(data)

    def basic_error(self, status: int, status_text: bytes, body: str) -> None:
        """What Daphne cannot hand to the application, or got no answer to."""
        ours = status >= HTTPStatus.INTERNAL_SERVER_ERROR
        headers, problem = _problem(HTTPStatus(status), code="internal" if ours else "invalid")
        self.handle_reply({"type": "http.response.start", "status": status, "headers": headers})
        self.handle_reply({"type": "http.response.body", "body": problem})

    def process(self) -> Any:
        transport = self.transport
        result = super().process()
        if self.transport is None:
            # The connection is a WebSocket now. As the transport's producer the channel, this request and
            # its headers would live as long as the socket, for nothing.
            transport.unregisterProducer()
        return result


class BoundedFactory(HTTPFactory):  # type: ignore[misc]  # daphne is not typed
    """Makes bounded channels with bounded requests."""

    protocol = BoundedChannel

    def buildProtocol(self, addr: Any) -> BoundedChannel:
        channel: BoundedChannel = super().buildProtocol(addr)
        channel.timeOut = IDLE_SECONDS
        channel.requestFactory = BoundedRequest
        return channel


def _problem(status: HTTPStatus, *, code: str) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """Headers and body of a refusal (RFC 9457)."""
    problem = {"type": "about:blank", "title": status.phrase, "status": status.value, "code": code}
    headers = [*closed_headers(), (b"content-type", b"application/problem+json")]
    return headers, json.dumps(problem).encode()
