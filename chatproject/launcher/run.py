"""Runs one command with its services around it, and ends everything when either side ends."""

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from chatproject.launcher.account import server_account
from chatproject.launcher.binaries import find_postgres, find_valkey
from chatproject.launcher.folders import DataFolder, RunFolder, sweep
from chatproject.launcher.postgres import Postgres
from chatproject.launcher.processes import spawn
from chatproject.launcher.valkey import Valkey

Service = Postgres | Valkey
SIGNALS = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD})
# A signal whose code is not positive was sent by a process; the terminal's own go to the command anyway.
SENT_BY_KERNEL = 0x80


class Stopped(Exception):
    """A signal ended the launcher before its command was started."""


def run(command: Sequence[str], *, data: Path, ephemeral: bool, durable: bool = False) -> int:
    """Run ``command`` with DATABASE_URL, REDIS_URL and SECRET_KEY set; returns its exit status.

    An ``ephemeral`` run forgets everything at its end; unless it is ``durable``, in a crash too.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    sweep()
    folder = RunFolder.make()
    kept: DataFolder | None = None
    services: list[Service] = []
    try:
        if ephemeral:
            place = folder.path / "data"
            place.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700)
        else:
            kept = DataFolder.open(data)
            place = kept.path
        services = _services(place, kept=kept, folder=folder, fast=ephemeral and not durable)
        for service in services:
            service.start()
        for service in services:
            service.wait_ready()
        if signal.sigpending() & {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}:
            raise Stopped
        return _run_command(
            command, environment=_environment(services, kept=kept, folder=folder), services=services
        )
    except Stopped:
        return 130
    finally:
        for service in reversed(services):
            service.stop()
        folder.remove()
        if kept is not None:
            kept.close()


def _services(place: Path, *, kept: DataFolder | None, folder: RunFolder, fast: bool) -> list[Service]:
    """The servers that must be started: those whose URL is not given."""
    services: list[Service] = []
    if not _given("DATABASE_URL"):
        account = server_account(kept.cluster() if kept else place / "postgres")
        services.append(
            Postgres(
                programs=find_postgres(),
                data=kept.move_cluster_into_reach(account) if kept else place / "postgres",
                sockets=folder.private("pg", account=account),
                log=place / "postgres.log",
                account=account,
                fast=fast,
            )
        )
    if not _given("REDIS_URL"):
        services.append(
            Valkey(
                program=find_valkey(),
                folder=place / "valkey",
                sockets=folder.private("vk"),
                log=place / "valkey.log",
            )
        )
    return services


def _given(name: str) -> bool:
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


def _environment(services: list[Service], *, kept: DataFolder | None, folder: RunFolder) -> dict[str, str]:
    # Whatever the command leaves in RUN_FOLDER is swept away even after a kill.
    environment = {**os.environ, "RUN_FOLDER": os.fspath(folder.path)}
    for service in services:
        environment["DATABASE_URL" if isinstance(service, Postgres) else "REDIS_URL"] = service.url
    if not _given("SECRET_KEY"):
        environment["SECRET_KEY"] = kept.secret_key() if kept else secrets.token_urlsafe(48)
    return environment


def _run_command(command: Sequence[str], *, environment: dict[str, str], services: list[Service]) -> int:
    """Start the command and wait for its end, passing on signals and restarting a server that dies."""
    try:
        process = spawn(command, death_signal=signal.SIGTERM, environment=environment, own_session=False)
    except OSError as error:
        print(f"{command[0]} cannot be run: {error.strerror}.", file=sys.stderr)
        return 127
    while (status := process.poll()) is None:
        received, from_terminal = _next_signal()
        if received == signal.SIGCHLD:
            _restart_dead(services)
        elif not (received == signal.SIGINT and from_terminal):
            _pass_on(process, received)
    return status if status >= 0 else 128 - status


def _next_signal() -> tuple[int, bool]:
    """The next signal, and whether the terminal sent it (to the whole group, so to the command too)."""
    if sys.platform == "linux":
        information = signal.sigwaitinfo(SIGNALS)
        return information.si_signo, information.si_code == SENT_BY_KERNEL
    return signal.sigwait(SIGNALS), False


def _pass_on(process: subprocess.Popen[bytes], number: int) -> None:
    process.send_signal(number)


def _restart_dead(services: list[Service]) -> None:
    for service in services:
        if service.died():
            print(
                f"{service.name} ended unexpectedly (see {service.log}); starting it again.", file=sys.stderr
            )
            time.sleep(0.2)
            service.start()
            service.wait_ready()
            print(f"{service.name} runs again.", file=sys.stderr)
