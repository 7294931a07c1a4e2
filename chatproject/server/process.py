"""One serving process: Daphne on uvloop over an inherited listening socket, with a drain.

The parent starts it as ``python -m chatproject.server.process``; the order of the imports in ``main``
matters, because Twisted's reactor is chosen once, before anything imports it.
"""

import argparse
import gc
import logging
import os
import socket
import sys
from typing import Any

logger = logging.getLogger(__name__)


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="chatproject.server.process")
    parser.add_argument("--fd", type=int, required=True, help="the inherited listening socket")
    parser.add_argument("--prepare", metavar="DIR", help="run the prepare command for this data folder first")
    options = parser.parse_args(arguments)
    _install_reactor()
    application = _load_application(prepare=options.prepare)
    from chatproject.server.daphne import Server

    _tune_garbage_collection()
    listening = socket.socket(fileno=options.fd)
    listening.setblocking(False)
    Server(application, listening=listening).run()
    logging.shutdown()
    sys.stdout.flush()
    # Threads still in a view would keep the interpreter alive until their statement times out.
    os._exit(0)


def _tune_garbage_collection() -> None:
    """What is loaded by now stays for ever and need not be looked through; the rest, less often.

    Each socket is some hundred objects: with the default threshold of 700 a wave of connections or a burst
    of messages is looked through again and again. But a socket that has gone leaves some twenty in circles,
    grown old by then: with 20 in place of 10 and 4 they waited for the better part of an hour.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 10, 4)


def _install_reactor() -> None:
    import uvloop
    from twisted.internet import asyncioreactor

    asyncioreactor.install(uvloop.new_event_loop())  # type: ignore[no-untyped-call]


def _load_application(*, prepare: str | None) -> Any:
    """The ASGI application, with the database migrated and seeded first when asked."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chatproject.settings")
    import django

    django.setup()
    if prepare is not None:
        from django.core.management import call_command

        call_command("prepare", data=prepare)
        sys.stdout.flush()
    from chatproject.asgi import application

    return application


if __name__ == "__main__":
    main(sys.argv[1:])
