"""``manage.py verify_audit``: walks the chain of the audit."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from chat import audit


class Command(BaseCommand):
    help = "Checks that no row of the audit was changed, added or taken out. Ends with 1 when one was."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--head",
            help="a digest that was printed before: it must still be in the chain (shows a cut-off end)",
        )

    def handle(self, *, head: str | None, **_: Any) -> None:
        verdict = audit.verify()
        if verdict.broken_at is not None:
            raise CommandError(f"The chain is broken at action {verdict.broken_at} ({verdict.last_at}).")
        if head is not None and not audit.holds(head):
            raise CommandError(f"The digest {head} is no longer in the chain: its end was cut off.")
        self.stdout.write(f"{verdict.count} actions, unbroken. Head: {verdict.head}")
