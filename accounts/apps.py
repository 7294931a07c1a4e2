"""Django's view of this application, and the admin site that people sign in to by our own door."""

from django.apps import AppConfig
from django.conf import settings
from django.contrib.admin import apps as admin
from django.core.exceptions import ImproperlyConfigured

MIN_KEY_CHARS = 32


class AccountsConfig(AppConfig):
    """People."""

    name = "accounts"
    default = True

    def ready(self) -> None:
        if any(len(key) < MIN_KEY_CHARS for key in settings.TOKEN_KEYS):
            raise ImproperlyConfigured(f"Each of TOKEN_KEYS has at least {MIN_KEY_CHARS} characters.")


class StaffAdminConfig(admin.AdminConfig):
    """Django admin with ``StaffSite`` in the place of its own site."""

    default = False
    default_site = "accounts.staff.StaffSite"
