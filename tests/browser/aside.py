"""The database beside a browser: Playwright's loop runs in the test's thread, where Django would refuse."""

import functools
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import connections

_P = ParamSpec("_P")
_T = TypeVar("_T")

_NAME = "database"
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix=_NAME)


def aside(function: Callable[_P, _T]) -> Callable[_P, _T]:
    """Runs ``function`` in the one thread that uses the database, and waits for it."""

    @functools.wraps(function)
    def run(*args: _P.args, **kwargs: _P.kwargs) -> _T:
        if threading.current_thread().name.startswith(_NAME):
            return function(*args, **kwargs)
        return _thread.submit(function, *args, **kwargs).result()

    return run


close_connections = aside(connections.close_all)
