"""What the other pages are made of, to look at: the log, earlier texts, evidence, notices, processes."""

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from chat.admin.base import DeskAdmin
from chat.admin.filters import PICK_MEDIA, DayFilter, pick
from chat.models import (
    Evidence,
    Incarnation,
    MessageRevision,
    Notice,
    Pulse,
    Room,
    RoomEvent,
    RoomKind,
    Ruleset,
)


class RecordAdmin(DeskAdmin):
    """Rows as they are. What lies in private rooms is not among them: each look there is recorded.

    ``room_path`` leads to a row's room.
    """

    room_path = ""
    ordering = ("-pk",)
    sortable_by = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows = super().get_queryset(request)
        if not self.room_path:
            return rows
        private = Room.objects.filter(kind=RoomKind.PRIVATE)
        return rows.exclude(
            Q(**{f"{self.room_path}__isnull": False}) & Q(**{f"{self.room_path}__in": private})
        )


@admin.register(RoomEvent)
class RoomEventAdmin(RecordAdmin):
    room_path = "room"
    list_display = ("id", "room", "seq", "kind", "actor", "subject", "created_at")
    list_filter = (pick("room", "room"), DayFilter)
    list_select_related = ("room", "actor", "subject")
    search_fields = ("=id",)
    fields = ("room", "seq", "kind", "actor", "message", "subject", "data", "created_at")

    @property
    def media(self) -> Any:
        return super().media + PICK_MEDIA


@admin.register(MessageRevision)
class RevisionAdmin(RecordAdmin):
    room_path = "message__room"
    list_display = ("id", "message", "written_at")
    list_filter = (pick("person", "message__author", "author"),)
    list_select_related = ("message",)
    search_fields = ("=message__id",)

    @property
    def media(self) -> Any:
        return super().media + PICK_MEDIA


@admin.register(Evidence)
class EvidenceAdmin(RecordAdmin):
    room_path = "report__room"
    list_display = ("report", "author", "written_at")
    list_filter = (pick("person", "author"),)
    list_select_related = ("report", "author")
    search_fields = ("=report__id",)

    @property
    def media(self) -> Any:
        return super().media + PICK_MEDIA


@admin.register(Notice)
class NoticeAdmin(RecordAdmin):
    list_display = ("id", "user", "kind", "created_at", "seen_at")
    list_filter = ("kind",)
    list_select_related = ("user",)
    search_fields = ("=id",)


@admin.register(Pulse)
class PulseAdmin(RecordAdmin):
    list_display = ("process", "people", "sockets", "at")


admin.site.register(Ruleset, RecordAdmin)
admin.site.register(Incarnation, RecordAdmin)
