"""``python -m chatproject.launcher run [--data DIR | --ephemeral [--durable]] -- COMMAND …``"""

import argparse
import sys
from pathlib import Path

from chatproject.launcher.errors import LauncherError
from chatproject.launcher.run import run


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="chatproject.launcher", description=run.__doc__)
    commands = parser.add_subparsers(dest="action", required=True)
    command = commands.add_parser("run", help="run a command with PostgreSQL and Valkey around it")
    command.add_argument("--data", type=Path, default=Path(".data"), help="folder that keeps the data")
    command.add_argument(
        "--ephemeral", action="store_true", help="fast, in a temporary folder, gone at the end"
    )
    command.add_argument(
        "--durable",
        action="store_true",
        help="with --ephemeral: written to disk, so that a crash loses nothing",
    )
    command.add_argument("command", nargs=argparse.REMAINDER, help="-- and the command")
    options = parser.parse_args(arguments)
    words = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not words:
        parser.error("no command given")
    try:
        return run(words, data=options.data, ephemeral=options.ephemeral, durable=options.durable)
    except LauncherError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
