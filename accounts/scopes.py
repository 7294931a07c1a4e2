"""What an application may be allowed, and what that means in plain words.

One meaning on REST, sockets and streams. A scope gives nothing that the person does not have.
"""

from collections.abc import Iterable

from django.utils.translation import gettext_lazy as _

from chatproject.errors import AppError, Code

SCOPES = {
    "profile:read": _("See your name"),
    "rooms:read": _("See which rooms you have, and what they are about"),
    "rooms:write": _("Create rooms and change those that are yours"),
    "messages:read": _("Read the messages of your rooms"),
    "messages:write": _("Write, edit and delete messages in your name"),
    "members:read": _("See who is in your rooms"),
    "members:write": _("Join and leave rooms for you, and manage the members of rooms that are yours"),
    "webhooks:write": _("Have the events of your rooms sent to its own server"),
    "moderation:read": _("See reports, held messages and sanctions where you moderate"),
    "moderation:write": _("Moderate in your name where you may"),
    "realtime": _("Stay connected, and get what happens at once"),
}
# What is asked for where an application names nothing.
DEFAULT_SCOPES = ["profile:read"]


def check_scope(scopes: frozenset[str] | None, needed: str) -> None:
    """Raises AppError FORBIDDEN where a credential is not for this; None stands for all scopes."""
    if scopes is not None and needed not in scopes:
        raise AppError(Code.FORBIDDEN, f"This needs the scope {needed}.", fields={"scope": [needed]})


def parse_scopes(text: str) -> frozenset[str]:
    """The scopes in a text with spaces between them; unknown ones are left out."""
    return frozenset(SCOPES.keys() & set(text.split()))


def to_text(scopes: Iterable[str]) -> str:
    """As they stand in tokens: in the order of the table."""
    wanted = set(scopes)
    return " ".join(scope for scope in SCOPES if scope in wanted)
