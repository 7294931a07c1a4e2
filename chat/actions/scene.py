"""Where a sanction is imposed or lifted: who, on whom, where, under which lock, and what follows from it."""

from datetime import datetime
from typing import Any

from django.db.models import F, Q

from accounts.actions.bans import ban_person, lift_ban
from accounts.models import User
from chat import access, log, notices
from chat.actions.authors import Author, author_in
from chat.actions.changing import check_unchanged
from chat.actions.rights import check_administrator_remains, is_administrator
from chat.actions.seats import end_seat, put_seat, seat_of
from chat.audit import Deed
from chat.models import BARRING, HeldMessage, Kind, Message, NoticeKind, Room, Sanction, SanctionKind
from chat.models.reason import reason_given
from chat.models.sanction import SanctionQuerySet
from chat.payloads import instant
from chat.standing import Standing, site_rank, staff_may
from chatproject.database import ClockTimestamp, clock
from chatproject.errors import AppError, Code

_SHOWN_IN_ROOM = {SanctionKind.MUTE, SanctionKind.KICK, SanctionKind.BAN}


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

    def deed(
        self, name: str, sanction: Sanction, *, before: dict[str, Any], until: datetime | None = None
    ) -> Deed:
        """The entry of the audit, with the state as it is now."""
        return Deed(
            name,
            f"{sanction.kind}:{sanction.pk}",
            room_id=self.room.pk if self.room else None,
            subject_id=self.target.pk,
            before=before,
            after=self.state(sanction.kind) | ({"until": instant(until)} if until else {}),
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
