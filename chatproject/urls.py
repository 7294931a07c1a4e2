"""Where everything is."""

from django.contrib import admin
from django.urls import include, path

from accounts.oauth_views import Metadata
from chatproject import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("metrics", health.metrics),
    path("admin/", admin.site.urls),
    path("accounts/", include("accounts.urls")),
    path("o/", include("accounts.oauth_urls")),
    path(".well-known/oauth-authorization-server", Metadata.as_view()),
    path("api/v1/", include("api.urls")),
    path("", include("chat.urls")),
]
