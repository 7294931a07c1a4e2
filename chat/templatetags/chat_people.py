"""Template filters that draw people and rooms from ids and names, as static/js/lib/people.js does."""

import unicodedata
from typing import Any

from django import template

register = template.Library()

_HUES = 8
_CUTS = 6
_JOINER = "\u200d"


@register.filter
def bead_class(user: Any) -> str:
    """The classes of a person's bead; a guest is hollow and has no cut, None is somebody without a name."""
    if not user:
        return "avatar avatar--nobody"
    number = _field(user, "id")
    hue = f"avatar--hue-{number % _HUES + 1}"
    if _field(user, "is_guest"):
        return f"avatar {hue} avatar--guest"
    return f"avatar {hue} avatar--cut-{number // _HUES % _CUTS + 1}"


@register.filter
def initials(user: Any) -> str:
    """One letter for a guest, the first and the last word's for an account."""
    if not user:
        return ""
    words = _field(user, "display_name").split()
    chosen = words[:1] if _field(user, "is_guest") or len(words) < 2 else [words[0], words[-1]]
    return "".join(first_letter(word) for word in chosen)


@register.filter
def tile_class(room: Any) -> str:
    """The classes of a room's tile."""
    return f"tile tile--hue-{_field(room, 'id') % _HUES + 1}"


@register.filter
def mine(rooms: list[Any]) -> list[Any]:
    """The rooms of a list that the reader belongs to."""
    return [room for room in rooms if _field(room, "role")]


@register.filter
def others(rooms: list[Any]) -> list[Any]:
    """The rooms of a list that the reader may only visit."""
    return [room for room in rooms if not _field(room, "role")]


@register.filter
def first_letter(name: str) -> str:
    """The first grapheme of a name, in capitals where the script has them."""
    letters = name.strip()
    if not letters or unicodedata.category(letters[0]).startswith("M"):
        return ""
    end = 1
    while end < len(letters) and unicodedata.category(letters[end]).startswith("M"):
        end += 1
    while end + 1 < len(letters) and letters[end] == _JOINER:
        end += 2
        while end < len(letters) and unicodedata.category(letters[end]).startswith("M"):
            end += 1
    return letters[:end].upper()


def _field(thing: Any, name: str) -> Any:
    """A field of a payload: a mapping in templates, a struct elsewhere."""
    return thing[name] if isinstance(thing, dict) else getattr(thing, name)
