"""``manage.py serve``: our Daphne, with its processes."""

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from chatproject.server.__main__ import add_arguments


class Command(BaseCommand):
    help = "Serves the site over HTTP and WebSocket with one or more processes."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        add_arguments(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Become the supervisor: it must not carry the Django that this command has loaded."""
        command = [sys.executable, "-m", "chatproject.server"]
        command += ["--host", options["host"], "--port", str(options["port"])]
        command += ["--processes", str(options["processes"])]
        if options["fd"] is not None:
            command += ["--fd", str(options["fd"])]
        if options["prepare"] is not None:
            command += ["--prepare", options["prepare"]]
        if options["no_limits"]:
            command.append("--no-limits")
        os.execv(sys.executable, command)  # noqa: S606
