"""Warning, muting, kicking and banning people, in a room or everywhere, and lifting it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction

from accounts.models import User
from chat import access, audit
from chat.actions.changing import checked
from chat.actions.scene import Scene, hold_scene
from chat.audit import Why
from chat.models import ModerationAction, Room, Sanction, SanctionKind
from chat.standing import staff_may
from chatproject.errors import AppError, Code

IMPOSED, LIFTED = "sanction.imposed", "sanction.lifted"
KICK_SECONDS = 300


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
    scene: Scene, *, kind: str, why: Why, until: datetime | None, client_id: UUID | None = None
) -> Sanction:
    """``sanction_person`` where everything is locked and allowed; automod comes this way too."""
    before = scene.state(kind)
    sanction = impose_unrecorded(scene, kind=kind, why=why, until=until, client_id=client_id)
    audit.record(scene.actor, scene.deed(IMPOSED, sanction, before=before, until=sanction.ends_at), why)
    return sanction


def impose_unrecorded(
    scene: Scene, *, kind: str, why: Why, until: datetime | None, client_id: UUID | None = None
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


def _may_know_of(actor: User, room: Room | None) -> bool:
    """Whether there is a sanction is told only to those who may sanction there."""
    if room is None:
        return staff_may(actor, access.SANCTION)
    return access.may_sanction(access.standing_in(room, actor))
