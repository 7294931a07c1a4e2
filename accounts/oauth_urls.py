"""OAuth 2 under /o/, by the names that the toolkit looks up."""

from django.urls import path

from accounts import oauth_views

app_name = "oauth2_provider"
urlpatterns = [
    path("authorize/", oauth_views.Authorize.as_view(), name="authorize"),
    path("token/", oauth_views.Token.as_view(), name="token"),
    path("revoke/", oauth_views.Revoke.as_view(), name="revoke-token"),
    path("introspect/", oauth_views.Introspect.as_view(), name="introspect"),
]
