"""Django admin for rooms and what is in them. It shows; changes go through actions."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from accounts.models import User
from chat import access
from chat.actions.messages import delete_message, restore_message
from chat.actions.rooms import RoomChanges, archive_room, reopen_room, update_room
from chat.actions.sanctions import lift_sanction, sanction_person
from chat.audit import Why
from chat.models import Incarnation, Membership, Message, Room, RoomEvent, Sanction
from chatproject.errors import AppError

# The stubs' generics do not exist when the program runs.
if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Any]
    SanctionForm = forms.ModelForm[Sanction]
else:
    ModelAdmin = admin.ModelAdmin
    SanctionForm = forms.ModelForm


class ReadOnlyAdmin(ModelAdmin):
    """A model that staff look at and that only actions change."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def each(self, request: HttpRequest, rows: QuerySet[Any], act: Any) -> None:
        """Calls ``act`` for each row and tells what was refused."""
        for row in rows:
            try:
                act(row)
            except AppError as refusal:
                self.message_user(request, f"{row}: {refusal.message}", messages.ERROR)


def staff(request: HttpRequest) -> User:
    """The signed-in member of staff."""
    assert isinstance(request.user, User)  # noqa: S101 - the admin site lets nobody else in
    return request.user


@admin.register(Room)
class RoomAdmin(ReadOnlyAdmin):
    list_display = ("name", "slug", "kind", "guest_policy", "slow_mode_seconds", "last_seq", "archived_at")
    list_filter = ("kind", "guest_policy", ("archived_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "slug", "topic")
    fields = ("name", "topic", "kind", "guest_policy", "slow_mode_seconds")
    actions = ("archive", "reopen")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("chat.change_room")

    def save_model(
        self, request: HttpRequest, obj: Room, form: "forms.ModelForm[Room]", change: bool
    ) -> None:
        wanted = {name: form.cleaned_data[name] for name in form.changed_data}
        try:
            update_room(staff(request), obj.pk, RoomChanges(**wanted))
        except AppError as refusal:
            self.message_user(request, refusal.message, messages.ERROR)

    @admin.action(description="Archive", permissions=["change"])
    def archive(self, request: HttpRequest, rows: QuerySet[Room]) -> None:
        self.each(request, rows, lambda room: archive_room(staff(request), room.pk))

    @admin.action(description="Open again", permissions=["change"])
    def reopen(self, request: HttpRequest, rows: QuerySet[Room]) -> None:
        self.each(request, rows, lambda room: reopen_room(staff(request), room.pk))


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    list_display = ("user", "room", "role", "joined_at")
    list_filter = ("role",)
    list_select_related = ("user", "room")
    search_fields = ("user__display_name", "room__name")


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    list_display = ("id", "room", "seq", "author", "created_at", "edited_at", "deleted_at")
    list_filter = (("deleted_at", admin.EmptyFieldListFilter),)
    list_select_related = ("room", "author")
    search_fields = ("=id", "author__display_name", "room__slug")
    ordering = ("-id",)
    actions = ("take_away", "bring_back")

    def has_moderate_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(access.MODERATE)

    @admin.action(description="Delete", permissions=["moderate"])
    def take_away(self, request: HttpRequest, rows: QuerySet[Message]) -> None:
        self.each(request, rows, lambda message: delete_message(staff(request), message.pk))

    @admin.action(description="Restore", permissions=["moderate"])
    def bring_back(self, request: HttpRequest, rows: QuerySet[Message]) -> None:
        self.each(request, rows, lambda message: restore_message(staff(request), message.pk))


@admin.register(RoomEvent)
class RoomEventAdmin(ReadOnlyAdmin):
    list_display = ("id", "room", "seq", "kind", "actor", "created_at")
    list_filter = ("kind",)
    list_select_related = ("room", "actor")
    search_fields = ("room__slug",)
    ordering = ("-id",)


class NewSanctionForm(SanctionForm):
    """A sanction: of whom, where, why, until when."""

    class Meta:
        model = Sanction
        fields = ("room", "user", "kind", "category", "reason", "ends_at")


@admin.register(Sanction)
class SanctionAdmin(ReadOnlyAdmin):
    form = NewSanctionForm
    list_display = ("user", "room", "kind", "reason", "by", "created_at", "ends_at", "lifted_at")
    list_select_related = ("user", "room", "by")
    list_filter = (("lifted_at", admin.EmptyFieldListFilter),)
    search_fields = ("user__display_name", "room__slug", "reason")
    autocomplete_fields = ("user", "room")
    actions = ("lift",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(access.SANCTION)

    def has_lift_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(access.SANCTION)

    def save_model(
        self, request: HttpRequest, obj: Sanction, form: "forms.ModelForm[Sanction]", change: bool
    ) -> None:
        made = sanction_person(
            staff(request),
            obj.user_id,
            kind=obj.kind,
            room_id=obj.room_id,
            why=Why(obj.category, obj.reason),
            until=obj.ends_at,
        )
        obj.pk = made.pk

    @admin.action(description="Lift", permissions=["lift"])
    def lift(self, request: HttpRequest, rows: QuerySet[Sanction]) -> None:
        self.each(request, rows, lambda row: lift_sanction(staff(request), row.pk))


admin.site.register(Incarnation, ReadOnlyAdmin)
