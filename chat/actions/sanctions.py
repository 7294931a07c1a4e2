"""Warning, muting, kicking and banning people, in a room or everywhere, and lifting it."""

from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Q

from accounts.actions.bans import ban_person, lift_ban
from accounts.models import User
from chat import access, audit, log, notices
from chat.actions.authors import Author, author_in
from chat.actions.changing import check_unchanged, checked
from chat.actions.seats import end_seat, put_seat, seat_of
from chat.audit import Deed, Why
from chat.models import (
    BARRING,
    HeldMessage,
    Kind,
    Message,
    ModerationAction,
    NoticeKind,
    Room,
    Sanction,
    SanctionKind,
)
from chat.models.reason import reason_given
from chat.models.sanction import SanctionQuerySet
from chat.payloads import instant
from chat.standing import Standing, site_rank, staff_may
from chatproject.database import clock
from chatproject.errors import AppError, Code

IMPOSED, LIFTED = "sanction.imposed", "sanction.lifted"
KICK_SECONDS = 300
_SHOWN_IN_ROOM = {SanctionKind.MUTE, SanctionKind.KICK, SanctionKind.BAN}


def sanction_person(
    actor: User,
    user_id: int,
    *,
    kind: str,
    room_id: int | None = None,
    why: Why | None = None,
    until: datetime | None = None,
) -> Sanction:
    """Sanctions someone in a room, or everywhere without one, ``until`` then or for ever.

    By moderators of the room and by staff, on people who stand lower. A mute takes the place of a mute in
    force, a kick or ban that of a kick or ban. A kick ends the membership and lasts KICK_SECONDS unless said
    otherwise. The log tells the kind only; the person is told the reason.
    """
    why = checked(why)
    if kind not in SanctionKind.values:
        raise AppError(Code.INVALID, fields={"kind": ["This is not a sanction."]})
    with transaction.atomic():
        scene = hold_scene(actor, user_id, room_id)
        return impose(scene, kind=kind, why=why, until=until)


def lift_sanction(actor: User, sanction_id: int, *, why: Why | None = None) -> None:
    """Ends a sanction before its time. Raises AppError CONFLICT when it is over already."""
    why = checked(why)
    sanction = Sanction.objects.filter(pk=sanction_id).first()
    if sanction is None:
        raise AppError(Code.NOT_FOUND)
    with transaction.atomic():
        scene = hold_scene(actor, sanction.user_id, sanction.room_id)
        if not Sanction.objects.in_force().filter(pk=sanction_id).exists():
            raise AppError(Code.CONFLICT, "This sanction is over already.")
        before = scene.state(sanction.kind)
        scene.put(before | {"in_force": []}, before, kind=sanction.kind)
        deed = scene.deed(LIFTED, sanction.kind, before=before)
        audit.record(actor, deed, why)


def impose(scene: "Scene", *, kind: str, why: Why, until: datetime | None) -> Sanction:
    """``sanction_person`` where everything is locked and allowed; automod comes this way too."""
    before = scene.state(kind)
    sanction = impose_unrecorded(scene, kind=kind, why=why, until=until)
    audit.record(scene.actor, scene.deed(IMPOSED, kind, before=before, made=sanction), why)
    return sanction


def impose_unrecorded(scene: "Scene", *, kind: str, why: Why, until: datetime | None) -> Sanction:
    """``impose`` as a part of something larger, which is recorded as a whole."""
    if kind == SanctionKind.KICK and until is None:
        until = scene.now + timedelta(seconds=KICK_SECONDS)
    if until is not None and until <= scene.now:
        raise AppError(Code.INVALID, fields={"until": ["It must end after it begins."]})
    replaced = scene.like(kind).filter(lifted_at__isnull=True).exclude(kind=SanctionKind.WARN)
    replaced.update(lifted_at=scene.now, lifted_by=scene.actor)
    sanction = Sanction.objects.create(
        room=scene.room,
        user=scene.target,
        kind=kind,
        category=why.category,
        reason=why.text,
        by=scene.actor,
        created_at=scene.now,
        ends_at=until,
    )
    scene.took_effect(sanction)
    return sanction


