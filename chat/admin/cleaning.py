"""The page that bans someone and hides what they wrote: first it shows what that would be."""

from collections import Counter
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import User
from chat import access
from chat.actions.sweeping import ban_and_clean_up, messages_since
from chat.admin.base import DeskAdmin, attempt, sent, staff
from chat.admin.forms import CleanUpForm, since, until, why_of
from chat.models import Message, ModerationAction, Room

SHOWN = 100


class CleanUpPage:
    """One request for the page. ``moment`` is from when on, as it was shown, once it was shown."""

    def __init__(self, admin: DeskAdmin, request: HttpRequest, person: User) -> None:
        self.admin, self.request, self.person = admin, request, person
        self.user = staff(request)
        room_id = request.GET.get("room", "")
        rooms = access.rooms_reached_by(self.user)
        self.room = rooms.filter(pk=room_id).first() if room_id.isdecimal() else None
        self.moment = _moment(request.POST.get("moment", ""))
        self.done: ModerationAction | None = None

    def answer(self) -> HttpResponse:
        """The form; then what would be hidden; then the deed."""
        form = CleanUpForm(sent(self.request), room=self.room, initial={"category": "spam"})
        shown: dict[str, Any] = {}
        if self.request.method == "POST" and "confirmed" in self.request.POST and self.moment is not None:
            if attempt(self.request, form, lambda data: self._clean_up(form, data)):
                messages.success(
                    self.request, "Banned, and the messages are hidden. The audit can take it back."
                )
                return redirect("admin:accounts_user_desk", self.person.pk)
        elif self.request.method == "POST":
            attempt(self.request, form, lambda data: shown.update(self._foresee(form, data)))
        own = {"person": self.person, "form": form, "room": self.room, **shown}
        return self.admin.page(self.request, "clean_up", f"Ban {self.person.display_name} and clean up", own)

    def _foresee(self, form: CleanUpForm, data: dict[str, Any]) -> dict[str, Any]:
        moment = since(data["since"])
        found = messages_since(self.person.pk, moment, form.room_id())
        rooms = Room.objects.in_bulk({message.room_id for message in found})
        open_rooms = {number for number, room in rooms.items() if not room.is_private}
        counts = Counter(message.room_id for message in found)
        lines = [_with_room(message, rooms) for message in found if message.room_id in open_rooms]
        return {
            "is_foreseen": True,
            "moment": moment.isoformat(),
            "count": len(found),
            "by_room": sorted((rooms[number].name, counts[number]) for number in open_rooms),
            "private_count": sum(count for number, count in counts.items() if number not in open_rooms),
            "found": lines[-SHOWN:],
            "more": max(len(lines) - SHOWN, 0),
        }

    def _clean_up(self, form: CleanUpForm, data: dict[str, Any]) -> None:
        assert self.moment is not None  # noqa: S101 - answered above
        self.done = ban_and_clean_up(
            self.user,
            self.person.pk,
            since=self.moment,
            room_id=form.room_id(),
            why=why_of(data),
            until=until(data["lasts"]),
        )


def _with_room(message: Message, rooms: dict[int, Room]) -> Message:
    message.room = rooms[message.room_id]
    return message


def _moment(raw: str) -> datetime | None:
    try:
        found = parse_datetime(raw)
    except ValueError:
        return None
    return found if found is not None and timezone.is_aware(found) else None
