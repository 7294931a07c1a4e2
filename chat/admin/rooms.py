"""Rooms, their settings, and who is what in them."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html

from chat import access
from chat.actions.looking import look_into
from chat.actions.members import change_role
from chat.actions.rooms import RoomChanges, archive_room, reopen_room, update_room
from chat.admin.acting import ActingAdmin
from chat.admin.base import number_of, staff
from chat.admin.bulk import Bulk, BulkAdmin
from chat.admin.filters import PICK_MEDIA, pick
from chat.admin.forms import NoteForm, ReasonedForm, why_of
from chat.models import Membership, Role, Room
from chatproject.errors import AppError

SETTINGS = ("name", "topic", "kind", "guest_policy", "slow_mode_seconds", "hide_after_reports")


class RoomForm(ReasonedForm):
    """A room's settings, and whether it is archived."""

    archived = forms.BooleanField(required=False, help_text="It can be read, and nobody writes in it.")

    class Meta:
        model = Room
        fields = SETTINGS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("category", None)
        if "archived" in self.fields:
            self.fields["archived"].initial = self.instance.archived_at is not None

    def carry_out(self, data: dict[str, Any]) -> Room:
        why = why_of(data)
        wanted = {name: data[name] for name in self.changed_data if name in SETTINGS}
        room = update_room(self.actor, self.instance.pk, RoomChanges(**wanted), why=why)
        if "archived" in self.changed_data:
            put = archive_room if data["archived"] else reopen_room
            room = put(self.actor, self.instance.pk, why=why)
        return room


class RolesInline(admin.TabularInline):  # type: ignore[type-arg]
    """Who has a role above member. Members may be many: they have their own list."""

    model = Membership
    verbose_name_plural = "Owners and moderators"
    fields = readonly_fields = ("user", "role", "joined_at", "change")
    extra = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        rows = super().get_queryset(request).exclude(role=Role.MEMBER)
        return rows.select_related("user", "room").order_by("-role", "joined_at")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("chat.view_membership")

    @admin.display(description="")
    def change(self, membership: Membership) -> str:
        page = reverse("admin:chat_membership_change", args=[membership.pk])
        return format_html('<a href="{}">Change the role</a>', page)


def _foresee_archive(room: Room) -> tuple[bool, str]:
    return (False, "It is archived already.") if room.archived_at else (True, "Nobody writes in it any more.")


def _foresee_reopen(room: Room) -> tuple[bool, str]:
    return (True, "People write in it again.") if room.archived_at else (False, "It is open already.")


@admin.register(Room)
class RoomAdmin(BulkAdmin, ActingAdmin):
    form = RoomForm
    change_form_template = "admin/desk/room.html"
    changed_with = (access.MANAGE,)
    list_display = ("name", "slug", "kind", "guest_policy", "slow_mode_seconds", "last_seq", "archived_at")
    list_filter = ("kind", "guest_policy", ("archived_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "slug")
    ordering = ("name", "id")
    sortable_by = ("name", "slug", "last_seq")
    inlines = (RolesInline,)
    readonly_fields = ("slug", "created_by", "created_at")
    fieldsets = (
        (None, {"fields": ("name", "slug", "topic")}),
        ("Who may come and write", {"fields": ("kind", "guest_policy", "slow_mode_seconds", "archived")}),
        ("Moderation", {"fields": ("hide_after_reports",)}),
        ("Origin", {"fields": ("created_by", "created_at")}),
        ("For the audit", {"fields": ("text",)}),
    )
    bulks = (
        Bulk(
            "archive", "Archive", "Archive", "These rooms are closed for writing. They can be read.",
            lambda user, room, why: archive_room(user, room.pk, why=why),
            _foresee_archive, access.MANAGE, NoteForm,
        ),
        Bulk(
            "reopen", "Open again", "Open again", "These rooms are open for writing again.",
            lambda user, room, why: reopen_room(user, room.pk, why=why),
            _foresee_reopen, access.MANAGE, NoteForm,
        ),
    )  # fmt: skip

    def get_queryset(self, request: HttpRequest) -> QuerySet[Room]:
        """Private rooms exist only for those who may look into them."""
        reached = access.rooms_reached_by(staff(request))
        return super().get_queryset(request).filter(pk__in=reached.values("pk")).select_related("created_by")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Those who only look see the rows that there are."""
        if self.has_change_permission(request, obj):
            return self.fieldsets
        plain = ("kind", "guest_policy", "slow_mode_seconds", "archived_at")
        return (self.fieldsets[0], (self.fieldsets[1][0], {"fields": plain}), *self.fieldsets[2:4])

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (
            self.readonly_fields
            if self.has_change_permission(request, obj)
            else (*self.readonly_fields, "archived_at")
        )

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: Any = None,
    ) -> Any:
        """The admin's own page; who is in a private room is known only by looking into it."""
        rows = self.get_queryset(request)
        room = rows.filter(pk=number_of(object_id)).first() if object_id else None
        if room is not None and room.is_private and self.has_view_permission(request, room):
            look_into(staff(request), room, at=f"room:{room.pk}")
        return super().changeform_view(request, object_id, form_url, extra_context)


class RoleForm(ReasonedForm):
    """What someone is in a room."""

    class Meta:
        model = Membership
        fields = ("role",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("category", None)

    def carry_out(self, data: dict[str, Any]) -> Membership:
        seat = self.instance
        return change_role(self.actor, seat.room_id, seat.user_id, role=data["role"], why=why_of(data))


@admin.register(Membership)
class MembershipAdmin(ActingAdmin):
    form = RoleForm
    changed_with = (access.ASSIGN_ROLES,)
    list_display = ("user", "room", "role", "joined_at")
    list_filter = ("role", pick("room", "room"), pick("person", "user"))
    list_select_related = ("user", "room")
    search_fields = ("user__display_name", "user__username")
    ordering = ("-id",)
    sortable_by = ()
    readonly_fields = ("user", "room", "joined_at")

    @property
    def media(self) -> Any:
        return super().media + PICK_MEDIA

    def get_queryset(self, request: HttpRequest) -> QuerySet[Membership]:
        reached = access.rooms_reached_by(staff(request))
        return super().get_queryset(request).filter(room__in=reached).select_related("user", "room")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        may = self.has_change_permission(request, obj)
        return ("user", "room", "role", "joined_at", *(("text",) if may else ()))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The admin's own page; who is in a private room is known only by looking into it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        seat = self.get_queryset(request).filter(pk=number_of(object_id)).first()
        if seat is not None:
            try:
                look_into(staff(request), seat.room, at=f"member:{seat.user_id}")
            except AppError as refusal:
                raise Http404 from refusal
        return super().change_view(request, object_id, form_url, extra_context)
