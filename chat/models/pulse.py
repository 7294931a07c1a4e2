"""How many people each serving process has connected."""

from django.db import models


class Pulse(models.Model):
    """One row a process, written every few seconds; an old one is that of a process that is gone."""

    process = models.UUIDField(primary_key=True)
    people = models.IntegerField()
    sockets = models.IntegerField()
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.people} people"
