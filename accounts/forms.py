"""The forms of the account pages. Names are judged by ``accounts.names``, not here."""

from typing import Any

from allauth.account.forms import (
    ChangePasswordForm,
    LoginForm,
    ResetPasswordForm,
    ResetPasswordKeyForm,
    SignupForm,
)
from django import forms
from django.contrib.auth.forms import AdminPasswordChangeForm, BaseUserCreationForm
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts import names
from accounts.actions.accounts import set_password
from accounts.actions.naming import is_free, name_taken
from accounts.models import User
from chatproject.errors import AppError
from chatproject.lines import clean_line

PASSWORD_HELP = _("At least 10 characters.")


def form_error(error: AppError) -> forms.ValidationError:
    """A refusal as an error of a form field."""
    return forms.ValidationError(error.message, code=str(error.code))


class Card(forms.Form):
    """A form in a card: its inputs carry our class, and labels stand in no placeholder."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            if not isinstance(field.widget, forms.CheckboxSelectMultiple):
                field.widget.attrs["class"] = "field__input"
            field.widget.attrs.pop("placeholder", None)


class NameForm(Card):
    """A guest's name, or a new one."""

    display_name = forms.CharField(
        label=_("Your name"),
        max_length=names.MAX_NAME_CHARS,
        error_messages={"required": _("Give a name.")},
        widget=forms.TextInput(attrs={"autocomplete": "nickname", "dir": "auto"}),
    )


class SignInForm(Card, LoginForm):  # type: ignore[misc]
    """E-mail address or username, and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = _("E-mail or username")
        self.fields["login"].widget.attrs["autocomplete"] = "username"
        self.fields["password"].help_text = ""


class SignUpForm(Card, SignupForm):  # type: ignore[misc]
    """Name, e-mail address, password; the username is made. ``guest`` is who asks, where one does."""

    display_name = forms.CharField(
        label=_("Name"),
        max_length=names.MAX_NAME_CHARS,
        widget=forms.TextInput(attrs={"autocomplete": "nickname", "dir": "auto"}),
    )
    field_order = ["display_name", "email", "password1"]

    def __init__(self, *args: Any, guest: User | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.guest = guest
        self.fields["email"].label = _("E-mail")
        self.fields["password1"].help_text = PASSWORD_HELP
        if guest:
            self.fields["display_name"].initial = guest.display_name

    def clean_display_name(self) -> str:
        """The name as it will be kept; a taken one is said here, before the account is made."""
        try:
            name = names.clean_display_name(self.cleaned_data["display_name"])
            if not is_free(name, for_user=self.guest):
                raise name_taken(name)
        except AppError as error:
            raise form_error(error) from error
        return name

    def save(self, request: HttpRequest) -> User:
        """The account and its e-mail address, both or neither."""
        with transaction.atomic():
            user: User = super().save(request)
        return user


class PasswordForm(Card, ChangePasswordForm):  # type: ignore[misc]
    """The current password and a new one."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word_new_password(self)
        self.fields["oldpassword"].label = _("Current password")
        self.fields["oldpassword"].help_text = ""


class ResetForm(Card, ResetPasswordForm):  # type: ignore[misc]
    """Where to send the link for a new password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail")


class NewPasswordForm(Card, ResetPasswordKeyForm):  # type: ignore[misc]
    """A new password, reached by the link in the mail."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _word_new_password(self)


class StaffPasswordForm(AdminPasswordChangeForm):  # type: ignore[type-arg]
    """The admin's form for someone else's password: by the action, which ends what the person holds."""

    def save(self, commit: bool = True) -> User:
        user: User = self.user
        if self.cleaned_data.get("set_usable_password", True):
            set_password(user, password=self.cleaned_data["password1"])
        return user


class StaffCreationForm(BaseUserCreationForm):  # type: ignore[type-arg]
    """The admin's form for a new account, reserved names allowed."""

    class Meta:
        model = User
        fields = ("username", "email", "display_name")

    def clean_username(self) -> str:
        """One line that can be seen whole."""
        try:
            return clean_line(self.cleaned_data["username"], field="username")
        except AppError as error:
            raise form_error(error) from error

    def clean_display_name(self) -> str:
        """The name as it will be kept."""
        try:
            name = names.clean_display_name(self.cleaned_data["display_name"], may_be_reserved=True)
            if not is_free(name):
                raise name_taken(name)
        except AppError as error:
            raise form_error(error) from error
        return name


def _word_new_password(form: forms.Form) -> None:
    form.fields["password1"].label = _("New password")
    form.fields["password1"].help_text = PASSWORD_HELP
    form.fields["password2"].label = _("New password again")
