"""Warning, muting, kicking and banning people, in a room or everywhere, and lifting it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F, Q

from accounts.actions.bans import ban_person, lift_ban
from accounts.models import User
from chat import access, audit, log, notices
from chat.actions.authors import Author, author_in
from chat.actions.changing import check_unchanged, checked
from chat.actions.rights import check_administrator_remains, is_administrator
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
from chatproject.database import ClockTimestamp, clock
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
    client_id: UUID | None = None,
) -> Sanction:
    """Sanctions someone in a room, or everywhere without one, ``until`` then or for ever.

    By moderators of the room and by staff, on people who stand lower. A mute takes the place of a mute in
    force, a kick or ban that of a kick or ban. A kick ends the membership and lasts KICK_SECONDS unless said
    otherwise. The log tells the kind only; the person is told the reason. With a ``client_id`` used before
    it is the sanction imposed then.
    """
    why = checked(why)
    if kind not in SanctionKind.values:
        raise AppError(Code.INVALID, fields={"kind": ["This is not a sanction."]})
    with transaction.atomic():
        scene = hold_scene(actor, user_id, room_id)
        earlier = imposed_before(actor, client_id)
        return earlier or impose(scene, kind=kind, why=why, until=until, client_id=client_id)


def imposed_before(actor: User, client_id: UUID | None) -> Sanction | None:
    """The sanction that ``actor`` imposed with this ``client_id``. Sure only under the lock of its place."""
    if client_id is None:
        return None
    return Sanction.objects.filter(by=actor, client_id=client_id).first()


def lift_sanction(actor: User, sanction_id: int, *, why: Why | None = None) -> None:
    """Ends a sanction before its time. Raises AppError CONFLICT when it is over already."""
    why = checked(why)
    sanction = Sanction.objects.select_related("room").filter(pk=sanction_id).first()
    if sanction is None or not _may_know_of(actor, sanction.room):
        raise AppError(Code.NOT_FOUND)
    with transaction.atomic():
        scene = hold_scene(actor, sanction.user_id, sanction.room_id)
        before = scene.state(sanction.kind)
        if sanction.pk not in before["in_force"]:
            raise AppError(Code.CONFLICT, "This sanction is over already.")
        left = [number for number in before["in_force"] if number != sanction.pk]
        scene.put(before | {"in_force": left}, before, kind=sanction.kind)
        audit.record(actor, scene.deed(LIFTED, sanction, before=before), why)


def impose(
    scene: "Scene", *, kind: str, why: Why, until: datetime | None, client_id: UUID | None = None
) -> Sanction:
    """``sanction_person`` where everything is locked and allowed; automod comes this way too."""
    before = scene.state(kind)
    sanction = impose_unrecorded(scene, kind=kind, why=why, until=until, client_id=client_id)
    audit.record(scene.actor, scene.deed(IMPOSED, sanction, before=before), why)
    return sanction


def impose_unrecorded(
    scene: "Scene", *, kind: str, why: Why, until: datetime | None, client_id: UUID | None = None
) -> Sanction:
    """``impose`` as a part of something larger, which is recorded as a whole.

    Raises AppError CONFLICT for a ``client_id`` that is in use elsewhere at the same moment.
    """
    if kind == SanctionKind.KICK and until is None:
        until = scene.now + timedelta(seconds=KICK_SECONDS)
    if until is not None and until <= scene.now:
        raise AppError(Code.INVALID, fields={"until": ["It must end after it begins."]})
    replaced = scene.like(kind).filter(lifted_at__isnull=True).exclude(kind=SanctionKind.WARN)
    replaced.update(lifted_at=scene.now, lifted_by=scene.actor)
    sanction = Sanction(
        room=scene.room,
        user=scene.target,
        kind=kind,
        category=why.category,
        reason=why.text,
        by=scene.actor,
        created_at=scene.now,
        ends_at=until,
        client_id=client_id,
    )
    try:
        sanction.save(force_insert=True)
    except IntegrityError as error:
        if client_id is None:
            raise
        raise AppError(Code.CONFLICT, fields={"client_id": ["This id is in use."]}) from error
    scene.took_effect(sanction)
    return sanction


def put_sanctions(
    actor: User, action: ModerationAction, wanted: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Makes ``wanted`` the sanctions in force in the place of ``expected``: how one is taken back."""
    assert action.subject_id is not None  # noqa: S101 - actions of these kinds name a person
    scene = hold_scene(actor, action.subject_id, action.room_id)
    kind = str(action.target.partition(":")[0])
    if not scene.put(wanted, expected, kind=kind):
        raise AppError(Code.CONFLICT, "This is over already.")


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

    def deed(self, name: str, sanction: Sanction, *, before: dict[str, Any]) -> Deed:
        """The entry of the audit, with the state as it is now."""
        ends_at = sanction.ends_at if name == IMPOSED else None
        return Deed(
            name,
            f"{sanction.kind}:{sanction.pk}",
            room_id=self.room.pk if self.room else None,
            subject_id=self.target.pk,
            before=before,
            after=self.state(sanction.kind) | ({"until": instant(ends_at)} if ends_at else {}),
        )

    def put(self, wanted: dict[str, Any], expected: dict[str, Any], *, kind: str) -> bool:
        """Lifts and imposes again until ``wanted`` is what is in force; whether there was anything to do.

        What has ended by itself since is no change, and is not imposed again. Raises AppError CONFLICT.
        """
        now = self.state(kind)
        over = set(self._over(kind).values_list("pk", flat=True))
        in_force, old, new = (set(state["in_force"]) for state in (now, expected, wanted))
        if kind == SanctionKind.WARN:
            in_force &= old ^ new  # each stands by itself
            old, new = old - new, new - old
        check_unchanged(in_force, old - over)
        check_unchanged(now.get("seat"), expected.get("seat"))
        # What is over gives the place free that it held in the database.
        self._over(kind).filter(lifted_at__isnull=True).update(lifted_at=F("ends_at"))
        to_lift, to_impose = in_force - new, new - in_force - over
        for sanction in self.like(kind).filter(pk__in=to_lift):
            self._lift(sanction)
        for sanction in self.like(kind).filter(pk__in=to_impose):
            self._impose_again(sanction)
        moves = wanted.get("seat") != now.get("seat")
        if self.room is not None and moves:
            put_seat(self.room, self.target, wanted["seat"], actor_id=self._actor_id(), at=self.now)
        self._tell_accounts()
        return bool(to_lift or to_impose or moves)

    def took_effect(self, sanction: Sanction) -> None:
        """Everything that follows from a new sanction, in this transaction."""
        self._announce(sanction, Kind.MEMBER_SANCTIONED)
        if sanction.kind == SanctionKind.KICK and self.room is not None:
            end_seat(self.room, self.target, actor_id=self._actor_id(), at=self.now)
        self._tell_accounts()
        notices.tell(self.target.pk, NoticeKind.SANCTIONED, self._notice(sanction), at=self.now)

    def _over(self, kind: str) -> SanctionQuerySet:
        """Those that have ended by themselves."""
        by_itself = Q(lifted_at__isnull=True) | Q(lifted_at__gte=F("ends_at"))
        return self.like(kind).filter(by_itself, ends_at__lte=ClockTimestamp())

    def _impose_again(self, sanction: Sanction) -> None:
        Sanction.objects.filter(pk=sanction.pk).update(lifted_at=None, lifted_by=None)
        self._announce(sanction, Kind.MEMBER_SANCTIONED)
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
            if is_administrator(self.target):
                check_administrator_remains()

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
    if not _is_known(author, standing):
        raise AppError(Code.NOT_FOUND)
    access.check_outranks(author.standing, standing)
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


def _may_know_of(actor: User, room: Room | None) -> bool:
    """Whether there is a sanction is told only to those who may sanction there."""
    if room is None:
        return staff_may(actor, access.SANCTION)
    return access.may_sanction(access.standing_in(room, actor))


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
