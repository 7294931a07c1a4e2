"""The chat app, and the admin site whose index is the desk."""

from django.apps import AppConfig
from django.contrib.admin import apps as admin
from django.db.models.signals import post_migrate


class ChatConfig(AppConfig):
    name = "chat"
    default = True
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chat import roles, wiring

        wiring.connect()
        post_migrate.connect(roles.make_groups, dispatch_uid="chat.roles")


class DeskAdminConfig(admin.AdminConfig):
    """Django admin with ``DeskSite`` in the place of its own site."""

    default = False
    default_site = "chat.staff.DeskSite"
