"""``manage.py new_epoch``: after a restore from a backup, makes every client load its rooms again."""

import uuid
from typing import Any

from django.core.management.base import BaseCommand

from chat.models import Incarnation


class Command(BaseCommand):
    help = "Changes the stored part of the epoch: every reader drops what it has and loads a snapshot."

    def handle(self, **_: Any) -> None:
        Incarnation.objects.update_or_create(pk=1, defaults={"value": uuid.uuid4()})
