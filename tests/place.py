"""Where the matrix of rights is asked: a room with one of everything in it, and everybody of the matrix."""

import uuid
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from django.contrib.auth.hashers import make_password
from django.db import transaction

from accounts.actions.revocation import deactivate
from accounts.credentials import SESSION, Credential
from accounts.models import User
from accounts.tokens import issue_pair
from api.models import WebhookDelivery
from api.webhooks.actions import create_webhook
from chat import roles
from chat.actions.holding import hold_messages
from chat.actions.members import add_member, change_role
from chat.actions.messages import delete_message
from chat.actions.posting import post_message
from chat.actions.reports import Target, report
from chat.actions.rooms import create_room
from chat.audit import Why
from chat.models import HeldMessage, ModerationAction, Room, Sanction
from chatproject.database import clock
from tests import matrix
from tests.cast import Cast, cast, person, session_for
from tests.rest import Caller, addresses
from tests.scenes import employ

PASSWORD = "correct horse battery"


@dataclass
class Visitor:
    """One caller of the matrix: by REST with ``headers``, on the socket with ``credential``."""

    headers: dict[str, str]
    user: User | None = None
    credential: Credential | None = None
    names: dict[str, Any] = field(
        default_factory=lambda: {"username": "no", "password": "no", "refresh": "no"}
    )


class Place:
    """``names`` are the things of the room, by what the matrix calls them."""

    def __init__(self, kind: str, receiver: str) -> None:
        self.caller = Caller()  # one for all: headers say who asks
        people = cast(kind=kind)
        self.bystander, former = person("eve"), person("fred")
        for user in (self.bystander, former):
            add_member(people.olga, people.room.pk, display_name=user.display_name)
        users = {
            "guest": people.gil,
            "outsider": people.dave,
            "member": people.bob,
            "muted": people.carol,
            "elsewhere": moderator_of_another_room(),
            "moderator": people.alice,
            "owner": people.olga,
            "staff": employ(roles.MODERATORS),
            "deactivated": former,
        }
        self.names = self._things(people, receiver)
        accounts = [user.pk for user in users.values() if not user.is_guest]
        User.objects.filter(pk__in=accounts).update(password=make_password(PASSWORD))
        self.visitors = {name: visitor(User.objects.get(pk=user.pk)) for name, user in users.items()}
        self.visitors["anonymous"] = Visitor(headers())
        deactivate(former)

    def _things(self, people: Cast, receiver: str) -> dict[str, Any]:
        room = people.room.pk
        gone, own = self.say(self.bystander, room), self.say(people.bob, room)
        delete_message(self.bystander, gone)
        webhook, _ = create_webhook(people.bob, room_id=room, url=receiver)
        told = {"event": "test.1", "kind": "webhook.test", "attempt": 1, "body": "{}"}
        muted = {"room": room, "user": people.carol}
        return {
            "room": room,
            "slug": people.room.slug,
            "bystander": self.bystander.pk,
            "stranger": person("stranger").display_name,
            "free_name": f"Noor {uuid.uuid4().hex[:12]}",
            "message": self.say(self.bystander, room),
            "own": own,
            "gone": gone,
            "held": self._hold(room),
            "report": report(self.bystander, Target(message_id=own), why=Why("spam")).pk,
            "sanction": Sanction.objects.get(**muted).pk,
            "action": ModerationAction.objects.get(room=room, subject=people.carol).pk,
            "webhook": webhook.pk,
            "delivery": WebhookDelivery.objects.create(webhook=webhook, **told).pk,
            "receiver": receiver,
        }

    def say(self, user: User, room: int | None = None) -> int:
        """The id of a new message."""
        posted = post_message(user, room or self.names["room"], client_id=uuid.uuid4(), body="Hello")
        return posted.message_id  # type: ignore[union-attr]

    def _hold(self, room: int) -> int:
        waits = {"author": self.bystander, "client_id": uuid.uuid4(), "body": "May I?", "created_at": clock()}
        held = HeldMessage(room_id=room, html="<p>May I?</p>", **waits)
        hold_messages(Room.objects.get(pk=room), [held])
        return held.pk

    def ask(self, row: str, headers: dict[str, str], **names: Any) -> Any:
        """The answer to a row of the matrix; nothing is left of it, so each is asked as if alone."""
        method, path = matrix.operation(row)
        names = {**self.names, **names}
        path, sent = path.format(**names), matrix.filled(matrix.SENT.get(row, {}), names)
        if method == "GET":  # changes nothing, and takes a transaction of its own where it shows a moment
            return self.caller.ask("GET", f"{path}?{urlencode(sent)}" if sent else path, **headers)
        with transaction.atomic():
            answer = self.caller.ask(method, path, sent or None, **headers)
            transaction.set_rollback(True)
        return answer


def visitor(user: User) -> Visitor:
    """``user`` with everything they can show."""
    pair, session = issue_pair(user), session_for(user)
    credential = Credential(SESSION, session, user.pk, user.epoch)
    own = {"username": user.username or "no", "password": PASSWORD, "refresh": pair.refresh}
    return Visitor(headers(token=pair.access), user, credential, own)


def headers(*, token: str = "", session: str = "") -> dict[str, str]:
    """Of a request from an address of its own, with a bearer token, a session cookie or neither."""
    shown = {"REMOTE_ADDR": next(addresses), "HTTP_COOKIE": f"session={session}" if session else ""}
    return {**shown, "HTTP_AUTHORIZATION": f"Bearer {token}"} if token else shown


def moderator_of_another_room() -> User:
    owner, moderator = person("otto"), person("mona")
    room = create_room(owner, name="Elsewhere", slug=f"e-{uuid.uuid4().hex}")
    add_member(owner, room.pk, display_name=moderator.display_name)
    change_role(owner, room.pk, moderator.pk, role="moderator")
    return moderator
