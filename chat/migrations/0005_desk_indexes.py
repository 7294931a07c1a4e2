"""Indexes of the desk's lists, made beside the traffic."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("chat", "0004_watched_rooms")]
    operations = [
        AddIndexConcurrently(
            "message",
            models.Index(
                fields=["-id"], condition=models.Q(("deleted_at__isnull", False)), name="message_deleted"
            ),
        ),
        AddIndexConcurrently(
            "message",
            models.Index(
                fields=["author", "-id"],
                condition=models.Q(("deleted_at__isnull", False)),
                name="message_deleted_of",
            ),
        ),
        AddIndexConcurrently(
            "sanction",
            models.Index(
                fields=["ends_at"], condition=models.Q(("lifted_at__isnull", True)), name="sanction_in_force"
            ),
        ),
    ]
