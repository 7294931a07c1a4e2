"""Django's view of this application."""

from django.apps import AppConfig
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

MIN_KEY_CHARS = 32


class AccountsConfig(AppConfig):
    """People."""

    name = "accounts"
    default = True

    def ready(self) -> None:
        if any(len(key) < MIN_KEY_CHARS for key in settings.TOKEN_KEYS):
            raise ImproperlyConfigured(f"Each of TOKEN_KEYS has at least {MIN_KEY_CHARS} characters.")
