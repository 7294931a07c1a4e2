"""The account pages. Only what we offer of allauth's: its other pages are not built here."""

from allauth.account import views as allauth
from django.urls import path, re_path
from django.views.generic import TemplateView

from accounts import application_views, views

urlpatterns = [
    path("login/", views.SignInView.as_view(), name="account_login"),
    path("logout/", views.SignOutView.as_view(), name="account_logout"),
    path("signup/", views.SignUpView.as_view(), name="account_signup"),
    path("inactive/", allauth.account_inactive, name="account_inactive"),
    path("guest/", views.GuestView.as_view(), name="account_guest"),
    path("name/", views.NameView.as_view(), name="account_name"),
    path("applications/", application_views.Applications.as_view(), name="account_applications"),
    path("applications/new/", application_views.NewApplication.as_view(), name="account_application_new"),
    path(
        "applications/<int:number>/", application_views.OneApplication.as_view(), name="account_application"
    ),
    path("password/change/", views.PasswordView.as_view(), name="account_change_password"),
    path(
        "password/changed/",
        TemplateView.as_view(template_name="account/password_changed.html"),
        name="account_password_changed",
    ),
    path("password/reset/", views.ResetView.as_view(), name="account_reset_password"),
    path("password/reset/done/", allauth.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        allauth.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
    re_path(
        r"^password/reset/key/(?P<uidb36>[0-9A-Za-z]+)-(?P<key>.+)/$",
        views.NewPasswordView.as_view(),
        name="account_reset_password_from_key",
    ),
]
