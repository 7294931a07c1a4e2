"""What stands around every request: its line in the log, its limit, and refusals told in one way."""

import math
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import structlog
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from chatproject import policies
from chatproject.address import request_address
from chatproject.errors import AppError, Code
from chatproject.limits import PAGES_PER_ADDRESS, check

logger = structlog.get_logger("request")
GetResponse = Callable[[HttpRequest], HttpResponse]
# Asked by machines as often as they like; they read no row, and must answer while everything else refuses.
PROBES = frozenset({"/healthz", "/readyz"})
# Pages that exist for a refusal; other codes share 500's, which says to try again.
_PAGES = {401: "403.html", 403: "403.html", 404: "404.html", 429: "429.html"}


class RequestLog:
    """One line a request, with an id that the answer carries too. No query string, no body, no cookie."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.monotonic()
        request_id = uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            logger.info(
                "request",
                method=request.method,
                path=request.path,
                status=response.status_code,
                ms=round((time.monotonic() - began) * 1000),
            )
        response["X-Request-ID"] = request_id
        return response


class OwnResources:
    """No page of another site may take in an answer of ours as an image, a script or a style."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        name, value = policies.RESOURCES
        response.headers.setdefault(name, value)
        return response


class Policies:
    """Gives each answer the policy of its sort; see chatproject.policies."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            response._csp_config = policies.CLOSED  # type: ignore[attr-defined]  # django-csp's own interface
        elif request.path.startswith("/admin/"):
            # Under Trusted Types the admin's jQuery throws.
            response._csp_config = policies.WITHOUT_TRUSTED_TYPES  # type: ignore[attr-defined]
        return response


class Limited:
    """Counts every request against its address, before its view looks at anything; REST counts its own."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_: Any) -> HttpResponse | None:
        is_rest = hasattr(view, "cls")  # REST framework names its views so, and api.door counts in each
        if is_rest or request.path in PROBES:
            return None
        try:
            check(PAGES_PER_ADDRESS, request_address(request))
        except AppError as refusal:
            return refused(request, refusal)
        return None


class Refusals:
    """Turns an AppError that a view raises into problem+json (RFC 9457), or into a page for people."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        return refused(request, error) if isinstance(error, AppError) else None


def refused(request: HttpRequest, error: AppError) -> HttpResponse:
    """``error`` as problem+json for whoever asks for JSON, else as a page."""
    if "application/json" in request.headers.get("Accept", ""):
        return problem(error)
    if error.code == Code.NOT_FOUND:
        raise Http404
    page = _PAGES.get(error.status, "500.html")
    response = render(request, page, {"refusal": error}, status=error.status)
    if error.retry_after is not None:
        response["Retry-After"] = _whole_seconds(error.retry_after)
    return response


def problem(error: AppError) -> JsonResponse:
    """``error`` as RFC 9457 problem details, with our ``code``."""
    body: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "code": error.code,
        "detail": error.message,
    }
    if error.fields:
        body["fields"] = error.fields
    headers = {}
    if error.retry_after is not None:
        body["retry_after"] = error.retry_after
        headers["Retry-After"] = _whole_seconds(error.retry_after)
    return JsonResponse(body, status=error.status, headers=headers, content_type="application/problem+json")


def _whole_seconds(wait: float) -> str:
    return str(max(1, math.ceil(wait)))
