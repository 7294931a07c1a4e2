"""JSON in and out, by msgspec in both directions: the payloads of the sockets, the strictness too."""

from collections.abc import Mapping
from typing import IO, Any

import msgspec
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from chat.payloads import encode
from chatproject.errors import AppError, Code

MAX_BODY_BYTES = 65_536


class JsonParser(BaseParser):
    """A body of at most MAX_BODY_BYTES. Raises AppError TOO_LARGE, INVALID.

    Half a surrogate pair, NaN and bytes that are not UTF-8 are not JSON here.
    """

    media_type = "application/json"

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        raw = stream.read(MAX_BODY_BYTES + 1)
        if len(raw) > MAX_BODY_BYTES:
            raise AppError(Code.TOO_LARGE, f"A request has at most {MAX_BODY_BYTES} bytes.")
        try:
            return msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise AppError(Code.INVALID, "This is not JSON.") from error


class PayloadRenderer(BaseRenderer):
    """Payloads, the same bytes as in frames."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        return b"" if data is None else encode(data)
