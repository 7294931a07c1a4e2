"""The admin site. It has no sign-in of its own: one door means one set of limits."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import AdminSite
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse

from accounts.models import User
from accounts.redirects import next_url
from accounts.sessions import sign_out


class StaffSite(AdminSite):
    """Django admin behind the sign-in page of everybody."""

    site_header = site_title = "Staff"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """To the sign-in page and back. Someone with an account that is not staff's is refused."""
        index = reverse("admin:index", current_app=self.name)
        if self.has_permission(request):
            return redirect(next_url(request, default=index))
        if isinstance(request.user, User) and not request.user.is_guest:
            raise PermissionDenied
        query = urlencode({REDIRECT_FIELD_NAME: next_url(request, default=index)})
        return redirect(f"{reverse('account_login')}?{query}")

    def logout(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Signs out where the admin posts; its own view would leave live sockets open."""
        if request.method == "POST":
            sign_out(request)
        return redirect("/")

    def password_change(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page of everybody; the admin's own would not end the person's other credentials."""
        return redirect("account_change_password")
