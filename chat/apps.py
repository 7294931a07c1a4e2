"""The chat app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class ChatConfig(AppConfig):
    name = "chat"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from chat import roles, wiring

        wiring.connect()
        post_migrate.connect(roles.make_groups, dispatch_uid="chat.roles")
