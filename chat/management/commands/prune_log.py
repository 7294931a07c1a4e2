"""``manage.py prune_log``: to be run once a day."""

from typing import Any

from django.core.management.base import BaseCommand

from chat.actions.retention import prune_log


class Command(BaseCommand):
    help = "Removes events older than EVENT_RETENTION_DAYS from the log; messages stay."

    def handle(self, **_: Any) -> None:
        self.stdout.write(f"{prune_log()} events removed")
