"""People at the desk: the pages of ``accounts.admin`` with changes on record, and what is known of each."""

from datetime import timedelta
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.forms import UserChangeForm
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path

from accounts.actions.revocation import end_all_credentials
from accounts.admin import RIGHTS, UserAdmin
from accounts.models import User
from chat import access
from chat.actions.accounts import switch_account
from chat.actions.rights import Rights, change_rights, check_stands_above, rights_of
from chat.actions.sanctions import sanction_person
from chat.admin.base import add_refusal, attempt, may_any, number_of, sent, staff
from chat.admin.bulk import Bulk, BulkAdmin
from chat.admin.cleaning import CleanUpPage
from chat.admin.context import history
from chat.admin.forms import NoteForm, SanctionForm, why_of
from chat.audit import Why
from chatproject.database import ClockTimestamp
from chatproject.errors import AppError, Code


class RightsForm(UserChangeForm):  # type: ignore[type-arg]
    """A person, with what they hold as staff; its last check is the action."""

    actor: User

    def _post_clean(self) -> None:
        if self.errors or "groups" not in self.fields:
            return
        data, user = self.cleaned_data, self.instance
        held = [
            (p.content_type.app_label, p.codename)
            for p in data["user_permissions"].select_related("content_type")
        ]
        wanted = Rights(
            data["is_staff"],
            data.get("is_superuser", user.is_superuser),
            frozenset(group.name for group in data["groups"]),
            frozenset(f"{app}.{codename}" for app, codename in held),
        )
        try:
            change_rights(self.actor, user.pk, wanted)
            user.refresh_from_db()
        except AppError as refusal:
            add_refusal(self, refusal)


class SeenFilter(admin.SimpleListFilter):
    """Who was here lately; it is noted at most once an hour."""

    title = "last seen"
    parameter_name = "seen"
    spans = {"now": timedelta(hours=2), "day": timedelta(days=1), "month": timedelta(days=30)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("now", "In the last hours"), ("day", "In the last day"), ("month", "In the last 30 days")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[User]) -> QuerySet[User]:
        span = self.spans.get(self.value() or "")
        return queryset.filter(last_seen_at__gte=ClockTimestamp() - span) if span else queryset


def _switch(*, active: bool) -> Any:
    def run(actor: User, user: User, why: Why) -> None:
        if actor.pk == user.pk:
            raise AppError(Code.FORBIDDEN, "You cannot do this to yourself.")
        switch_account(actor, user.pk, active=active, why=why)

    return run


def _sign_out(actor: User, user: User, why: Why) -> None:
    check_stands_above(actor, user)
    end_all_credentials(user)
    LogEntry.objects.log_actions(actor.pk, [user], CHANGE, "Signed out everywhere.", single_object=True)


def _foresee(words: str, *, active: bool | None = None) -> Any:
    def foresee(user: User) -> tuple[bool, str]:
        if active is not None and user.is_active is active:
            return False, "It is so already."
        return True, words

    return foresee


admin.site.unregister(User)


