"""The stored part of the epoch."""

import uuid

from django.db import models


class Incarnation(models.Model):
    """A single row. ``manage.py new_epoch`` changes its value; see ``chat.epoch``."""

    id = models.SmallIntegerField(primary_key=True, default=1, editable=False)
    value = models.UUIDField(default=uuid.uuid4)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="incarnation_single")]

    def __str__(self) -> str:
        return str(self.value)
