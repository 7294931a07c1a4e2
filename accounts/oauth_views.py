"""The doors of OAuth 2: the consent page, tokens, revocation, introspection, metadata."""

import base64
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import View
from oauth2_provider import views as toolkit
from oauth2_provider.exceptions import OAuthToolkitError

from accounts.actions.applications import give_consent
from accounts.models import Application, ApplicationStatus, Consent, User
from accounts.oauth import alive_token
from accounts.scopes import parse_scopes
from chatproject.address import request_address
from chatproject.errors import AppError, Code
from chatproject.limits import OAUTH_PER_ADDRESS, check


@method_decorator(never_cache, name="dispatch")
class Authorize(toolkit.AuthorizationView):  # type: ignore[misc]
    """Asks the person, once for the same scopes, and sends them back with a code."""

    template_name = "accounts/consent.html"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        silent = "none" in request.GET.get("prompt", "").split()
        if not silent and (not isinstance(request.user, User) or request.user.is_guest):
            return redirect_to_login(request.get_full_path())
        return self._answer(request, *args, **kwargs)

    def _answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)
        return response

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # Only the person's own consent skips the question, not a token that happens to be alive.
        query = request.GET.copy()
        query.pop("approval_prompt", None)
        request.GET = query  # type: ignore[assignment]
        try:
            scopes, credentials = self.validate_authorization_request(request)
            application = Application.objects.get(client_id=credentials["client_id"])
            self._check_open(application)
            if self._is_remembered(application, scopes, credentials["redirect_uri"]):
                uri, *_ = self.create_authorization_response(
                    request=request, scopes=" ".join(scopes), credentials=credentials, allow=True
                )
                redirected: HttpResponseBase = self.redirect(uri, application)
                return redirected
        except OAuthToolkitError as error:
            refused: HttpResponseBase = self.error_response(error, application=None)
            return refused
        response: HttpResponseBase = super().get(request, *args, **kwargs)
        return self._allow_form(response, credentials["redirect_uri"])

    def form_valid(self, form: Any) -> HttpResponseBase:
        client_id = form.cleaned_data["client_id"].replace("\0", "")
        application = Application.objects.filter(client_id=client_id).first()
        if application is None:
            raise AppError(Code.NOT_FOUND)
        self._check_open(application)
        response: HttpResponseBase = super().form_valid(form)
        granted = form.cleaned_data.get("allow") and "code=" in response.get("Location", "")
        if granted and isinstance(self.request.user, User):
            give_consent(self.request.user, application, parse_scopes(form.cleaned_data["scope"]))
        return response

    def redirect(self, redirect_to: str, application: Any) -> Any:
        """With ``iss`` in refusals too (RFC 9207, 2.1)."""
        parts = urlsplit(redirect_to)
        names = {name for name, _ in parse_qsl(parts.query)}
        if "error" in names and "iss" not in names:
            query = f"{parts.query}&{urlencode({'iss': settings.SITE_URL})}"
            redirect_to = parts._replace(query=query).geturl()
        return super().redirect(redirect_to, application)

    def _check_open(self, application: Application) -> None:
        """Until staff have approved it, an application is its owner's alone."""
        if application.status == ApplicationStatus.PENDING and application.user_id != self.request.user.pk:
            raise AppError(Code.FORBIDDEN, "This application waits for the approval of our staff.")

    def _is_remembered(self, application: Application, scopes: list[str], redirect_uri: str) -> bool:
        """Not where another program on the person's machine could pose as the application (RFC 8252, 8.6)."""
        if (
            "consent" in self.request.GET.get("prompt", "").split()
            or urlsplit(redirect_uri).scheme != "https"
        ):
            return False
        consent = Consent.objects.filter(user=self.request.user, application=application).first()
        return consent is not None and set(scopes) <= parse_scopes(consent.scopes)

    def _allow_form(self, response: HttpResponseBase, redirect_uri: str) -> HttpResponseBase:
        """The form's answer leads to the application, which the policy must let happen."""
        parts = urlsplit(redirect_uri)
        response._csp_update = {"form-action": [f"{parts.scheme}://{parts.netloc}"]}  # type: ignore[attr-defined]
        return response


@method_decorator(csrf_exempt, name="dispatch")
class Limited:
    """What machines ask: counted by address before anything is looked up."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            check(OAUTH_PER_ADDRESS, request_address(request))
        except AppError as refusal:
            body = {"error": "slow_down", "error_description": refusal.message}
            headers = {"Retry-After": str(max(1, round(refusal.retry_after or 1)))}
            return JsonResponse(body, status=429, headers=headers)
        response: HttpResponseBase = super().dispatch(request, *args, **kwargs)  # type: ignore[misc]
        return response


class Token(Limited, toolkit.TokenView):  # type: ignore[misc]
    """Tokens for a code, for a refresh token, or for the application itself."""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """In one transaction, so that of several who show one token at once one is first."""
        if request.GET:
            # RFC 6749, 3.2 and RFC 9700, 2.6: secrets and codes stay out of addresses.
            words = "Parameters belong into the body."
            return JsonResponse({"error": "invalid_request", "error_description": words}, status=400)
        with transaction.atomic():
            response: HttpResponse = super().post(request, *args, **kwargs)
        return response


class Revoke(Limited, toolkit.RevokeTokenView):  # type: ignore[misc]
    """Ends a token and what hangs on it (RFC 7009)."""


class Introspect(Limited, View):
    """What a token is worth, for the confidential application that it was issued to (RFC 7662)."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest) -> JsonResponse:
        application = authenticated_client(request)
        if application is None:
            headers = {"WWW-Authenticate": "Basic"}
            return JsonResponse({"error": "invalid_client"}, status=401, headers=headers)
        found = alive_token(request.POST.get("token", ""))
        if found is None or found.application_id != application.pk:
            return JsonResponse({"active": False})
        person = found.user or application.bot
        answer = {
            "active": True,
            "scope": found.scope,
            "client_id": application.client_id,
            "token_type": "Bearer",
            "exp": int(found.expires.timestamp()),
            "iat": int(found.created.timestamp()),
            "iss": settings.SITE_URL,
            "sub": str(person.pk) if person else application.client_id,
            "username": person.display_name if person else application.name,
        }
        return JsonResponse(answer)


def authenticated_client(request: HttpRequest) -> Application | None:
    """The confidential application whose id and secret came with ``request``, as Basic or in the body."""
    client_id, secret = request.POST.get("client_id", ""), request.POST.get("client_secret", "")
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except ValueError:
            return None
        client_id, secret = unquote_plus(client_id), unquote_plus(secret)
    if "\0" in client_id or not secret:
        return None
    application = Application.objects.filter(
        client_id=client_id, client_type=Application.CLIENT_CONFIDENTIAL
    ).first()
    usable = application is not None and application.is_usable(request)
    return application if usable and check_password(secret, application.client_secret) else None


Metadata = toolkit.OAuthServerMetadataView
