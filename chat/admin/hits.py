"""What automod found, and what then happened."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html

from chat import access
from chat.admin.base import DeskAdmin, in_reach, staff
from chat.admin.filters import PICK_MEDIA, DayFilter, pick
from chat.admin.queues import QueueAdmin
from chat.models import AutomodHit


@admin.register(AutomodHit)
class HitAdmin(QueueAdmin, DeskAdmin):
    queue = "hits"
    seen_with = (access.MODERATE, access.AUTOMOD)
    list_display = ("created_at", "rule", "author", "room", "action", "became")
    list_filter = ("action", "rule", pick("room", "room"), pick("person", "author"), DayFilter)
    list_select_related = ("rule", "author", "room")
    list_display_links = None
    search_fields = ("rule__name", "author__display_name")
    ordering = ("-id",)
    sortable_by = ()

    @property
    def media(self) -> Any:
        return super().media + PICK_MEDIA

    def get_queryset(self, request: HttpRequest) -> QuerySet[AutomodHit]:
        return super().get_queryset(request).filter(in_reach(staff(request)))

    @admin.display(description="message")
    def became(self, hit: AutomodHit) -> str:
        if hit.held_id:
            return _link("Held", "heldmessage", hit.held_id)
        return _link("Message", "message", hit.message_id) if hit.message_id else "gone"


def _link(words: str, model: str, number: int) -> str:
    return format_html(
        '<a href="{}">{} #{}</a>', reverse(f"admin:chat_{model}_change", args=[number]), words, number
    )
