"""Typed reader of environment variables: the only place settings come from.

A secret may also come from the file that ``NAME_FILE`` names (Docker and systemd credentials).
"""

import os
from datetime import timedelta
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"1", "true", "yes", "on"})
FALSE_WORDS = frozenset({"0", "false", "no", "off", ""})


def text(name: str, default: str | None = None) -> str:
    """The value of ``name``, else the content of the file ``name_FILE`` names, else ``default``.

    Raises ImproperlyConfigured when nothing is given and there is no default.
    """
    value = os.environ.get(name)
    if value is not None:
        return value
    path = os.environ.get(f"{name}_FILE")
    if path:
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE cannot be read: {error}") from error
    if default is None:
        raise ImproperlyConfigured(f"Set {name} (or {name}_FILE); see .env.example.")
    return default


def flag(name: str, *, default: bool) -> bool:
    """``name`` as a yes or no."""
    word = text(name, "1" if default else "0").strip().lower()
    if word in TRUE_WORDS:
        return True
    if word in FALSE_WORDS:
        return False
    raise ImproperlyConfigured(f"{name} must be yes or no, not {word!r}.")


def integer(name: str, *, default: int) -> int:
    """``name`` as a whole number."""
    raw = text(name, str(default))
    try:
        return int(raw)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name} must be a whole number, not {raw!r}.") from error


def days(name: str, *, default: int) -> timedelta:
    """``name`` as a number of days."""
    return timedelta(days=integer(name, default=default))


def words(name: str, default: str = "") -> list[str]:
    """``name`` as a list, separated by commas or spaces."""
    return text(name, default).replace(",", " ").split()
