"""The pages of the OpenAPI document."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from chatproject.policies import WITHOUT_TRUSTED_TYPES


@require_safe
def docs(request: HttpRequest) -> HttpResponse:
    """For everybody. Its policy is the site's but for Trusted Types, which Swagger UI knows nothing of."""
    response = render(request, "api/docs.html")
    response._csp_config = WITHOUT_TRUSTED_TYPES  # type: ignore[attr-defined]  # django-csp's own interface
    return response
