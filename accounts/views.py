"""The account pages: sign-in, sign-up, sign-out, passwords, a guest's name, a new name."""

import json
import math
from typing import Any, TypedDict

from allauth.account import views as allauth
from django import forms
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.middleware.csrf import get_token
from django.shortcuts import redirect
from django.utils.decorators import method_decorator
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.generic import FormView

from accounts.actions.guests import create_guest
from accounts.actions.profile import change_display_name
from accounts.actions.revocation import end_all_credentials
from accounts.actions.sign_in import name_key
from accounts.forms import NameForm
from accounts.models import User
from accounts.redirects import next_url
from accounts.sessions import sign_in, sign_out
from chatproject.address import request_address
from chatproject.errors import TABLE, AppError, Code
from chatproject.limits import (
    GUESTS_PER_ADDRESS,
    NAME_CHANGES_PER_PERSON,
    PASSWORD_CHECKS_PER_PERSON,
    PASSWORD_RESETS_PER_ADDRESS,
    PASSWORD_RESETS_PER_EMAIL,
    SIGN_UP_PER_ADDRESS,
    check,
)


class Person(TypedDict):
    """Who someone is, as others see it."""

    id: int
    display_name: str
    is_guest: bool


class FormDoor:
    """A form page whose refusals come back with their status: in the form, or as a problem for JSON."""

    request: HttpRequest
    _cached_form: Any = None

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            self.check_limits(request)
            response: HttpResponseBase = super().post(request, *args, **kwargs)  # type: ignore[misc]
        except AppError as error:
            return self.refuse(error)
        return response

    def check_limits(self, request: HttpRequest) -> None:
        """Raises AppError RATE_LIMITED, before anything is looked up."""

    def get_form(self, form_class: Any = None) -> Any:
        """The one form of this request, so that a refusal after its judgement can stand in it."""
        if self._cached_form is None:
            self._cached_form = super().get_form(form_class)  # type: ignore[misc]
        return self._cached_form

    def form_invalid(self, form: forms.Form) -> HttpResponse:
        if wants_json(self.request):
            raise form_refusal(form)
        response: HttpResponse = super().form_invalid(form)  # type: ignore[misc]
        response.status_code = form_refusal(form).status
        return response

    def refuse(self, error: AppError) -> HttpResponse:
        """The page again, with ``error`` in it."""
        if wants_json(self.request):
            raise error
        form = self._cached_form
        if form is None or form._errors is None:
            # Refused unseen: judging the form now would tell what the limit is there to hide.
            form = self._cached_form = self._unjudged_form()
            context = {"form": form, "refusal": words(error)}
        else:
            show_in_form(form, error)
            context = {"form": form}
        response: HttpResponse = self.render_to_response(self.get_context_data(**context))  # type: ignore[attr-defined]
        response.status_code = error.status
        if error.retry_after is not None:
            response.headers["Retry-After"] = str(math.ceil(error.retry_after))
        return response

    def _unjudged_form(self) -> Any:
        kwargs = self.get_form_kwargs()  # type: ignore[attr-defined]
        typed = kwargs.pop("data", None) or {}
        kwargs.pop("files", None)
        kwargs["initial"] = {name: typed[name] for name in typed if "password" not in name}
        return self.get_form_class()(**kwargs)  # type: ignore[attr-defined]


def wants_json(request: HttpRequest) -> bool:
    """Whether the client asks for JSON rather than a page."""
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def form_refusal(form: forms.Form) -> AppError:
    """What is wrong with a judged form, as one refusal."""
    codes = [error.code for errors in form.errors.as_data().values() for error in errors]
    code = next((Code(code) for code in codes if code in TABLE), Code.INVALID)
    fields = {name: [str(text) for text in texts] for name, texts in form.errors.items()}
    return AppError(code, next((texts[0] for texts in fields.values()), None), fields=fields)


def show_in_form(form: forms.Form, error: AppError) -> None:
    """Puts a refusal by an action where the person can mend it."""
    fields: list[str | None] = [name for name in error.fields or () if name in form.fields]
    for name in fields or [None]:
        told = (error.fields or {}).get(name or "") if error.message == TABLE[error.code].text else None
        form.add_error(name, told or words(error))


def words(error: AppError) -> str:
    """A refusal, for the person at the form."""
    if error.code == Code.RATE_LIMITED and error.retry_after is not None:
        seconds = math.ceil(error.retry_after)
        return gettext("Too many tries. The next one can go in %(seconds)s s.") % {"seconds": seconds}
    return error.message