def put_sanctions(
    actor: User, action: ModerationAction, wanted: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Makes ``wanted`` the sanctions in force in the place of ``expected``: how one is taken back."""
    assert action.subject_id is not None  # noqa: S101 - actions of these kinds name a person
    scene = hold_scene(actor, action.subject_id, action.room_id)
    kind = str(action.target.partition(":")[0])
    scene.put(wanted, expected, kind=kind)


class Scene:
    """Who sanctions whom where, under the room's lock, or the person's where it is everywhere."""

    def __init__(self, actor: User | None, target: User, room: Room | None, now: datetime) -> None:
        self.actor = actor
        self.target = target
        self.room = room
        self.now = now

    def like(self, kind: str) -> SanctionQuerySet:
        """The sanctions that one of this kind would take the place of."""
        kinds = BARRING if kind in BARRING else (kind,)
        return Sanction.objects.filter(room=self.room, user=self.target, kind__in=kinds)

    def state(self, kind: str) -> dict[str, Any]:
        """What an action of this kind changes: the sanctions in force, and a kick the membership too."""
        in_force = self.like(kind).in_force().order_by("pk").values_list("pk", flat=True)
        found: dict[str, Any] = {"in_force": list(in_force)}
        if kind == SanctionKind.KICK and self.room is not None:
            found["seat"] = seat_of(self.room, self.target)
        return found

    def deed(self, name: str, kind: str, *, before: dict[str, Any], made: Sanction | None = None) -> Deed:
        """The entry of the audit, with the state as it is now."""
        after = self.state(kind)
        return Deed(
            name,
            f"{kind}:{made.pk if made else before['in_force'][0]}",
            room_id=self.room.pk if self.room else None,
            subject_id=self.target.pk,
            before=before,
            after=after | ({"until": instant(made.ends_at)} if made and made.ends_at else {}),
        )

    def put(self, wanted: dict[str, Any], expected: dict[str, Any], *, kind: str) -> None:
        """Lifts and imposes again until ``wanted`` is what is in force. Raises AppError CONFLICT."""
        now = self.state(kind)
        check_unchanged(now, {name: expected[name] for name in now})
        for sanction in self.like(kind).filter(pk__in=set(now["in_force"]) - set(wanted["in_force"])):
            self._lift(sanction)
        again = self.like(kind).filter(pk__in=set(wanted["in_force"]) - set(now["in_force"]))
        for sanction in again:
            Sanction.objects.filter(pk=sanction.pk).update(lifted_at=None, lifted_by=None)
            self._announce(sanction, Kind.MEMBER_SANCTIONED)
        if self.room is not None and wanted.get("seat") != now.get("seat"):
            put_seat(self.room, self.target, wanted["seat"], actor_id=self._actor_id(), at=self.now)
        self._tell_accounts()

    def took_effect(self, sanction: Sanction) -> None:
        """Everything that follows from a new sanction, in this transaction."""
        self._announce(sanction, Kind.MEMBER_SANCTIONED)
        if sanction.kind == SanctionKind.KICK and self.room is not None:
            end_seat(self.room, self.target, actor_id=self._actor_id(), at=self.now)
        self._tell_accounts()
        notices.tell(self.target.pk, NoticeKind.SANCTIONED, self._notice(sanction), at=self.now)

    def _lift(self, sanction: Sanction) -> None:
        Sanction.objects.filter(pk=sanction.pk).update(lifted_at=self.now, lifted_by=self.actor)
        self._announce(sanction, Kind.MEMBER_UNSANCTIONED)
        notices.tell(self.target.pk, NoticeKind.UNSANCTIONED, self._notice(sanction), at=self.now)

    def _announce(self, sanction: Sanction, event: Kind) -> None:
        if self.room is not None and sanction.kind in _SHOWN_IN_ROOM:
            entry = log.Entry(event, self._actor_id(), subject=self.target, data={"kind": sanction.kind})
            log.append(self.room, [entry], at=self.now)

    def _tell_accounts(self) -> None:
        """A bar everywhere is the sign-in's to know."""
        if self.room is not None:
            return
        bar = Sanction.objects.in_force().barring().filter(room=None, user=self.target).first()
        if bar is None:
            lift_ban(self.target)
        else:
            given = f"Reason given: {reason_given(bar.category, bar.reason)}"
            ban_person(self.target, until=bar.ends_at, reason=given)

    def _notice(self, sanction: Sanction) -> dict[str, Any]:
        return {
            "sanction": sanction.kind,
            "room": self.room.pk if self.room else None,
            "room_name": self.room.name if self.room else None,
            "category": sanction.category,
            "reason": reason_given(sanction.category, sanction.reason),
            "ends_at": instant(sanction.ends_at) if sanction.ends_at else None,
        }

    def _actor_id(self) -> int | None:
        return self.actor.pk if self.actor else None


def hold_scene(actor: User, user_id: int, room_id: int | None) -> Scene:
    """Locks, and checks that ``actor`` may sanction. Raises AppError FORBIDDEN, NOT_FOUND, BANNED."""
    if room_id is None:
        return _scene_everywhere(actor, user_id)
    room = log.lock_room(room_id)
    author = author_in(room, actor)
    access.check_may_sanction(author.standing)
    target = User.objects.filter(pk=user_id).first()
    if target is None:
        raise AppError(Code.NOT_FOUND)
    standing = access.standing_in(room, target)
    access.check_outranks(author.standing, standing)
    if not _is_known(author, standing):
        raise AppError(Code.NOT_FOUND)
    return Scene(author.user, target, room, author.now)


def _scene_everywhere(actor: User, user_id: int) -> Scene:
    if not staff_may(actor, access.SANCTION):
        raise AppError(Code.FORBIDDEN)
    target = User.objects.select_for_update(no_key=True).filter(pk=user_id).first()
    if target is None:
        raise AppError(Code.NOT_FOUND)
    if actor.pk == target.pk:
        raise AppError(Code.FORBIDDEN, "You cannot do this to yourself.")
    if site_rank(target) >= site_rank(actor):
        raise AppError(Code.FORBIDDEN, "You cannot do this to someone who stands as high as you or higher.")
    return Scene(actor, target, None, clock())


def _is_known(author: Author, standing: Standing) -> bool:
    """A room's moderators learn nothing of people who never were there."""
    room, user = standing.room, standing.user
    if standing.role is not None or staff_may(author.user, access.SANCTION):
        return True
    of_user = Q(room=room, author=user)
    return (
        Message.objects.filter(of_user).exists()
        or HeldMessage.objects.filter(of_user).exists()
        or Sanction.objects.filter(room=room, user=user).exists()
    )
