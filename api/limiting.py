"""The limits of REST, and the headers that tell of them (draft-ietf-httpapi-ratelimit-headers)."""

from dataclasses import replace
from typing import TYPE_CHECKING

from django.http import HttpRequest
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from accounts.credentials import Credential
from api.authentication import person
from chatproject.address import request_address
from chatproject.errors import AppError, Code
from chatproject.limits import (
    REST_PER_ADDRESS,
    REST_PER_APPLICATION,
    REST_PER_PERSON,
    Allowance,
    Limit,
    consume,
)

if TYPE_CHECKING:  # it imports this module, by way of the settings
    from rest_framework.views import APIView

_KEPT = "_rate_allowances"


class RestThrottle(BaseThrottle):
    """Counts every request: against the application, and the person or else the address."""

    def allow_request(self, request: Request, view: "APIView") -> bool:
        credential, user = request.auth, person(request)
        if isinstance(credential, Credential) and credential.application_id is not None:
            limit = replace(REST_PER_APPLICATION, count=credential.requests_per_minute)
            take(request, limit, credential.application_id)
        if user is None:
            take_by_address(request, REST_PER_ADDRESS)
        else:
            take(request, REST_PER_PERSON, user.pk)
        return True


def take(request: Request, limit: Limit, key: str | int) -> None:
    """Takes one from ``key`` and keeps for the headers what is left. Raises AppError RATE_LIMITED."""
    allowance = consume(limit, key)
    _kept(request._request).append(allowance)
    if not allowance.allowed:
        raise AppError(Code.RATE_LIMITED, retry_after=allowance.retry_after)


def take_by_address(request: Request, limit: Limit) -> None:
    """``take`` from the address of ``request``."""
    take(request, limit, request_address(request._request))


def write_headers(request: HttpRequest, response: Response) -> None:
    """``RateLimit-Policy`` and ``RateLimit`` for each limit that this request was counted against."""
    kept = _kept(request)
    if not kept:
        return
    response["RateLimit-Policy"] = ", ".join(
        f'"{one.limit.name}";q={one.limit.count};w={one.limit.per_seconds}' for one in kept
    )
    response["RateLimit"] = ", ".join(
        f'"{one.limit.name}";r={one.remaining};t={one.reset_seconds}' for one in kept
    )


def _kept(request: HttpRequest) -> list[Allowance]:
    kept: list[Allowance] = request.__dict__.setdefault(_KEPT, [])
    return kept
