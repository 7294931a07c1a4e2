"""What every template may use."""

from django.conf import settings
from django.http import HttpRequest


def site(_request: HttpRequest) -> dict[str, str]:
    """The name of the site."""
    return {"site_name": settings.SITE_NAME}
