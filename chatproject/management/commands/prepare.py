"""``manage.py prepare``: everything a data folder needs before the first visitor, each part once."""

import hashlib
import secrets
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser

from chatproject import seeding


class Command(BaseCommand):
    help = "Migrates, collects static files that have changed, and seeds the lobby and the staff account."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--data", required=True, help="the folder for the admin password")

    def handle(self, *, data: str, **_: Any) -> None:
        call_command("migrate", interactive=False, verbosity=0)
        collect_static()
        password = secrets.token_urlsafe(12)
        if seeding.seed(password):
            path = Path(data) / "admin-password"
            path.touch(mode=0o600)
            path.write_text(password + "\n", encoding="utf-8")
            self.stdout.write(f"Staff account: admin, password {password} (kept in {path})")


def collect_static() -> None:
    """Runs collectstatic if any file has changed since it last ran into this STATIC_ROOT."""
    root = Path(settings.STATIC_ROOT)
    stamp = root / ".collected"
    state = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            state.update(f"{name}:{storage.get_modified_time(name).timestamp()}\n".encode())
    if stamp.exists() and stamp.read_text() == state.hexdigest():
        return
    root.mkdir(parents=True, exist_ok=True)
    call_command("collectstatic", interactive=False, verbosity=0)
    stamp.write_text(state.hexdigest())
