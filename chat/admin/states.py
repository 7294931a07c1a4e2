"""The state before and after an action, as people read it."""

from datetime import datetime
from typing import Any

from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime

from accounts.models import User
from chat.models import ModerationAction, Room

_PEOPLE = {"deleted_by", "assignee"}
_ROOMS = {"room_id"}
_SEAT = {"role": "Role", "joined_at": "Joined", "read_seq": "Read up to"}
_LABELS = {
    "deleted_at": "Removed at",
    "deleted_by": "Removed by",
    "in_force": "Sanctions in force",
    "seat": "Membership",
    "removed": "Messages removed",
    "until": "Until",
    "state": "State",
    "assignee": "Assigned to",
    "outcome": "Outcome",
    "hidden": "Message hidden",
    "role": "Role",
    "guest_policy": "Guests",
    "slow_mode_seconds": "Slow mode, seconds",
    "hide_after_reports": "Hide after reports",
    "archived_at": "Archived at",
    "is_active": "May sign in",
    "is_staff": "Staff",
    "is_superuser": "Superuser",
    "mute_minutes": "Mute, minutes",
    "room_id": "Room",
}
NOTHING = "—"
MAX_LISTED = 12


def changes(action: ModerationAction) -> list[tuple[str, str, str, bool]]:
    """A row for each field: its name, before, after, and whether it differs. At most two statements."""
    before, after = action.before or {}, action.after or {}
    names = [*before, *(name for name in after if name not in before)]
    say = _Words([before, after])
    return [
        (
            _LABELS.get(name, name.replace("_", " ").capitalize()),
            say(name, before.get(name)),
            say(name, after.get(name)),
            before.get(name) != after.get(name),
        )
        for name in names
    ]


class _Words:
    """Values in words, with the names of people and rooms in the place of their ids."""

    def __init__(self, states: list[dict[str, Any]]) -> None:
        people = {state[name] for state in states for name in _PEOPLE & state.keys()} - {None}
        rooms = {state[name] for state in states for name in _ROOMS & state.keys()} - {None}
        self._people = (
            dict(User.objects.filter(pk__in=people).values_list("pk", "display_name")) if people else {}
        )
        self._rooms = dict(Room.objects.filter(pk__in=rooms).values_list("pk", "name")) if rooms else {}

    def __call__(self, name: str, value: Any) -> str:
        if value is None or value in ("", [], {}):
            return NOTHING
        if name in _PEOPLE:
            return f"{self._people.get(value, 'someone')} (#{value})"
        if name in _ROOMS:
            return f"{self._rooms.get(value, 'a room')} (#{value})"
        return _plain(value)


def _plain(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list):
        more = f" and {len(value) - MAX_LISTED} more" if len(value) > MAX_LISTED else ""
        listed = ", ".join(f"#{item}" if isinstance(item, int) else str(item) for item in value[:MAX_LISTED])
        return f"{listed}{more}"
    if isinstance(value, dict):
        return ", ".join(f"{_SEAT.get(name, name)}: {_plain(item)}" for name, item in value.items())
    moment = _moment(value)
    return formats.date_format(timezone.localtime(moment), "DATETIME_FORMAT") if moment else str(value)


def _moment(value: Any) -> datetime | None:
    if not isinstance(value, str) or "T" not in value:
        return None
    try:
        found = parse_datetime(value)
    except ValueError:
        return None
    return found if found is not None and timezone.is_aware(found) else None
