"""Refusals as ``application/problem+json`` (RFC 9457), whatever was raised."""

import logging
import math
from http import HTTPStatus
from types import UnionType
from typing import Any

import msgspec
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, UnreadablePostError
from rest_framework import exceptions
from rest_framework.response import Response

from chatproject.database import unavailable_when_down
from chatproject.errors import AppError, Code

logger = logging.getLogger(__name__)

PROBLEM_TYPE = "application/problem+json"


class Problem(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A refusal. ``fields`` names what is wrong with the input, ``retry_after`` is in seconds."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    fields: dict[str, list[str]] | None = None
    retry_after: float | None = None


class PreconditionFailed(exceptions.APIException):
    """``If-Match`` names a state that is no more."""

    status_code = 412
    default_detail = "It has changed since you have seen it."


# In this order: the first is one of the last.
_DJANGO: list[tuple[type[Exception] | UnionType, Code]] = [
    (RequestDataTooBig, Code.TOO_LARGE),
    (Http404, Code.NOT_FOUND),
    (PermissionDenied, Code.FORBIDDEN),
    (BadRequest | SuspiciousOperation | UnreadablePostError, Code.INVALID),
]
# ``type`` has no default and is written out: omit_defaults would leave it away.
ABOUT_BLANK = "about:blank"


def answer_problem(error: Exception, _context: dict[str, Any]) -> Response:
    """The answer to any exception of a view: REST framework's EXCEPTION_HANDLER."""
    refusal = _refusal(error)
    status = refusal.status
    if isinstance(error, PreconditionFailed) or (
        isinstance(error, exceptions.APIException) and refusal.code is Code.INVALID
    ):
        # 405, 406, 412 and 415 say more to a client than 400.
        status = error.status_code
    problem = Problem(
        type=ABOUT_BLANK,
        title=HTTPStatus(status).phrase,
        status=status,
        code=refusal.code,
        detail=refusal.message,
        fields=refusal.fields,
        retry_after=None if refusal.retry_after is None else round(refusal.retry_after, 3),
    )
    headers = {}
    if refusal.code is Code.UNAUTHENTICATED:
        headers["WWW-Authenticate"] = "Bearer"
    if refusal.retry_after is not None:
        headers["Retry-After"] = str(max(1, math.ceil(refusal.retry_after)))
    # As plain values, which the renderer of any view can write.
    return Response(msgspec.to_builtins(problem), status, headers=headers, content_type=PROBLEM_TYPE)


def _refusal(error: Exception) -> AppError:
    if isinstance(error, AppError):
        return error
    if isinstance(error, OperationalError | InterfaceError):
        return _unavailable(error)
    if isinstance(error, exceptions.ValidationError):
        return AppError(Code.INVALID, fields=_fields(error.detail))
    if isinstance(error, exceptions.APIException):
        return AppError(_code_of(error), str(error.detail))
    for kinds, code in _DJANGO:
        if isinstance(error, kinds):
            return AppError(code)
    logger.error("A request failed", exc_info=error)
    return AppError(Code.INTERNAL)


def _unavailable(error: Exception) -> AppError:
    try:
        with unavailable_when_down():
            raise error
    except AppError as refusal:
        return refusal


def _code_of(error: exceptions.APIException) -> Code:
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return Code.UNAUTHENTICATED
    if isinstance(error, exceptions.PermissionDenied):
        return Code.FORBIDDEN
    if isinstance(error, exceptions.NotFound):
        return Code.NOT_FOUND
    if isinstance(error, PreconditionFailed):
        return Code.CONFLICT
    return Code.INVALID if error.status_code < HTTPStatus.INTERNAL_SERVER_ERROR else Code.INTERNAL


def _fields(detail: Any) -> dict[str, list[str]] | None:
    if not isinstance(detail, dict):
        return None
    return {str(name): [str(word) for word in words] for name, words in detail.items()}
