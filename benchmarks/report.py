from typing import Any


def write(*_: Any) -> None: ...
