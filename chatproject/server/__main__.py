"""``python -m chatproject.server``: what ``manage.py serve`` runs, without loading Django in the parent."""

import argparse
import errno
import ipaddress
import os
import resource
import socket
import sys

from chatproject import environment
from chatproject.server.supervisor import Supervisor

DEFAULT_PORT = 8000
BACKLOG = 1024


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help=f"port to listen on (default {DEFAULT_PORT})"
    )
    parser.add_argument("--processes", type=int, default=1, help="how many processes serve (default 1)")
    parser.add_argument("--fd", type=int, help="serve from this inherited listening socket instead")
    parser.add_argument(
        "--prepare", metavar="DIR", help="migrate and seed first, keeping the password in DIR"
    )
    parser.add_argument("--jobs", action="store_true", help="run the background jobs in a process beside")
    parser.add_argument("--no-limits", action="store_true", help="lift the rate limits; on loopback only")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="serve", description="Serve the site over HTTP and WebSocket.")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    if options.processes < 1:
        parser.error("--processes must be at least 1")
    try:
        listening = _listen(host=options.host, port=options.port, fd=options.fd)
    except OSError as error:
        print(_why_not(error, host=options.host, port=options.port), file=sys.stderr)
        return 1
    if options.no_limits:
        os.environ["NO_LIMITS"] = "1"
    if environment.flag("NO_LIMITS", default=False) and not _is_loopback(listening):
        print("NO_LIMITS and --no-limits are refused on any address but loopback.", file=sys.stderr)
        return 1
    os.environ.setdefault("SITE_URL", _url(listening))
    _raise_file_limit()
    site_url = os.environ["SITE_URL"].rstrip("/")
    return Supervisor(
        listening=listening,
        site_url=site_url,
        processes=options.processes,
        prepare=options.prepare,
        jobs=options.jobs,
    ).run()


def _listen(*, host: str, port: int, fd: int | None) -> socket.socket:
    if fd is not None:
        return socket.socket(fileno=fd)
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, protocol)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(address)
    listening.listen(BACKLOG)
    return listening


def _why_not(error: OSError, *, host: str, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} on {host} is taken by another program: stop that one, or give another --port."
    return f"Cannot listen on {host} port {port}: {error.strerror}."


def _is_loopback(listening: socket.socket) -> bool:
    if listening.family not in (socket.AF_INET, socket.AF_INET6):
        return True
    return ipaddress.ip_address(listening.getsockname()[0]).is_loopback


def _url(listening: socket.socket) -> str:
    if listening.family not in (socket.AF_INET, socket.AF_INET6):
        return f"http://127.0.0.1:{DEFAULT_PORT}"
    host, port = listening.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _raise_file_limit() -> None:
    """Every socket is a file: take what the system allows, not the low default for shells."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
