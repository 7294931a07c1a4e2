"""The pages: the room list, a room with its newest or a linked page, and the form for a new room."""

from typing import Any

import msgspec
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_http_methods, require_safe

from accounts.models import User
from chat import access, desk, snapshots
from chat.actions.rooms import create_room
from chat.forms import NewRoomForm
from chat.models import MAX_BODY_CHARS, Membership, Message
from chat.payloads import message_payload, person_payload
from chatproject import limits
from chatproject.database import unavailable_when_down
from chatproject.errors import AppError

PAGE = 50
LOBBY = "lobby"


@require_safe
@never_cache
@ensure_csrf_cookie
def rooms(request: HttpRequest) -> HttpResponse:
    """The list; on a wide window beside the lobby, or the first room there is."""
    with unavailable_when_down():
        user = reader(request)
        listed, _ = snapshots.room_list(user)
        slugs = [room.slug for room in listed]
        first = LOBBY if LOBBY in slugs else next(iter(slugs), None)
        context = _room_context(user, first, focus=None) if first else {}
        return _page(request, "chat/rooms.html", user, listed, context, showing="list")


@require_safe
@never_cache
@ensure_csrf_cookie
def room(request: HttpRequest, slug: str) -> HttpResponse:
    """One room; ``?m=<seq>`` shows the page around that message. 404 when it is not open to the reader."""
    raw = request.GET.get("m", "")
    focus = int(raw) if raw.isascii() and raw.isdigit() and 0 < len(raw) < 19 else None
    with unavailable_when_down():
        user = reader(request)
        context = _room_context(user, slug, focus=focus)
        listed, _ = snapshots.room_list(user)
        return _page(request, "chat/room.html", user, listed, context, showing="room")


@login_required
@require_http_methods(["GET", "POST"])
def new_room(request: HttpRequest) -> HttpResponse:
    """The form for a new room; refusals of the action appear in it."""
    form = NewRoomForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = reader(request)
        try:
            if user is not None:
                limits.check(limits.ROOMS_PER_PERSON, user.pk)
                made = create_room(user, **_wanted(form.cleaned_data))
                return redirect("room", slug=made.slug)
        except AppError as refusal:
            for name, words in (refusal.fields or {"": [refusal.message]}).items():
                form.add_error(name if name in form.fields else None, words)
    return render(request, "chat/room_new.html", {"form": form}, status=400 if form.errors else 200)


def reader(request: HttpRequest) -> User | None:
    """Who reads, or None for a visitor without a name."""
    return request.user if isinstance(request.user, User) else None


def _wanted(cleaned: dict[str, Any]) -> dict[str, Any]:
    if cleaned["kind"] == "private":
        return {**cleaned, "guest_policy": "none"}
    return cleaned


def _room_context(user: User | None, slug: str, *, focus: int | None) -> dict[str, Any]:
    standing = access.room_by_slug_for(user, slug)
    page = snapshots.message_page(user, standing.room.pk, around=focus, limit=PAGE)
    held = snapshots.held_of(user, standing.room.pk) if user else []
    answered = [message.reply_to for message in page.results] + [message.reply_to for message in held]
    quoted = set(filter(None, answered))
    loaded = {message.id for message in page.results}
    quotes = Message.objects.select_related("author").filter(
        room=standing.room, pk__in=[number for number in quoted if number not in loaded]
    )
    newest = page.results[-1].seq if page.results else 0
    at_end = focus is None or not Message.objects.filter(room=standing.room, seq__gt=newest).exists()
    return {
        "room": msgspec.to_builtins(page.room),
        "messages": msgspec.to_builtins(page.results),
        "held": msgspec.to_builtins(held),
        "quotes": [msgspec.to_builtins(message_payload(message)) for message in quotes],
        "members": Membership.objects.filter(room=standing.room).count(),
        "seq": page.seq,
        "epoch": page.epoch,
        "focus_seq": focus,
        "at_end": at_end,
        "at_start": focus is None and len(page.results) < PAGE,
    }


def _page(
    request: HttpRequest,
    template: str,
    user: User | None,
    listed: list[Any],
    room_context: dict[str, Any],
    *,
    showing: str,
) -> HttpResponse:
    me = msgspec.to_builtins(person_payload(user)) if user else None
    listed_plain = msgspec.to_builtins(listed)
    boot = {
        "me": me,
        "rooms": listed_plain,
        "room": None,
        "messages": [],
        **room_context,
        "notices": msgspec.to_builtins(desk.notices_for(user)) if user else [],
        "showing": showing,
        "limits": {"max_body_chars": MAX_BODY_CHARS},
        "may_create_room": user is not None and not user.is_guest,
        "urls": _urls(),
    }
    context = {
        "boot": boot,
        "me": me,
        "rooms": listed_plain,
        "room": boot["room"],
        "messages": boot["messages"],
        "members": boot.get("members", 0),
        "showing": showing,
    }
    return render(request, template, context)


def _urls() -> dict[str, str]:
    return {
        "guest": reverse("account_guest"),
        "name": reverse("account_name"),
        "new_room": reverse("new_room"),
        "sign_in": reverse("account_login"),
        "sign_out": reverse("account_logout"),
        "sign_up": reverse("account_signup"),
    }
