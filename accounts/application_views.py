"""The pages of applications: one's own, those one has let in, a new one."""

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.generic import View

from accounts.actions.applications import (
    change_application,
    own_application,
    register_application,
    remove_application,
    renew_secret,
    take_consent_back,
)
from accounts.forms import Card
from accounts.models import Application, Consent, User
from accounts.scopes import SCOPES, parse_scopes
from accounts.views import led_to_sign_in, show_in_form
from chatproject.errors import AppError
from chatproject.limits import APPLICATIONS_PER_PERSON, check


class ApplicationForm(Card):
    """What an application says of itself; the rules stand in the action."""

    name = forms.CharField(label=_("Name"), max_length=60)
    description = forms.CharField(label=_("What it does"), max_length=500, required=False)
    website = forms.CharField(label=_("Website"), max_length=200, required=False)
    redirect_uris = forms.CharField(
        label=_("Redirect addresses, one a line"), widget=forms.Textarea(attrs={"rows": 3}), required=False
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        choices=[
            ("confidential", _("On a server, with a secret")),
            ("public", _("In a browser or on a device, without a secret")),
            ("alone", _("A bot: acts on its own, without a person")),
        ],
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may ask for"),
        choices=list(SCOPES.items()),
        widget=forms.CheckboxSelectMultiple,
    )


class ChangeForm(Card):
    """What can be changed later."""

    description = forms.CharField(label=_("What it does"), max_length=500, required=False)
    website = forms.CharField(label=_("Website"), max_length=200, required=False)
    redirect_uris = forms.CharField(
        label=_("Redirect addresses, one a line"), widget=forms.Textarea(attrs={"rows": 3}), required=False
    )


@method_decorator(never_cache, name="dispatch")
class AccountPage(View):
    """For accounts; others are led to the sign-in."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(request.user, User) or request.user.is_guest:
            return led_to_sign_in(request)
        self.person = request.user
        return super().dispatch(request, *args, **kwargs)


class Applications(AccountPage):
    """One's own applications, and those that one has let in."""

    def get(self, request: HttpRequest) -> HttpResponse:
        consents = Consent.objects.filter(user=self.person).select_related("application")
        context = {
            "own": Application.objects.filter(user=self.person).order_by("name", "pk"),
            "consents": [
                (consent, [SCOPES[name] for name in SCOPES if name in parse_scopes(consent.scopes)])
                for consent in consents.order_by("application__name")
            ],
        }
        return render(request, "accounts/applications.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Takes a consent back."""
        number = request.POST.get("application", "")
        if number.isascii() and number.isdigit() and len(number) < 19:
            take_consent_back(self.person, int(number))
        return redirect("account_applications")


class NewApplication(AccountPage):
    """Registering an application. Its secret is shown once."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return render(request, "accounts/application_new.html", {"form": ApplicationForm()})

    def post(self, request: HttpRequest) -> HttpResponse:
        form = ApplicationForm(request.POST)
        if form.is_valid():
            given = form.cleaned_data
            try:
                check(APPLICATIONS_PER_PERSON, self.person.pk)
                application, secret = register_application(
                    self.person,
                    name=given["name"],
                    description=given["description"],
                    website=given["website"],
                    redirect_uris=given["redirect_uris"].splitlines(),
                    scopes=given["scopes"],
                    confidential=given["kind"] != "public",
                    acts_alone=given["kind"] == "alone",
                )
                context = {"application": application, "secret": secret, "is_new": True}
                return render(request, "accounts/application.html", context, status=201)
            except AppError as error:
                show_in_form(form, error)
        return render(request, "accounts/application_new.html", {"form": form}, status=400)


class OneApplication(AccountPage):
    """One of one's own: change it, renew its secret, remove it."""

    def get(self, request: HttpRequest, number: int) -> HttpResponse:
        return self._page(request, own_application(self.person, number))

    def post(self, request: HttpRequest, number: int) -> HttpResponse:
        application = own_application(self.person, number)
        if "remove" in request.POST:
            remove_application(self.person, number)
            return redirect("account_applications")
        if "renew" in request.POST:
            secret = renew_secret(self.person, number)
            return render(
                request, "accounts/application.html", {"application": application, "secret": secret}
            )
        form = ChangeForm(request.POST)
        if form.is_valid():
            given = form.cleaned_data
            try:
                uris = given["redirect_uris"].splitlines()
                about = {"description": given["description"], "website": given["website"]}
                change_application(self.person, number, redirect_uris=uris, **about)
                return redirect("account_application", number=number)
            except AppError as error:
                show_in_form(form, error)
        return self._page(request, application, form=form, status=400)

    def _page(
        self, request: HttpRequest, application: Application, *, form: Any = None, status: int = 200
    ) -> HttpResponse:
        values = {
            "description": application.description,
            "website": application.website,
            "redirect_uris": "\n".join(application.redirect_uris.split()),
        }
        context = {"application": application, "form": form or ChangeForm(initial=values)}
        return render(request, "accounts/application.html", context, status=status)