class ForGuestsToo:
    """A page for visitors and guests; whoever has an account and is signed in is sent on."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if isinstance(request.user, User) and not request.user.is_guest:
            return redirect(next_url(request))
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return response


class SignInView(ForGuestsToo, FormDoor, allauth.LoginView):  # type: ignore[misc]
    """Sign-in; the adapter takes from the limits where the password is tried."""


class SignUpView(ForGuestsToo, FormDoor, allauth.SignupView):  # type: ignore[misc]
    """Sign-up; a guest who is signed in becomes the account and keeps what they wrote."""

    def check_limits(self, request: HttpRequest) -> None:
        check(SIGN_UP_PER_ADDRESS, request_address(request))

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs: dict[str, Any] = super().get_form_kwargs()
        user = self.request.user
        kwargs["guest"] = user if isinstance(user, User) and user.is_guest else None
        return kwargs


class SignOutView(allauth.LogoutView):  # type: ignore[misc]
    """Sign-out here, or with ``everywhere`` of all that the person holds."""

    def post(self, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            user = self.request.user
            if isinstance(user, User) and "everywhere" in self.request.POST:
                end_all_credentials(user)
        except AppError:  # banned: there is nobody to ask, only a session to leave
            sign_out(self.request)
            return redirect("/")
        response: HttpResponse = super().post(*args, **kwargs)
        return response


class SignedIn:
    """A page for someone who is signed in; others are led to the sign-in."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if not isinstance(request.user, User):
            return led_to_sign_in(request)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return response


def led_to_sign_in(request: HttpRequest) -> HttpResponse:
    """The sign-in page that leads back here; for JSON the refusal. Raises AppError UNAUTHENTICATED."""
    if wants_json(request):
        raise AppError(Code.UNAUTHENTICATED)
    return redirect_to_login(request.get_full_path())


@method_decorator(never_cache, name="dispatch")
class PasswordView(SignedIn, FormDoor, allauth.PasswordChangeView):  # type: ignore[misc]
    """Password change. This session stays, all others end. A guest has none and is offered an account."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if isinstance(request.user, User) and not request.user.has_usable_password():
            return redirect("account_signup" if request.user.is_guest else "account_reset_password")
        return super().dispatch(request, *args, **kwargs)

    def check_limits(self, request: HttpRequest) -> None:
        check(PASSWORD_CHECKS_PER_PERSON, str(request.user.pk))


class ResetView(FormDoor, allauth.PasswordResetView):  # type: ignore[misc]
    """Asks for the mail with the link. The answer is the same for an address that has no account."""

    def check_limits(self, request: HttpRequest) -> None:
        check(PASSWORD_RESETS_PER_ADDRESS, request_address(request))
        check(PASSWORD_RESETS_PER_EMAIL, name_key(request.POST.get("email", "")))


class NewPasswordView(FormDoor, allauth.PasswordResetFromKeyView):  # type: ignore[misc]
    """Where the link in the mail leads. Everything the person held ends."""

    def check_limits(self, request: HttpRequest) -> None:
        check(PASSWORD_RESETS_PER_ADDRESS, request_address(request))


class NameDoor(FormDoor, FormView):  # type: ignore[misc, type-arg]
    """A form with a name, also for the room page, which posts it and asks for JSON."""

    form_class = NameForm

    def get_form_kwargs(self) -> dict[str, Any]:
        kwargs = super().get_form_kwargs()
        if self.request.content_type == "application/json" and "data" in kwargs:
            kwargs["data"] = json_object(self.request)
        return kwargs

    def answer(self, user: User, *, status: int) -> HttpResponse:
        """Back to where the person came from; for JSON who they are, and the CSRF token that now holds."""
        if not wants_json(self.request):
            return redirect(next_url(self.request))
        person: Person = {"id": user.pk, "display_name": user.display_name, "is_guest": user.is_guest}
        return JsonResponse({"user": person, "csrf": get_token(self.request)}, status=status)


@method_decorator(never_cache, name="dispatch")
class GuestView(NameDoor):
    """A visitor gives a name and is a guest from then on, by session cookie."""

    template_name = "accounts/guest.html"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.user.is_authenticated:
            return redirect(next_url(request))
        return super().get(request, *args, **kwargs)

    def check_limits(self, request: HttpRequest) -> None:
        if isinstance(request.user, User):
            raise AppError(
                Code.CONFLICT, gettext("You are %(name)s here.") % {"name": request.user.display_name}
            )
        check(GUESTS_PER_ADDRESS, request_address(request))

    def form_valid(self, form: NameForm) -> HttpResponse:
        guest = create_guest(form.cleaned_data["display_name"])
        sign_in(self.request, guest)
        return self.answer(guest, status=201)


@method_decorator(never_cache, name="dispatch")
class NameView(SignedIn, NameDoor):  # type: ignore[misc]
    """A new name, for guests and accounts."""

    template_name = "accounts/name.html"

    def get_initial(self) -> dict[str, Any]:
        return {"display_name": self.person.display_name}

    def check_limits(self, request: HttpRequest) -> None:
        check(NAME_CHANGES_PER_PERSON, self.person.pk)

    def form_valid(self, form: NameForm) -> HttpResponse:
        user = change_display_name(self.person, display_name=form.cleaned_data["display_name"])
        return self.answer(user, status=200)

    @property
    def person(self) -> User:
        """Who is signed in; ``SignedIn`` has seen to it."""
        user = self.request.user
        if not isinstance(user, User):
            raise AppError(Code.UNAUTHENTICATED)
        return user


def json_object(request: HttpRequest) -> dict[str, Any]:
    """The body as a JSON object. Raises AppError INVALID."""
    try:
        body = json.loads(request.body)
    except ValueError as error:
        raise AppError(Code.INVALID, "The body is not JSON.") from error
    if not isinstance(body, dict) or not all(isinstance(value, str) for value in body.values()):
        raise AppError(Code.INVALID, "The body must be an object of texts.")
    return body
