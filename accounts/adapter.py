"""What allauth asks of us: it keeps the flows of sign-in and reset, our actions write."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.actions.accounts import create_account, set_password, upgrade_guest
from accounts.actions.sign_in import check_sign_in_limits
from accounts.models import User
from accounts.sessions import sign_in, sign_out
from chatproject.address import request_address

MISMATCH = _("Name and password do not fit.")


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Binds allauth to our actions, limits and words."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_taken": _("This e-mail address has an account. Sign in, or ask for a new password."),
        "email_password_mismatch": MISMATCH,
        "username_password_mismatch": MISMATCH,
        "enter_current_password": _("This is not your current password."),
    }

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Our limiter in the place of allauth's, which counts in a cache without atomic steps."""
        name = credentials.get("email") or credentials.get("username") or ""
        check_sign_in_limits(name, address=request_address(request))

    def save_user(self, request: HttpRequest, user: User, form: Any, commit: bool = True) -> User:
        """A new account, or the guest who asks for one turned into it."""
        wanted = {
            "display_name": form.cleaned_data["display_name"],
            "email": form.cleaned_data["email"],
            "password": form.cleaned_data["password1"],
        }
        if isinstance(request.user, User) and request.user.is_guest:
            return upgrade_guest(request.user, **wanted)
        return create_account(**wanted)

    def set_password(self, user: User, password: str) -> None:
        set_password(user, password=password)

    def login(self, request: HttpRequest, user: User) -> None:
        sign_in(request, user)

    def logout(self, request: HttpRequest) -> None:
        sign_out(request)

    def get_client_ip(self, request: HttpRequest) -> str:
        return request_address(request)

    def add_message(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: each page says itself what has happened."""

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        return "/"

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account_password_changed")

    def get_reset_password_from_key_url(self, key: str) -> str:
        """On SITE_URL, never on the Host header, which whoever asks for the mail may choose."""
        uid, _, token = key.partition("-")
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
        return f"{settings.SITE_URL}{path}"
