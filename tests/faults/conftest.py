"""What tests that break things ask for."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from chatproject.launcher.binaries import find_valkey
from chatproject.launcher.valkey import Valkey


@pytest.fixture
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Valkey]:
    """A Valkey of this test alone, which it may stop."""
    folder = tmp_path_factory.mktemp("v")
    server = Valkey(program=find_valkey(), folder=folder / "data", sockets=Path(folder), log=folder / "log")
    server.start()
    server.wait_ready()
    yield server
    server.stop()
