"""bin/dev from start to stop, as a person runs it."""

import os
import signal
import socket
import stat
import subprocess
import uuid
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.faults.test_services import OWN, gone, place
from tests.services import ROOT, wait_for

__all__ = ["place"]

MARK = "DEV_TEST_MARK"
StartDev = Callable[..., "Dev"]


class Dev:
    """One run of bin/dev; every process it starts is found by a mark in its environment."""

    def __init__(self, data: Path, *arguments: str, port: int | None = None) -> None:
        self.data = data
        self.port = port or _free_port()
        self.mark = uuid.uuid4().hex
        self.output = ""
        inherited = {name: value for name, value in os.environ.items() if name not in {*OWN, "REDIS_PREFIX"}}
        self.process = subprocess.Popen(
            ["bin/dev", "--port", str(self.port), "--data", data, *arguments],
            cwd=ROOT,
            env={**inherited, MARK: self.mark},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def wait_ready(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.output += line
            if line == f"Ready: http://127.0.0.1:{self.port}/\n":
                return
        raise AssertionError(self.output)

    def get(self, path: str) -> tuple[int, str]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        connection.request("GET", path)
        answer = connection.getresponse()
        result = answer.status, answer.read().decode()
        connection.close()
        return result

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        self.output += self.process.communicate(timeout=30)[0]
        return self.process.returncode

    def leaves_nothing(self) -> bool:
        return wait_for(lambda: not self._marked(), seconds=10) and gone(self.data)

    def _marked(self) -> list[str]:
        wanted = f"{MARK}={self.mark}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if wanted in path.read_bytes():
                    found.append(path.parent.name)
            except OSError:
                continue
        return found


@pytest.fixture
def start_dev(place: Path) -> Iterator[StartDev]:
    started: list[Dev] = []

    def start(*arguments: str, data: str = "data", port: int | None = None) -> Dev:
        started.append(Dev(place / data, *arguments, port=port))
        return started[-1]

    yield start
    for dev in started:
        if dev.process.poll() is None:
            dev.stop()


def test_first_start_seeds_and_the_second_finds_everything_again(start_dev: StartDev) -> None:
    dev = start_dev()
    dev.wait_ready()
    password_file = dev.data / "admin-password"
    password = password_file.read_text().strip()
    assert stat.S_IMODE(password_file.stat().st_mode) == 0o600
    assert password in dev.output
    assert dev.get("/readyz")[0] == 200
    assert dev.get("/rooms/lobby/")[0] == 200
    assert dev.stop(signal.SIGINT) == 0
    assert dev.leaves_nothing()

    again = start_dev()
    again.wait_ready()
    assert password not in again.output
    assert password_file.read_text().strip() == password
    assert again.get("/rooms/lobby/")[0] == 200
    assert again.stop(signal.SIGTERM) == 0
    assert again.leaves_nothing()


def test_several_processes_serve_one_port(start_dev: StartDev) -> None:
    dev = start_dev("--processes", "2", "--no-limits")
    dev.wait_ready()
    assert dev.get("/readyz")[0] == 200
    assert dev.stop() == 0
    assert dev.leaves_nothing()


def test_a_taken_port_is_one_sentence_and_nothing_stays(start_dev: StartDev) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        dev = start_dev(port=port)
        output, _ = dev.process.communicate(timeout=60)
    assert dev.process.returncode == 1
    sentences = [line for line in output.splitlines() if "cannot enter" not in line]
    assert len(sentences) == 1
    assert f"Port {port}" in sentences[0]
    assert dev.leaves_nothing()


def test_a_wrong_argument_shows_the_usage(start_dev: StartDev) -> None:
    dev = start_dev("--what")
    output, _ = dev.process.communicate(timeout=30)
    assert dev.process.returncode == 2
    assert "usage: bin/dev" in output


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
