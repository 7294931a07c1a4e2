"""Earlier texts of a message."""

from django.db import models

from chat.models.message import Message


class MessageRevision(models.Model):
    """What a message said before an edit, and since when."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="revisions")
    body = models.TextField()
    written_at = models.DateTimeField()

    class Meta:
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"earlier text of message {self.message_id}"
