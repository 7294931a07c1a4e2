"""``manage.py expire_guests``: run it once a day."""

from typing import Any

from django.core.management.base import BaseCommand

from accounts.actions.guests import expire_guests
from accounts.actions.revocation import prune_credentials


class Command(BaseCommand):
    """Frees the names of guests who stayed away, and deletes credentials that have run out."""

    help = "Frees the names of idle guests and deletes sessions, tokens and tickets that have run out."

    def handle(self, *args: Any, **options: Any) -> None:
        guests = expire_guests()
        rows = prune_credentials()
        self.stdout.write(f"{guests} guests expired, {rows} rows of credentials deleted.")
