"""Django's view of this application, and the admin site that people sign in to by our own door."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class AccountsConfig(AppConfig):
    """People."""

    name = "accounts"
    default = True


class StaffAdminConfig(admin.AdminConfig):
    """Django admin with ``StaffSite`` in the place of its own site."""

    default = False
    default_site = "accounts.staff.StaffSite"
