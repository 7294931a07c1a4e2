"""What every endpoint shares: ids, input, answer, headers, and its entry in the OpenAPI document."""

import hashlib
from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.credentials import Credential
from accounts.scopes import check_scope
from api.inputs import MAX_ID, Input, Nothing, parse_input
from api.limiting import take_by_address, write_headers
from api.problems import PROBLEM_TYPE, PreconditionFailed, Problem
from api.schema import shape
from chat.payloads import encode
from chatproject.errors import AppError, Code
from chatproject.limits import REST_PER_ADDRESS

Method = Callable[..., Any]


class Door(APIView):
    """The base of all views."""

    http_method_names = ["get", "post", "put", "patch", "delete", "head"]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if "HTTP_TRANSFER_ENCODING" in request.META:
            # REST framework takes a body without a length, as a chunked one is, for no body.
            request.META["CONTENT_LENGTH"] = str(len(request._request.body))
        if any(number > MAX_ID for number in kwargs.values()):
            raise AppError(Code.NOT_FOUND)

    def check_unchanged(self, request: Request, ids: dict[str, int]) -> None:
        """With ``If-Match``, whether what is to be changed is what the client has seen (RFC 9110, 13.1.1).

        Raises PreconditionFailed. Two changes at the same moment are still ordered by the action's own lock.
        """
        wanted = request.headers.get("If-Match")
        if wanted is None or wanted.strip() == "*":
            return
        show: Method | None = getattr(self, "get", None)
        seen = show.__wrapped__(self, {}, **ids) if show is not None else None  # type: ignore[attr-defined]
        if seen is None or etag_of(seen) not in _tags(wanted):
            raise PreconditionFailed

    def perform_authentication(self, request: Request) -> None:
        """A bad credential counts against its address: it fails before the throttle is asked."""
        try:
            super().perform_authentication(request)
        except (AppError, APIException):
            take_by_address(request, REST_PER_ADDRESS)
            raise

    def check_permissions(self, request: Request) -> None:
        """Once the request has been counted: who is refused is counted, too."""
        super().check_throttles(request)
        super().check_permissions(request)

    def check_throttles(self, request: Request) -> None:
        """Done before the permissions were asked for."""

    def finalize_response(self, request: Request, response: Response, *args: Any, **kwargs: Any) -> Response:
        final = super().finalize_response(request, response, *args, **kwargs)
        django_request = request._request if isinstance(request, Request) else request
        if isinstance(django_request, HttpRequest):
            write_headers(django_request, final)
        # Every answer depends on who asks, and some hold tokens.
        final.headers.setdefault("Cache-Control", "no-store")
        return final


class UnknownPath(Door):
    """Any path that is none of ours."""

    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        take_by_address(request, REST_PER_ADDRESS)
        raise AppError(Code.NOT_FOUND)


def operation(
    name: str,
    *,
    scope: str | None,
    answer: type[msgspec.Struct] | tuple[type[msgspec.Struct], ...] | None = None,
    statuses: tuple[int, ...] = (200,),
    query: type[Input] = Nothing,
    body: type[Input] = Nothing,
) -> Callable[[Method], Method]:
    """Makes ``method(self, given, **ids)`` answer a request: what is checked is what is documented.

    ``given`` holds the checked fields of the query or the body. The method returns a payload, answered
    with the first of ``statuses``, or a Response. ``scope`` is what an application must have been allowed;
    None closes the endpoint to applications.
    """

    def decorate(method: Method) -> Method:
        @wraps(method)
        def checked(self: Door, request: Request, **ids: int) -> Response:
            _check_scope(request, scope)
            given = parse_input(request.query_params.dict(), query)
            if request.method in {"GET", "HEAD"}:
                return _conditional(request, method(self, given, **ids))
            given |= parse_input(request.data, body)
            self.check_unchanged(request, ids)
            result = method(self, given, **ids)
            return result if isinstance(result, Response) else Response(result, statuses[0])

        described: Method = extend_schema(
            operation_id=name,
            extensions={"x-scope": scope} if scope else None,
            parameters=[query] if query is not Nothing else None,
            request=body if body is not Nothing else None,
            responses=_answers(answer, statuses, may_be_known=method.__name__ == "get"),
        )(checked)
        return described

    return decorate


def _answers(
    answer: type[msgspec.Struct] | tuple[type[msgspec.Struct], ...] | None,
    statuses: tuple[int, ...],
    *,
    may_be_known: bool,
) -> dict[Any, Any]:
    shown = shape(*(answer if isinstance(answer, tuple) else (answer,))) if answer else None
    not_modified = {304: None} if may_be_known else {}
    return {**dict.fromkeys(statuses, shown), **not_modified, ("default", PROBLEM_TYPE): shape(Problem)}


def _check_scope(request: Request, scope: str | None) -> None:
    """Raises AppError FORBIDDEN where an application comes without it."""
    if isinstance(request.auth, Credential) and request.auth.scopes is not None:
        if scope is None:
            raise AppError(Code.FORBIDDEN, "Applications cannot do this.")
        check_scope(request.auth.scopes, scope)


def etag_of(payload: Any) -> str:
    """A tag that changes with the payload as this caller sees it."""
    return f'"{hashlib.sha256(encode(payload)).hexdigest()[:24]}"'


def _conditional(request: Request, payload: Any) -> Response:
    """The payload, or 304 where the client has it (``If-None-Match``; RFC 9110, 13.1.2)."""
    if isinstance(payload, Response) or payload is None:
        return payload if isinstance(payload, Response) else Response(payload)
    tag = etag_of(payload)
    if tag in _tags(request.headers.get("If-None-Match", "")):
        return Response(status=304, headers={"ETag": tag})
    return Response(payload, headers={"ETag": tag})


def _tags(header: str) -> set[str]:
    return {tag.strip().removeprefix("W/") for tag in header.split(",")}