@admin.register(User)
class PeopleAdmin(BulkAdmin, UserAdmin):
    form = RightsForm
    change_form_template = "admin/desk/person_form.html"
    list_display: Any = (
        "display_name", "username", "email", "is_guest", "is_staff", "is_active", "banned_until",
        "last_seen_at",
    )  # fmt: skip
    list_filter: ClassVar[Any] = (SeenFilter, "is_guest", "is_active", "is_staff", "groups")
    ordering = ("-id",)
    date_hierarchy = None  # type: ignore[assignment]  # it would ask for the whole table's ends
    readonly_fields: ClassVar[Any] = (*UserAdmin.readonly_fields, "banned_until", "ban_reason")
    fieldsets = (
        (None, {"fields": ("display_name", "username", "email", "password")}),
        (
            "State",
            {"fields": ("is_active", "is_guest", "banned_until", "ban_reason", "name_released_at", "epoch")},
        ),
        ("Rights", {"fields": RIGHTS}),
        ("Dates", {"fields": ("created_at", "last_seen_at", "last_login")}),
    )
    bulks = (
        Bulk(
            "deactivate_people", "Deactivate", "Deactivate",
            "These people are signed out everywhere and may not sign in.", _switch(active=False),
            _foresee("Signed out everywhere, until switched on again.", active=False),
            access.CHANGE_PEOPLE, NoteForm,
        ),
        Bulk(
            "reactivate_people", "Reactivate", "Reactivate", "These people may sign in again.",
            _switch(active=True), _foresee("May sign in again.", active=True), access.CHANGE_PEOPLE, NoteForm,
        ),
        Bulk(
            "log_out_everywhere", "Sign out everywhere", "Sign out",
            "Every session and token of these people ends.", _sign_out, _foresee("Must sign in again."),
            access.CHANGE_PEOPLE, NoteForm,
        ),
    )  # fmt: skip

    def has_add_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.add_user")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return (
            UserAdmin.has_change_permission(self, request, obj) if self._may_change(request, obj) else False
        )

    def _may_change(self, request: HttpRequest, obj: User | None) -> bool:
        """Django's own permission; ``UserAdmin`` adds that nobody changes who stands above."""
        above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return request.user.has_perm(access.CHANGE_PEOPLE) and not above

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Rights are given by those who may, never to guests; superusers are made by superusers."""
        if obj is None:
            return ()
        if obj.is_guest or not request.user.has_perm(access.GRANT):
            return (*self.readonly_fields, *RIGHTS)
        is_root = isinstance(request.user, User) and request.user.is_superuser
        return self.readonly_fields if is_root else (*self.readonly_fields, "is_superuser")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change=change, **kwargs)
        return (
            type(form.__name__, (form,), {"actor": staff(request)}) if issubclass(form, RightsForm) else form
        )

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        """The form's action has saved a change."""
        if not change:
            super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Groups and permissions too."""

    def get_urls(self) -> list[URLPattern]:
        own = [
            path("<int:user_id>/desk/", self.admin_site.admin_view(self.desk), name="accounts_user_desk"),
            path(
                "<int:user_id>/clean-up/",
                self.admin_site.admin_view(self.clean_up),
                name="accounts_user_clean_up",
            ),
        ]
        return [*own, *super().get_urls()]

    def desk(self, request: HttpRequest, user_id: int) -> HttpResponse:
        """What is known of a person, and what can be done about them."""
        person = self._person(request, user_id)
        may_sanction = may_any(request, access.SANCTION)
        form = SanctionForm(sent(request), room=None)
        if request.method == "POST":
            if not may_sanction:
                raise PermissionDenied
            if attempt(request, form, lambda _: _sanction(staff(request), person, form)):
                messages.success(request, "The sanction is in force.")
                return redirect(request.get_full_path())
        own = {
            "person": person,
            "history": history(person, staff(request)),
            "form": form,
            "may_sanction": may_sanction,
            "may_change": self._may_change(request, person),
            "rights": rights_of(person) if person.is_staff else None,
        }
        return self.page(request, "person", person.display_name, own)

    def clean_up(self, request: HttpRequest, user_id: int) -> HttpResponse:
        """Bans someone and hides what they wrote, after a page that shows what that is."""
        person = self._person(request, user_id)
        if not may_any(request, access.SANCTION):
            raise PermissionDenied
        return CleanUpPage(self, request, person).answer()

    def _person(self, request: HttpRequest, user_id: int) -> User:
        if not self.has_view_permission(request):
            raise PermissionDenied
        person = User.objects.filter(pk=number_of(user_id)).first()
        if person is None:
            raise Http404
        return person


def _sanction(actor: User, person: User, form: SanctionForm) -> object:
    data = form.cleaned_data
    return sanction_person(actor, person.pk, kind=data["kind"], why=why_of(data), until=form.until())
