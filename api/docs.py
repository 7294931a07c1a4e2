"""The pages of the OpenAPI document."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """For everybody. Its policy is the site's but for Trusted Types, which Swagger UI knows nothing of."""
    response = render(request, "api/docs.html")
    without = {"require-trusted-types-for": None, "trusted-types": None}
    response._csp_replace = without  # type: ignore[attr-defined]  # django-csp's own interface
    return response
