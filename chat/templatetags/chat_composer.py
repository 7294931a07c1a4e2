"""Why the foot of a room has no message box, for the first page: as static/js/ui/composer.js says it."""

from typing import Any, TypedDict

from django import template
from django.utils import dateformat
from django.utils.translation import gettext

from chat.models import GuestPolicy, Role, RoomKind
from chat.templatetags.chat_timeline import parse, since

register = template.Library()

_LEADS = {Role.OWNER, Role.MODERATOR}
_OPEN_TO_GUESTS_WHO_WRITE = {GuestPolicy.WRITE, GuestPolicy.APPROVAL}


class Closed(TypedDict, total=False):
    """What stands in the place of the box."""

    icon: str
    text: str
    role: str
    signs_in: bool


@register.simple_tag
def closed_because(room: dict[str, Any], me: dict[str, Any] | None) -> Closed | None:
    """Why the reader cannot write in ``room``; None when they can."""
    if room["archived_at"]:
        day = dateformat.format(parse(room["archived_at"]), "j F")
        text = gettext("This room is closed since %(day)s. You can still read it.") % {"day": day}
        return {"icon": "lock", "text": text}
    if room["restriction"]:
        return {"icon": "clock", "text": _muted(room["restriction"]), "role": "alert"}
    if room["kind"] == RoomKind.ANNOUNCEMENT and room["role"] not in _LEADS:
        return {"icon": "news", "text": gettext("Only moderators write in this room.")}
    needs_account = room["kind"] != RoomKind.PRIVATE and room["guest_policy"] not in _OPEN_TO_GUESTS_WHO_WRITE
    if needs_account and (me is None or me["is_guest"]):
        return {"icon": "people", "text": gettext("Sign in to write here."), "signs_in": True}
    return None


@register.filter
def read_first(room: dict[str, Any], me: dict[str, Any] | None) -> bool:
    """Whether what the reader writes waits for a moderator, by the room's rule."""
    is_account = me is not None and not me["is_guest"]
    return room["guest_policy"] == GuestPolicy.APPROVAL and not is_account and room["role"] not in _LEADS


@register.filter
def reason_given(reason: str) -> str:
    """The reason that a moderator gave, as a sentence."""
    if not reason:
        return ""
    return gettext("Reason given: %(reason)s") % {"reason": reason} + ("" if reason[-1] in ".!?…。؟" else ".")


def _muted(restriction: dict[str, Any]) -> str:
    lead = gettext("You cannot write here.")
    if restriction["ends_at"]:
        until = since(parse(restriction["ends_at"]))
        lead = gettext("You cannot write until %(until)s.") % {"until": until}
    return f"{lead} {reason_given(restriction['reason'])}".strip()
