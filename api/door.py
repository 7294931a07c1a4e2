"""What every endpoint shares: ids, input, answer, headers, and its entry in the OpenAPI document."""

from collections.abc import Callable
from functools import wraps
from typing import Any

import msgspec
from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.credentials import Credential
from accounts.scopes import check_scope
from api.inputs import MAX_ID, Input, Nothing, parse_input
from api.limiting import take_by_address, write_headers
from api.problems import PROBLEM_TYPE, Problem
from api.schema import shape
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

    def perform_authentication(self, request: Request) -> None:
        """A bad token counts against its address: it fails before the throttle is asked."""
        try:
            super().perform_authentication(request)
        except AppError:
            take_by_address(request, REST_PER_ADDRESS)
            raise

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
            if request.method not in {"GET", "HEAD"}:
                given |= parse_input(request.data, body)
            result = method(self, given, **ids)
            return result if isinstance(result, Response) else Response(result, statuses[0])

        shown = shape(*(answer if isinstance(answer, tuple) else (answer,))) if answer else None
        described: Method = extend_schema(
            operation_id=name,
            extensions={"x-scope": scope} if scope else None,
            parameters=[query] if query is not Nothing else None,
            request=body if body is not Nothing else None,
            responses={
                **dict.fromkeys(statuses, shown),
                ("default", PROBLEM_TYPE): shape(Problem),
            },
        )(checked)
        return described

    return decorate


def _check_scope(request: Request, scope: str | None) -> None:
    """Raises AppError FORBIDDEN where an application comes without it."""
    if isinstance(request.auth, Credential) and request.auth.scopes is not None:
        if scope is None:
            raise AppError(Code.FORBIDDEN, "Applications cannot do this.")
        check_scope(request.auth.scopes, scope)
