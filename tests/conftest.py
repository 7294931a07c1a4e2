"""What every test may ask for: a migrated database, and servers on it."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.conf import settings
from django.core.signals import setting_changed
from django.db import connections
from django.test.client import ClientHandler
from pytest_django import DjangoDbBlocker

from tests import services
from tests.services import METRICS_TOKEN, RunningServer

_load_middleware = ClientHandler.load_middleware
_loaded: dict[str, Any] = {}


def _load_middleware_once(self: ClientHandler) -> None:
    """Each test client would load it anew, and WhiteNoise look through all static files each time."""
    if "chain" not in _loaded:
        _load_middleware(self)
        _loaded["chain"] = self._middleware_chain
    self._middleware_chain = _loaded["chain"]


ClientHandler.load_middleware = _load_middleware_once
setting_changed.connect(lambda **_: _loaded.clear(), weak=False)


def pytest_configure() -> None:
    if settings.DATABASES["default"]["NAME"] != services.CLONE:
        raise pytest.UsageError("Add -p tests.services: it must be loaded before Django's settings.")


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """Replaces pytest-django's: this worker's clone is made from the template and needs no migration."""
    with services.migrated_clone():
        yield
        with django_db_blocker.unblock():
            for connection in connections.all(initialized_only=True):
                connection.close()
                if hasattr(connection, "close_pool"):
                    connection.close_pool()


@pytest.fixture
def committed_db(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The same database, without the transaction that is rolled back: what a test writes is there to stay.

    For tests whose data other processes must see. They make their own people and rooms, and expect no
    empty table.
    """
    with django_db_blocker.unblock():
        yield
        connections.close_all()


@pytest.fixture(scope="session")
def server(django_db_setup: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server of one process, shared by all tests of this worker."""
    running = services.serve(tmp_path_factory.mktemp("server") / "log", METRICS_TOKEN=METRICS_TOKEN)
    yield running
    running.stop()


@pytest.fixture
def start_server(
    django_db_setup: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., RunningServer]]:
    """Starts more servers: ``start_server(*arguments, NAME=value)``; they end with the test. ``module`` runs
    something else than our own."""
    started: list[RunningServer] = []

    def start(*arguments: str, module: Sequence[str] = (), **environment: str) -> RunningServer:
        log = tmp_path_factory.mktemp("server") / "log"
        started.append(services.serve(log, arguments=arguments, module=module, **environment))
        return started[-1]

    yield start
    for running in started:
        running.process.terminate()
    for running in started:
        running.stop()
