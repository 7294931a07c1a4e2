"""The REST door."""

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """Registers what the OpenAPI document needs to know of our own classes."""

    name = "api"

    def ready(self) -> None:
        from api import schema  # noqa: F401
        from api.webhooks.jobs import on_appended
        from chat import log

        log.on_appended(on_appended)
