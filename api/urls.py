"""The resources of /api/v1/."""

from django.urls import path, re_path
from drf_spectacular.renderers import OpenApiJsonRenderer2
from drf_spectacular.views import SpectacularAPIView

from api import members, messages, moderation, people, reports, rooms
from api.asyncapi import AsyncApi
from api.docs import docs
from api.door import Door, UnknownPath
from api.webhooks import views as webhooks


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
    path("rooms/heads", rooms.Heads.as_view()),
    path("rooms/<int:room_id>", rooms.OneRoom.as_view()),
    path("rooms/<int:room_id>/messages", messages.Messages.as_view()),
    path("rooms/<int:room_id>/events", rooms.Events.as_view()),
    path("rooms/<int:room_id>/read", rooms.Read.as_view()),
    path("rooms/<int:room_id>/members", members.Members.as_view()),
    path("rooms/<int:room_id>/members/me", members.MyMembership.as_view()),
    path("rooms/<int:room_id>/members/<int:user_id>", members.OneMember.as_view()),
    path("messages/<int:message_id>", messages.OneMessage.as_view()),
    path("messages/<int:message_id>/revisions", messages.Revisions.as_view()),
    path("messages/<int:message_id>/restore", messages.Restoration.as_view()),
    path("messages/<int:message_id>/report", reports.MessageReport.as_view()),
    path("users/<int:user_id>", people.OneUser.as_view()),
    path("users/<int:user_id>/report", reports.PersonReport.as_view()),
    path("rooms/<int:room_id>/report", reports.RoomReport.as_view()),
    path("me/notices", moderation.Notices.as_view()),
    path("me/notices/seen", moderation.SeenNotices.as_view()),
    path("moderation/held", moderation.HeldMessages.as_view()),
    path("moderation/held/<int:held_id>/approve", moderation.Approval.as_view()),
    path("moderation/held/<int:held_id>/reject", moderation.Rejection.as_view()),
    path("moderation/reports", moderation.Reports.as_view()),
    path("moderation/reports/<int:report_id>", moderation.OneReport.as_view()),
    path("moderation/reports/<int:report_id>/assign", moderation.ReportAssignment.as_view()),
    path("moderation/reports/<int:report_id>/decide", moderation.ReportDecision.as_view()),
    path("moderation/sanctions", moderation.Sanctions.as_view()),
    path("moderation/sanctions/<int:sanction_id>", moderation.OneSanction.as_view()),
    path("moderation/clean-ups", moderation.CleanUps.as_view()),
    path("moderation/actions", moderation.Actions.as_view()),
    path("moderation/actions/<int:action_id>/undo", moderation.Undo.as_view()),
    path("webhooks", webhooks.Webhooks.as_view()),
    path("webhooks/<int:webhook_id>", webhooks.OneWebhook.as_view()),
    path("webhooks/<int:webhook_id>/secret", webhooks.Secret.as_view()),
    path("webhooks/<int:webhook_id>/test", webhooks.Test.as_view()),
    path("webhooks/<int:webhook_id>/deliveries", webhooks.Deliveries.as_view()),
    path("webhooks/<int:webhook_id>/deliveries/<int:delivery_id>/repeat", webhooks.Redelivery.as_view()),
    path("docs", docs, name="docs"),
    path("asyncapi", AsyncApi.as_view(), name="asyncapi"),
    path("schema", Schema.as_view(), name="schema"),
    re_path("", UnknownPath.as_view()),
]
