"""The resources of /api/v1/."""

from django.urls import path, re_path
from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.views import SpectacularAPIView

from api import members, messages, people, rooms
from api.door import Door, UnknownPath


class Schema(Door, SpectacularAPIView):
    """The OpenAPI document."""

    renderer_classes = [OpenApiJsonRenderer2]


app_name = "api"
urlpatterns = [
    path("guests", people.Guests.as_view()),
    path("auth/token", people.TokenView.as_view()),
    path("auth/token/refresh", people.TokenRefresh.as_view()),
    path("auth/token/revoke", people.TokenRevoke.as_view()),
    path("me", people.Me.as_view()),
    path("realtime/tickets", people.Tickets.as_view()),
    path("rooms", rooms.Rooms.as_view()),
    path("rooms/<int:room_id>", rooms.OneRoom.as_view()),
    path("rooms/<int:room_id>/messages", messages.Messages.as_view()),
    path("rooms/<int:room_id>/events", rooms.Events.as_view()),
    path("rooms/<int:room_id>/read", rooms.Read.as_view()),
    path("rooms/<int:room_id>/members", members.Members.as_view()),
    path("rooms/<int:room_id>/members/me", members.MyMembership.as_view()),
    path("rooms/<int:room_id>/members/<int:user_id>", members.OneMember.as_view()),
    path("messages/<int:message_id>", messages.OneMessage.as_view()),
    path("messages/<int:message_id>/restore", messages.Restoration.as_view()),
    path("schema", Schema.as_view(), name="schema"),
    re_path("", UnknownPath.as_view()),
]
