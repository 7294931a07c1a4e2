"""People in Django admin. What an action guards is read-only here and changed by that action."""

from collections.abc import Callable
from typing import Any

from allauth.account.models import EmailAddress
from django.apps import apps
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest

from accounts.actions.accounts import create_account
from accounts.actions.applications import approve_application, limit_application, suspend_application
from accounts.actions.revocation import deactivate, end_all_credentials, reactivate
from accounts.forms import StaffCreationForm, StaffPasswordForm
from accounts.models import Application, ApplicationStatus, TokenFamily, User
from chatproject.errors import AppError

toolkit_models = apps.get_app_config("oauth2_provider").models
RIGHTS = ("is_staff", "is_superuser", "groups", "user_permissions")

# allauth's own page would change an address past the user's row, and the toolkit's would show and change
# what people hold; staff approve, limit and suspend applications, below.
for model in (EmailAddress, Application, *toolkit_models.values()):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(User)
class UserAdmin(DjangoUserAdmin):  # type: ignore[type-arg]
    """Guests and accounts. Rows are never deleted: they are the authors of messages."""

    list_display = ("display_name", "username", "email", "is_guest", "is_staff", "is_active", "last_seen_at")
    list_filter = ("is_guest", "is_active", "is_staff", "groups", "created_at")
    search_fields = ("display_name", "username", "email")
    ordering = ("-created_at",)
    date_hierarchy = "created_at"
    list_per_page = 50
    show_full_result_count = False
    readonly_fields = (
        "display_name", "username", "email", "is_guest", "is_active", "epoch",
        "created_at", "last_seen_at", "last_login", "name_released_at",
    )  # fmt: skip
    fieldsets = (
        (None, {"fields": ("display_name", "username", "email", "password")}),
        ("State", {"fields": ("is_active", "is_guest", "name_released_at", "epoch")}),
        ("Rights", {"fields": RIGHTS}),
        ("Dates", {"fields": ("created_at", "last_seen_at", "last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("username", "email", "display_name", "password1", "password2")}),)
    add_form = StaffCreationForm
    change_password_form = StaffPasswordForm
    actions = ("deactivate_people", "reactivate_people", "log_out_everywhere")

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        """Rights are given by superusers only, and never to guests."""
        if obj is None:
            return ()
        may_give_rights = request.user.is_superuser and not obj.is_guest
        return self.readonly_fields if may_give_rights else (*self.readonly_fields, *RIGHTS)

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Whoever may change people may not change those above them."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: User, form: "ModelForm[User]", change: bool) -> None:
        if change:
            obj.save(update_fields=["is_staff", "is_superuser"])
            return
        made = create_account(
            display_name=form.cleaned_data["display_name"],
            email=form.cleaned_data["email"] or None,
            password=form.cleaned_data["password1"],
            username=form.cleaned_data["username"],
            may_be_reserved=True,
        )
        # The admin goes on with its own object: log entry, groups, redirect.
        obj.__dict__.update(
            {field.attname: getattr(made, field.attname) for field in made._meta.concrete_fields}
        )
        obj._state.adding = False

    @admin.action(description="Deactivate: signed out everywhere, may not sign in", permissions=["change"])
    def deactivate_people(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset.exclude(pk=str(request.user.pk)), act=deactivate, said="Deactivated.")

    @admin.action(description="Reactivate: may sign in again", permissions=["change"])
    def reactivate_people(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, act=reactivate, said="Reactivated.")

    @admin.action(description="Sign out everywhere", permissions=["change"])
    def log_out_everywhere(self, request: HttpRequest, queryset: QuerySet[User]) -> None:
        self._each(request, queryset, act=end_all_credentials, said="Signed out everywhere.")

    def _each(
        self, request: HttpRequest, people: QuerySet[User], *, act: Callable[[User], None], said: str
    ) -> None:
        done = 0
        for user in people:
            if not self.has_change_permission(request, user):
                continue
            act(user)
            self.log_change(request, user, said)
            done += 1
        self.message_user(request, f"{said} People: {done}.")


@admin.register(TokenFamily)
class TokenFamilyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Sign-ins by token, to look at. They end by the actions on the person."""

    list_display = ("user", "created_at", "expires_at", "revoked_at")
    list_filter = ("created_at", "revoked_at")
    search_fields = ("user__display_name", "user__username")
    list_select_related = ("user",)
    fields = list_display

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: TokenFamily | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: TokenFamily | None = None) -> bool:
        return False


@admin.register(Application)
class ApplicationAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Applications of third parties: staff approve, limit and suspend them."""

    list_display = ("name", "status", "user", "client_type", "authorization_grant_type", "created")
    list_filter = ("status", "client_type", "authorization_grant_type")
    list_select_related = ("user",)
    search_fields = ("name", "client_id", "user__display_name")
    ordering = ("-created",)
    show_full_result_count = False
    fields = (
        "name", "description", "website", "user", "status", "bot", "client_id", "client_type",
        "authorization_grant_type", "redirect_uris", "allowed_scopes", "requests_per_minute", "created",
    )  # fmt: skip
    actions = ("approve", "suspend")

    def get_readonly_fields(self, request: HttpRequest, obj: Application | None = None) -> Any:
        return tuple(name for name in self.fields if name not in {"allowed_scopes", "requests_per_minute"})

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Application | None = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: Application, form: "ModelForm[Application]", change: bool
    ) -> None:
        limit_application(obj, scopes=obj.allowed_scopes, requests_per_minute=obj.requests_per_minute)

    @admin.action(description="Approve: everyone may use it", permissions=["change"])
    def approve(self, request: HttpRequest, queryset: QuerySet[Application]) -> None:
        for application in queryset.exclude(status=ApplicationStatus.APPROVED):
            try:
                approve_application(application)
            except AppError as refusal:
                self.message_user(request, f"{application}: {refusal.message}", messages.ERROR)
                continue
            self.log_change(request, application, "Approved.")

    @admin.action(description="Suspend: refused at once, with all it holds", permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[Application]) -> None:
        for application in queryset.exclude(status=ApplicationStatus.SUSPENDED):
            suspend_application(application)
            self.log_change(request, application, "Suspended.")
