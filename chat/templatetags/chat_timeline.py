"""The rows of a room for the first page that a browser gets, as static/js/lib/timeline.js makes them.

The server knows neither the reader's clock nor their region: times are UTC and 24 hours until the page's
own code takes over.
"""

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils import dateformat, timezone
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext

register = template.Library()

_RUN = timedelta(minutes=5)
_PREVIEW_CHARS = 200
_LINE_MARKS = re.compile(r"^\s*(?:```.*|#{1,6}\s|>\s?|[-*+]\s)", re.MULTILINE)
_WORD_MARKS = re.compile(r"[`*]|~~|__")


@register.simple_tag
def timeline(
    messages: list[dict[str, Any]],
    me: dict[str, Any] | None,
    room: dict[str, Any],
    target: int | None = None,
    quotes: Iterable[dict[str, Any]] = (),
    held: Iterable[dict[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Rows in order, by ``type``: ``day``, ``new`` and ``message``. ``quotes`` are messages that some answer
    from outside the page, ``held`` the reader's own that wait for a moderator: each stands at its time.
    """
    rows: list[dict[str, Any]] = []
    by_id = {message["id"]: message for message in [*quotes, *messages]}
    read = room["read"] if me and room["role"] and room["unread"] else None
    day, previous, marked = None, None, False
    for message in _in_time(messages, held):
        own = me is not None and message["author"]["id"] == me["id"]
        at = parse(message["created_at"])
        fresh = read is not None and not own and message["seq"] > read
        if at.date() != day:
            rows.append({"type": "day", "at": at, "first": not rows})
            day, previous = at.date(), None
        if fresh and not marked:
            rows.append({"type": "new", "at": _last_read(messages, read or 0)})
            marked, previous = True, None
        rows.append(
            {
                "type": "message",
                "message": message,
                "at": at,
                "first": _begins_run(previous, message, at),
                "own": own,
                "fresh": fresh,
                "state": "held" if message["seq"] is None else "",
                "target": target is not None and message["seq"] == target,
                "quoted": by_id.get(message["reply_to"]),
            }
        )
        previous = message
    return rows


@register.filter
def parse(instant: str) -> datetime:
    """An instant of a payload, in the server's zone."""
    return timezone.localtime(datetime.fromisoformat(instant.replace("Z", "+00:00")))


@register.filter
def clock(at: datetime) -> str:
    """The time of day."""
    return at.strftime("%H:%M")


@register.filter
def day(at: datetime) -> str:
    """The label of a day's separator."""
    today = timezone.localdate()
    if at.date() == today:
        return gettext("Today")
    return dateformat.format(at, "l j F" if at.year == today.year else "l, j F Y")


@register.filter
def when(at: datetime) -> str:
    """In a list: a time today, a weekday this week, else a date."""
    days = (timezone.localdate() - at.date()).days
    if days <= 0:
        return clock(at)
    return dateformat.format(at, "D" if days < 7 else "j M")


@register.filter
def exact(at: datetime) -> str:
    """On hover."""
    return dateformat.format(at, "l, j F Y, H:i")


@register.filter
def since(at: datetime) -> str:
    """Since when, with the day where it is not today."""
    if at.date() == timezone.localdate():
        return clock(at)
    return dateformat.format(at, "l j F, H:i")


@register.filter
def plain(body: str) -> str:
    """A body on one line without the marks of Markdown, cut for a preview or a quote."""
    line = _WORD_MARKS.sub("", _LINE_MARKS.sub("", body))
    return " ".join(line.split())[:_PREVIEW_CHARS]


@register.filter
def message_html(message: dict[str, Any]) -> SafeString:
    """The message as it was rendered and cleaned when written, with "edited" after its last word."""
    html: str = message["html"]
    if not message["edited_at"]:
        return mark_safe(html)  # noqa: S308 (chat.text cleaned it)
    title = exact(parse(message["edited_at"]))
    mark = f'class="message__edited" title="{title}">edited<'
    if html.endswith("</p>"):
        return mark_safe(f"{html[:-4]} <span {mark}/span></p>")  # noqa: S308
    return mark_safe(f"{html}<p {mark}/p>")  # noqa: S308


def _in_time(messages: Iterable[dict[str, Any]], held: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The messages of the log in their order; those that wait stand between them and have no seq."""
    waits = [{**message, "seq": None, "edited_at": None, "deleted_at": None} for message in held]
    merged: list[dict[str, Any]] = []
    for message in messages:
        while waits and waits[0]["created_at"] < message["created_at"]:
            merged.append(waits.pop(0))
        merged.append(message)
    return merged + waits


def _begins_run(previous: dict[str, Any] | None, message: dict[str, Any], at: datetime) -> bool:
    if previous is None or previous["author"]["id"] != message["author"]["id"]:
        return True
    return at - parse(previous["created_at"]) > _RUN


def _last_read(messages: Iterable[dict[str, Any]], read: int) -> datetime | None:
    seen = [message for message in messages if message["seq"] <= read]
    return parse(seen[-1]["created_at"]) if seen else None
