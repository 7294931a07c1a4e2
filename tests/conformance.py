"""What bin/conformance runs: both servers with the echo, Autobahn's client against them, and the figures.

``python -m tests.conformance WSTEST REPORT`` ends with 1 where ours fails a case that plain Daphne passes.
"""

import json
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

from chatproject.launcher.processes import wait_until

CASES = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "10.*"]
GROUPS = {
    "1": "framing",
    "2": "pings and pongs",
    "3": "reserved bits",
    "4": "opcodes",
    "5": "fragmentation",
    "6": "UTF-8",
    "7": "closing",
    "10": "fragments of one frame",
}
OURS, PLAIN = "this server", "plain Daphne"
# Anything else is a failure, in the suite's own words.
PASSED = {"OK", "INFORMATIONAL", "NON-STRICT"}
START_SECONDS = 30
_ABOUT = (
    "Written by `bin/conformance`: the fuzzing client of Autobahn's test suite against our server's class "
    "and plain Daphne, both with an echo (`tests/faults/echo.py`), because the suite compares what comes "
    "back. The protocol of the chat itself is held against RFC 6455 by `tests/faults/test_rfc6455.py`."
)
_FIGURES = (
    "Each field is cases passed of cases run; in brackets those passed non-strictly: the connection fails "
    "as it must, but later than it could, or before what was sent just before is echoed. That number "
    "varies by a case or two from run to run."
)
Results = dict[str, dict[str, str]]


def main() -> int:
    wstest, report = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        results = run(wstest, Path(folder))
    text, new = written(results[OURS], results[PLAIN])
    Path(report).write_text(text, encoding="utf-8")
    print(f"{len(results[OURS])} cases; failed here and not by plain Daphne: {', '.join(new) or 'none'}")
    return 1 if new else 0


def run(wstest: str, folder: Path) -> dict[str, Results]:
    """What became of each case, by server."""
    ports = [_free_port(), _free_port()]
    commands = [
        ["-m", "tests.faults.echo", str(ports[0])],
        ["-m", "daphne", "-p", str(ports[1]), "tests.faults.echo:application"],
    ]
    with (folder / "servers.log").open("wb") as log:
        servers = [
            subprocess.Popen([sys.executable, *command], stdout=log, stderr=log) for command in commands
        ]
        try:
            if not wait_until(lambda: all(map(_listens, ports)), seconds=START_SECONDS):
                raise SystemExit((folder / "servers.log").read_text())
            spec = {
                "outdir": str(folder / "reports"),
                "servers": [
                    {"agent": agent, "url": f"ws://127.0.0.1:{port}/"}
                    for agent, port in zip((OURS, PLAIN), ports, strict=True)
                ],
                "cases": CASES,
                "exclude-cases": [],
                "exclude-agent-cases": {},
            }
            (folder / "spec.json").write_text(json.dumps(spec))
            subprocess.run([wstest, "-m", "fuzzingclient", "-s", folder / "spec.json"], check=True)
        finally:
            for server in servers:
                server.terminate()
                server.wait()
    found: dict[str, Results] = json.loads((folder / "reports/index.json").read_text())
    return found


def written(ours: Results, plain: Results) -> tuple[str, list[str]]:
    """The page, and the cases that only ours fails."""
    failed = {name: [case for case in sorted(cases, key=_place) if not _passed(cases[case])]
              for name, cases in ((OURS, ours), (PLAIN, plain))}  # fmt: skip
    new = [case for case in failed[OURS] if case not in failed[PLAIN]]
    lines = [
        "# Conformance",
        "",
        _ABOUT,
        "",
        f"Daphne {version('daphne')}, Autobahn {version('autobahn')}, Twisted {version('twisted')}. "
        + _FIGURES,
        "",
        f"| cases | | {OURS} | {PLAIN} |",
        "|---|---|---|---|",
        *(
            f"| {group} | {about} | {_figure(ours, group)} | {_figure(plain, group)} |"
            for group, about in GROUPS.items()
        ),
        "",
        f"Failed by both: {_listed([case for case in failed[OURS] if case in failed[PLAIN]])}. These echo an "
        "empty message, and Daphne sends none; no frame of the chat is empty.",
        "",
        f"Failed by this server alone: {_listed(new)}. "
        f"By plain Daphne alone: {_listed([case for case in failed[PLAIN] if case not in failed[OURS]])}.",
    ]
    return "\n".join(lines) + "\n", new


def _figure(cases: Results, group: str) -> str:
    own = [result for case, result in cases.items() if case.partition(".")[0] == group]
    count = Counter(result["behavior"] for result in own)
    loose = f" ({count['NON-STRICT']})" if count["NON-STRICT"] else ""
    return f"{sum(map(_passed, own))} of {len(own)}{loose}"


def _passed(result: dict[str, str]) -> bool:
    return result["behavior"] in PASSED and result["behaviorClose"] in PASSED


def _listed(cases: list[str]) -> str:
    return ", ".join(cases) or "none"


def _place(case: str) -> list[int]:
    return [int(part) for part in case.split(".")]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: Any = probe.getsockname()[1]
        return int(port)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    sys.exit(main())
